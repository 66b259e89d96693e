"""Operating an agent, with real processes: asked to look, told to stop and to stop at once, configured anew."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.stage import Agent, Stage, until, workflow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage") as stage:
        stage.start_sandbox(ready_after=0.0)
        stage.configure()
        yield stage


def told(agent: Agent, event: str) -> list[dict[str, Any]]:
    return [each for each in agent.events if each["event"] == event]


@pytest.mark.row("K14")
def test_sync_waits_for_a_commit_and_a_second_signal_stops_at_once(stage: Stage) -> None:
    stage.configure(interval="1h")
    first = stage.commit({"a.json": workflow("a")})
    agent = stage.start_agent()
    until(lambda: agent.passes(first), "the first pass")
    second = stage.commit({"a.json": workflow("a", "0 2 * * *"), "b.json": workflow("b")})
    done = stage.datakeel("sync", "--wait", "--commit", second, "--timeout", "50s")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.startswith(f"main  {second[:7]} applied after ")

    # A call that takes longer than anybody waits: the first signal lets it go on, the second one does not.
    stage.call("POST", "/_sandbox/faults", [{"do": "delay", "seconds": 8.0, "method": ["POST"], "after": True}])
    stage.configure(interval="1h")
    config = stage.repository / "datakeel.yaml"
    config.write_text(config.read_text().replace("deadline: 5s", "deadline: 20s"))
    until(lambda: told(agent, "config.reloaded"), "the longer deadline is taken")
    stage.commit({"c.json": workflow("c")})
    until(stage.open_intents, "a call in flight")
    agent.child.send_signal(signal.SIGTERM)
    until(lambda: agent.child.poll() is not None or time.sleep(0.5) is None, "a moment")
    assert agent.child.poll() is None, "what is in flight may come to its end"
    began = time.monotonic()
    assert agent.end(signal.SIGTERM) == 143
    assert time.monotonic() - began < 4
    assert len(stage.open_intents()) == 1, "the journal covers what was cut off"

    stage.call("DELETE", "/_sandbox/faults")
    until(lambda: stage.datakeel("apply", "--yes").returncode == 0, "what was cut off is found")
    posts = [entry for entry in stage.requests() if entry["method"] == "POST"]
    assert [entry["status"] for entry in posts].count(409) == 0
    assert len(posts) <= 3, "none was created again"  # the one that was cut off may not be in the log
    assert {each["name"] for each in stage.live().values()} == {"a", "b", "c"}


def test_a_changed_configuration_is_taken_or_refused_without_a_restart(stage: Stage) -> None:
    stage.commit({"a.json": workflow("a"), "more/b.json": workflow("b")})
    config = stage.repository / "datakeel.yaml"
    text = config.read_text().replace("    folder: manifests\n", "    folder: manifests/none\n")
    config.write_text(text)
    agent = stage.start_agent()
    until(lambda: agent.passes(), "the first pass")

    config.write_text(text.replace("prune: true", "prune: perhaps"))
    refused = until(lambda: told(agent, "config.refused"), "a refusal")[0]
    assert "datakeel.yaml:12:12" in refused["problems"][0]
    shown = stage.datakeel("status")
    assert "configuration: not taken, the one before holds" in shown.stdout, shown
    document = json.loads(stage.datakeel("status", "-o", "json").stdout)
    assert document["config_refused"]["problems"] == refused["problems"]

    head, _, main = text.partition("  main:\n")
    more = main.replace("manifests/none", "manifests/more")
    config.write_text(f"{head}  main:\n{main}  more:\n{more}")
    taken = until(lambda: told(agent, "config.reloaded"), "a reload")[0]
    assert (taken["added"], taken["changed"], taken["removed"]) == (["more"], [], [])
    until(lambda: stage.get("workflow", "b"), "the new target is worked at")
    assert stage.datakeel("status", "--target", "more").returncode == 0
    assert "not taken" not in stage.datakeel("status").stdout

    config.write_text(f"{head}  more:\n{more}")
    taken = until(lambda: told(agent, "config.reloaded")[1:], "another reload")[0]
    assert (taken["added"], taken["changed"], taken["removed"]) == ([], [], ["main"])
    passes = len(agent.passes())
    agent.child.send_signal(signal.SIGHUP)
    until(lambda: len(agent.passes()) > passes, "SIGHUP looks at once")
    assert agent.passes()[-1]["target"] == "more"

    config.write_text(f"{head}  more:\n{more}".replace("state.db", "other.db"))
    assert until(lambda: told(agent, "config.waits_for_restart"), "a word")[0]["keys"] == ["state"]
    assert agent.end(signal.SIGINT) == 130
