"""An agent over a published folder, as a sidecar: a real process on a machine without git, and a link that swaps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.stage import CONFIG, Agent, Stage, environment, until, workflow
from tests.unit.source.publishers import FIRST, SECOND, GitSync

NOWHERE = "/nonexistent/bin"
SEVERAL = """
import contextlib, io, json, sys
from agent.cli.main import main
ended = []
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(words)
    ended.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(ended))
"""


class Sidecar(Stage):
    """A stage whose repository is a folder that git-sync publishes; its commands find no git."""

    def configure(self, interval: str = "30s") -> None:
        source = f"mount: {self.folder / 'git/current'}"
        text = CONFIG.format(source=source, state=self.state, server=self.server, interval=interval)
        self.config = self.folder / "datakeel.yaml"
        self.config.write_text(text)
        self.git_sync = GitSync(self.folder / "git")

    def publish(self, commit: str, *names: str, cron: str = "0 1 * * *") -> None:
        files = {f"manifests/{name}.json": workflow(name, cron).encode() for name in names}
        self.git_sync.publish(commit, files)

    def without_git(self, *commands: str) -> list[tuple[int, str, str]]:
        """Verbs, one after the other in one process: how each ended, and what it said on either stream."""
        given = [[*command.split(), "--config", str(self.config)] for command in commands]
        done = subprocess.run(
            [sys.executable, "-c", SEVERAL, json.dumps(given)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment() | {"PATH": NOWHERE},
        )
        return [(status, out, err) for status, out, err in json.loads(done.stdout)]

    def run_without_git(self) -> Agent:
        log = self.folder / "agent.log"
        with log.open("wb") as stream:
            words = [sys.executable, "-m", "agent", "run", "--config", str(self.config), "--log", "json"]
            child = subprocess.Popen(
                words,
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env=environment() | {"PATH": NOWHERE},
            )
        self.children.append(child)
        return Agent(child, log)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Sidecar]:
    with Sidecar(tmp_path / "stage") as stage:
        stage.start_sandbox(ready_after=0.2)
        stage.configure()
        yield stage


def test_an_agent_follows_a_published_folder_on_a_machine_without_git(stage: Sidecar) -> None:
    assert not os.path.exists(NOWHERE)
    agent = stage.run_without_git()
    until(lambda: told(agent, "pass.failed"), "it says that nothing is there")
    stage.publish(FIRST, "a", "b")
    until(lambda: agent.passes(FIRST), "the first revision, long before the poll")
    assert {each["name"] for each in stage.live().values()} == {"a", "b"}

    stage.publish(SECOND, "a", cron="0 2 * * *")
    until(lambda: [each for each in agent.passes(SECOND) if not each["held"]], "the second")
    stage.git_sync.link.unlink()
    until(lambda: told(agent, "source.failed"), "it misses what was published")
    assert agent.end() == 143
    assert {each["name"] for each in stage.live().values()} == {"a"}

    stage.publish(FIRST, "a", "b")
    valid, before, applied, base = stage.without_git(
        "validate", "diff --detailed-exitcode", "apply --yes", "diff --base main"
    )
    assert (valid[0], valid[2]) == (0, "")
    assert before[0] == 2 and "current@1111111" in before[1]
    assert applied[0] == 0 and {each["name"] for each in stage.live().values()} == {"a", "b"}, applied[2]
    assert base[0] == 64 and "a published folder has none" in base[2] and "needs git" in base[2]


def told(agent: Agent, event: str) -> list[dict[str, object]]:
    return [each for each in agent.events if each["event"] == event and each["code"] == "source-unpublished"]
