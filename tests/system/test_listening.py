"""What a real agent serves: unasked for its own machine, and nothing for `off`; a port that is taken stops nobody."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.stage import Agent, Stage, until, workflow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage") as stage:
        stage.start_sandbox(ready_after=0.0)
        stage.configure()
        stage.commit({"a.json": workflow("a")})
        yield stage


def served(agent: Agent) -> dict[str, str]:
    """The addresses by what is there, once the first pass is over."""
    until(agent.passes, "the first pass")
    return {str(each["use"]): str(each["address"]) for each in agent.events if each["event"] == "server.listening"}


READY = "[+] store ok: writable\n[+] revision ok: read by 1 of 1 targets\n[+] configuration ok: read\nok\n"


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_is_told_with_its_reasons_while_the_platform_is_dead(stage: Stage) -> None:
    agent = stage.start_agent("--probes", "127.0.0.1:0", "--listen", "127.0.0.1:0")
    probes = served(agent)["probes"]
    assert ask(f"{probes}/livez") == (200, "ok\n")
    with (stage.repository / "datakeel.yaml").open("a") as config:
        config.write(f"server: {{probes: '{probes.removeprefix('http://')}'}}\n")
    asked = stage.datakeel("status", "--probe", "readyz")
    assert (asked.returncode, asked.stdout.splitlines()[-1]) == (0, "ok")
    status, text = ask(f"{probes}/readyz?verbose")
    assert (status, text) == (200, READY)
    stage.children[0].kill()
    until(lambda: agent.passes(word="pass.failed"), "a pass fails")
    assert ask(f"{probes}/livez")[0] == ask(f"{probes}/healthz")[0] == 200
    assert agent.end() == 143


def test_a_port_that_nobody_asked_for_and_another_has_is_said_and_left(stage: Stage) -> None:
    taken = []
    for port in (8642, 8643):
        try:
            taken.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            pass  # somebody else on this machine has it: as good
    try:
        agent = stage.start_agent()
        assert served(agent) == {}
        said = [each for each in agent.events if each["event"] == "server.address_taken"]
        assert [(each["use"], each["level"]) for each in said] == [("pages", "warning"), ("probes", "warning")]
        assert agent.end() == 143
    finally:
        for one in taken:
            one.close()


def test_off_serves_nothing(stage: Stage) -> None:
    agent = stage.start_agent("--listen", "off", "--probes", "off")
    assert served(agent) == {}
    assert not [each for each in agent.events if each["event"].startswith("server.")]
    assert agent.end() == 143
