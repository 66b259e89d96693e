"""The agent as people run it: real processes and signals, a real repository, a platform that goes and comes back."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.stage import Agent, Stage, until, workflow

WRITES = ("POST", "PUT", "DELETE")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage") as stage:
        stage.start_sandbox(ready_after=0.2)
        stage.configure()
        yield stage


def settled(stage: Stage, files: dict[str, str | None]) -> tuple[Agent, str]:
    """An agent whose first pass made what the files say."""
    revision = stage.commit(files)
    agent = stage.start_agent()
    until(lambda: agent.passes(revision), "the first pass")
    return agent, revision


def names(stage: Stage) -> set[str]:
    return {each["name"] for each in stage.live().values()}


@pytest.mark.row("K14")
def test_sigterm_lets_what_is_in_flight_finish_and_begins_nothing(stage: Stage) -> None:
    stage.call("POST", "/_sandbox/faults", [{"do": "delay", "seconds": 0.5, "method": ["POST"], "after": True}])
    stage.commit({f"w{number:02}.json": workflow(f"w{number:02}") for number in range(40)})
    agent = stage.start_agent()
    until(stage.open_intents, "a call in flight")
    assert agent.end(signal.SIGTERM) == 143
    assert stage.open_intents() == []
    made = names(stage)
    assert 0 < len(made) < 40, "the drain came too late to show anything"
    assert stage.inventory() == made
    assert any(event["event"] == "change.skipped" for event in agent.events)

    stage.call("DELETE", "/_sandbox/faults")
    assert stage.datakeel("apply", "--yes").returncode == 0
    assert len(names(stage)) == 40
    posts = [entry for entry in stage.requests() if entry["method"] == "POST"]
    assert len(posts) == 40, "each was created once"


@pytest.mark.slow
@pytest.mark.row("K14")
def test_sigterm_does_not_wait_for_the_next_window_of_the_budget(stage: Stage) -> None:
    config = stage.repository / "datakeel.yaml"
    config.write_text(config.read_text().replace("budget: off", "budget: [{requests: 60, per: 2m}]\n    reserve: 0%"))
    stage.commit({f"w{number:02}.json": workflow(f"w{number:02}") for number in range(40)})
    agent = stage.start_agent()
    until(
        lambda: stage.requests_log.exists() and len(stage.requests()) >= 54, "a spent budget"
    )  # less what is left for a newer commit
    time.sleep(1.0)
    assert stage.open_intents() == [], "an intent waits for its turn"
    assert agent.end(signal.SIGTERM) == 143


def test_a_second_agent_on_one_store_ends_with_1_and_names_the_first(stage: Stage) -> None:
    agent, _ = settled(stage, {"a.json": workflow("a")})
    second = stage.datakeel("run")
    assert second.returncode == 1
    assert f"process {agent.child.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    assert agent.end() == 143
    assert stage.datakeel("apply", "--yes").returncode == 0, "the lock goes with its holder"


def test_reading_verbs_work_beside_a_running_agent(stage: Stage) -> None:
    agent, first = settled(stage, {"a.json": workflow("a"), "b.json": workflow("b")})
    second = stage.commit({"a.json": workflow("a", "0 2 * * *"), "b.json": None})
    # What was created a moment ago is changed once it is ready, which may take one pass more.
    until(lambda: [each for each in agent.passes(second) if not each["held"]], "the second commit is live")

    status = json.loads(stage.datakeel("status", "-o", "json").stdout)["targets"][0]
    assert (status["in_sync"], status["total"], status["revision"]) == (1, 1, second)

    seen = len(stage.requests())
    (stage.repository / "manifests/a.json").write_text(workflow("a", "0 3 * * *"))
    changed = stage.datakeel("diff", "--detailed-exitcode", "--fresh")
    assert changed.returncode == 2
    assert "Workflow/a" in changed.stdout and "0 3 * * *" in changed.stdout
    assert not [entry for entry in stage.requests()[seen:] if entry["method"] in WRITES]

    history = [json.loads(line) for line in stage.datakeel("history", "-o", "jsonl").stdout.splitlines()]
    assert list(dict.fromkeys(entry["revision"] for entry in history)) == [second, first]
    actions = [
        (json.loads(line)["name"], json.loads(line)["action"])
        for line in stage.datakeel("history", "Workflow/b", "-o", "jsonl").stdout.splitlines()
    ]
    assert sorted(actions) == [("b", "create"), ("b", "delete")]
    shown = stage.datakeel("get", "Workflow/a")
    assert shown.returncode == 0 and "0 2 * * *" in shown.stdout
    assert agent.child.poll() is None
    assert agent.end() == 143


def test_an_agent_outlives_its_platform_says_so_and_recovers_by_itself(stage: Stage) -> None:
    sandbox = next(iter(stage.children))
    agent, _ = settled(stage, {"a.json": workflow("a")})
    sandbox.send_signal(signal.SIGKILL)
    sandbox.wait()
    second = stage.commit({"a.json": workflow("a", "0 2 * * *"), "c.json": workflow("c")})
    until(lambda: [each for each in agent.passes(second) if each["held"]], "a pass that holds its changes")

    status = json.loads(stage.datakeel("status", "-o", "json").stdout)["targets"][0]
    assert status["held"] == 2
    told = stage.datakeel("status").stdout
    # Changes are held until a pass of the interval has found nobody there at all.
    assert "live state unknown" in told or "no connection" in told
    assert stage.datakeel("status", "--detailed-exitcode").returncode in (1, 2)
    assert agent.child.poll() is None
    assert stage.open_intents() == []

    stage.start_sandbox()
    began = time.monotonic()
    until(lambda: stage.get("workflow", "c"), "recovery")
    until(lambda: cron(stage.get("workflow", "a")) == "0 2 * * *", "recovery")
    assert time.monotonic() - began < 20
    until(lambda: not agent.passes(second)[-1]["held"], "a pass that holds nothing")
    assert stage.datakeel("status", "--detailed-exitcode").returncode == 0
    assert all({"ts", "level", "event"} <= event.keys() for event in agent.events)
    assert agent.end() == 143


def cron(shown: dict[str, Any] | None) -> str | None:
    return shown["spec"]["workflow"]["schedule"]["cron"] if shown else None


@pytest.mark.slow
def test_apply_finishes_what_a_killed_agent_began(stage: Stage) -> None:
    agent, _ = settled(stage, {"a.json": workflow("a"), "b.json": workflow("b"), "z.json": workflow("z")})
    stage.call("POST", "/_sandbox/faults", [{"do": "delay", "seconds": 0.5, "method": list(WRITES), "after": True}])
    stage.commit(
        {"a.json": workflow("a", "0 2 * * *"), "b.json": None}
        | {f"w{number}.json": workflow(f"w{number}") for number in range(8)}
    )
    until(stage.open_intents, "a call in flight")
    time.sleep(0.1)
    agent.end(signal.SIGKILL)
    assert stage.open_intents(), "the kill came too late to show anything"
    stage.call("DELETE", "/_sandbox/faults")

    def applied() -> bool:
        # What was journalled and never arrived is only believed absent after the settle window.
        status = stage.datakeel("apply", "--yes").returncode
        assert status in (0, 1, 5), status
        return status == 0

    until(applied, "apply has nothing left to do")
    assert names(stage) == stage.inventory() == {"a", "z"} | {f"w{number}" for number in range(8)}
    assert stage.open_intents() == []
    assert cron(stage.get("workflow", "a")) == "0 2 * * *"
    created = [entry["body"] for entry in stage.requests() if entry["method"] == "POST" and entry["commits"]]
    assert len(created) == 11, "each was created once"
    assert not [entry for entry in stage.requests() if entry["status"] == 409]
    assert stage.datakeel("diff", "--detailed-exitcode", "--fresh").returncode == 0
