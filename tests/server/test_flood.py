"""The short form of the flood, and what the same agent tells of its health; the long form is a command
(``python -m tests.server.flood``)."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.server.flood import play
from tests.system.stage import Agent, Stage, until

READY = "[+] store ok: writable\n[+] revision ok: read by 1 of 1 targets\n[+] configuration ok: read\nok\n"


@pytest.mark.row("L1")
def test_a_flood_of_webhooks_changes_nothing_but_counters(tmp_path: Path) -> None:
    told = play(tmp_path / "stage", rate=300, seconds=2.0, after=tells_its_health)
    # How soon a pass begins is for the command to judge: beside other tests it tells of them.
    assert [line for line in told.wrong if "began after" not in line] == []
    assert sum(told.answers.values()) > 20
    assert {name for name, _ in told.answers} == {"signed", "unsigned", "malformed"}


def tells_its_health(stage: Stage, agent: Agent, probes: str) -> None:
    assert ask(f"{probes}/livez") == (200, "ok\n")
    assert ask(f"{probes}/readyz?verbose") == (200, READY)
    assert ask(f"{probes}/version")[1].startswith('{"version":')
    with (stage.repository / "datakeel.yaml").open("a") as config:
        config.write(f"server: {{probes: '{probes.removeprefix('http://')}'}}\n")
    asked = stage.datakeel("status", "--probe", "readyz")
    assert (asked.returncode, asked.stdout) == (0, READY)
    stage.children[0].kill()
    stage.commit({"gamma.json": None})
    agent.child.send_signal(1)  # look now
    until(lambda: agent.passes(word="pass.failed"), "a pass fails")
    assert ask(f"{probes}/livez")[0] == ask(f"{probes}/healthz")[0] == 200, "a dead platform is not a dead agent"


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
