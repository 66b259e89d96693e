"""S2 and S3 with a real agent: while its disk is full or broken it sends no call; afterwards it goes on by itself."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.injection import why_not
from tests.system.stage import Agent, Stage, until, workflow

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "never")


@contextmanager
def failing(agent: Agent, calls: str, error: str) -> Iterator[None]:
    """Inside the block these calls of the running agent fail."""
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(agent.child.pid), "-e", f"trace={calls}"]
    with subprocess.Popen([*words, "-e", f"inject={calls}:error={error}"]) as tracer:
        status = Path(f"/proc/{agent.child.pid}/status")
        until(lambda: "\nTracerPid:\t0\n" not in status.read_text(), "strace holds the agent")
        try:
            yield
        finally:
            tracer.terminate()
            try:
                tracer.wait(timeout=10)
            except subprocess.TimeoutExpired:
                # It lets go of one thread after the other, and waits for ever for one that waits for its vforked child:
                # that child is held too, by strace itself. The kernel lets go of all when there is no tracer.
                tracer.kill()


def asked(agent: Agent, name: str) -> int:
    """The status of what the agent tells of itself."""
    (probes,) = [each["address"] for each in agent.events if each.get("use") == "probes"]
    try:
        with urllib.request.urlopen(f"{probes}/{name}", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_no_call_is_sent_that_cannot_be_written_down_and_all_goes_on_afterwards(tmp_path: Path) -> None:
    with Stage(tmp_path / "stage") as stage:
        stage.start_sandbox(ready_after=0.0)
        stage.configure("1s")
        revision = stage.commit({"first.json": workflow("first")})
        agent = stage.start_agent("--probes", "127.0.0.1:0")
        until(lambda: agent.passes(revision), "the first pass")
        for name, calls, error in (("second", "pwrite64,ftruncate", "ENOSPC"), ("third", "fdatasync", "EIO")):
            with failing(agent, calls, error):
                before = len(stage.requests())
                later = stage.commit({f"{name}.json": workflow(name)})
                told = until(
                    lambda commit=later: agent.passes(commit, word="pass.failed"), "a pass that the store stops"
                )
                assert told[-1]["code"] == "store-failed"
                time.sleep(1.0)
                assert [entry for entry in stage.requests()[before:] if entry["method"] != "GET"] == []
                if error == "ENOSPC":
                    assert {name: asked(agent, name) for name in ("livez", "readyz", "metrics")} == {
                        "livez": 200,
                        "readyz": 503,
                        "metrics": 200,
                    }
            until(lambda wanted=name: stage.get("workflow", wanted), "it goes on by itself")
        until(lambda: not stage.open_intents(), "nothing is in doubt")
        made = [commit["name"] for commit in stage.call("GET", "/_sandbox/commits") if commit["before"] is None]
        assert sorted(made) == ["first", "second", "third"]
        assert agent.end() == 143
