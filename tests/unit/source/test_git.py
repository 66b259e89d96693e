import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.git import Access, Git
from tests.unit.source.conftest import Repo


def test_a_command_sees_nothing_of_our_environment(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAKEEL_CANARY", "sesame")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nonexistent")
    finished = Git(repo.path / ".git").run(["-c", "alias.show=!env", "show-environment"])
    assert finished.status != 0
    shown = Git(repo.path / ".git").run(["-c", "alias.environment=!env", "environment"]).output.decode()
    assert "GIT_ALLOW_PROTOCOL=none" in shown
    assert "HOME=/nonexistent" in shown
    assert "sesame" not in shown
    assert "LD_LIBRARY_PATH" not in shown


def test_a_command_works_under_limits_of_its_own(repo: Repo) -> None:
    shown = Git(repo.path / ".git").run(["-c", "alias.limits=!cat /proc/self/limits", "limits"]).output.decode()
    limits = {line[:26].strip(): line[26:].split()[0] for line in shown.splitlines()}
    assert limits["Max address space"] == str(1 << 30)
    assert limits["Max open files"] == "256"
    assert limits["Max core file size"] == "0"


def test_a_command_that_takes_too_long_is_killed_with_all_its_children(repo: Repo, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    git = Git(repo.path / ".git")
    with pytest.raises(SourceError) as caught:
        git.run(["-c", f"alias.slow=!sh -c 'echo $$ > {mark}; sleep 60' & wait", "slow"], deadline_seconds=0.3)
    assert caught.value.error_code == "git-limit"
    assert "0.3 seconds" in str(caught.value.why)
    pid = int(mark.read_text())
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the grandchild outlived its command")


def test_only_the_time_spent_waiting_counts_against_the_deadline(repo: Repo) -> None:
    git = Git(repo.path / ".git")
    with git.start(["-c", "alias.two=!echo one; sleep 0.1; echo two", "two"], deadline_seconds=0.4) as child:
        output = child.output()
        assert next(output) == b"one\n"
        time.sleep(0.5)  # the reader is busy with what it has
        assert next(output) == b"two\n"
        assert list(output) == []
        assert child.finish() == 0


def test_much_said_on_both_streams_blocks_nobody(repo: Repo) -> None:
    noise = "-c", "alias.noise=!head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero", "noise"
    finished = Git(repo.path / ".git").run(list(noise))
    assert len(finished.output) == 300_000
    assert len(finished.stderr) <= 1 << 14


def test_output_without_end_is_cut(repo: Repo) -> None:
    with pytest.raises(SourceError) as caught:
        Git(repo.path / ".git").run(["-c", "alias.noise=!cat /dev/zero", "noise"], output_max=100_000)
    assert caught.value.error_code == "git-limit"


def test_only_the_named_descriptors_are_inherited(repo: Repo) -> None:
    kept = os.memfd_create("kept")
    other = os.memfd_create("other", 0)  # inheritable by carelessness
    os.write(kept, b"through the descriptor")
    words = ["-c", f"alias.look=!cat /proc/self/fd/{kept}; test -e /proc/self/fd/{other} && echo LEAK; true", "look"]
    try:
        finished = Git(repo.path / ".git").run(words, access=Access(inherited=(kept,)))
    finally:
        os.close(kept)
        os.close(other)
    assert finished.output == b"through the descriptor"


def test_errors_hold_no_command_line(repo: Repo) -> None:
    access = Access(settings=("http.extraHeader=sesame",), secrets=("sesame",))
    finished = Git(repo.path / ".git").run(["-c", "alias.bad=!echo fatal: sesame >&2; exit 3", "bad"], access=access)
    error = finished.failure("it does not work")
    assert finished.status == 3
    assert error.why == "fatal: ***"
    assert "sesame" not in f"{error!r}{error.what}{error.fix}{error.got}"
    assert error.__cause__ is None


def test_the_runner_starts_no_git_of_its_own_with_our_environment(tmp_path: Path) -> None:
    fake = tmp_path / "git"
    fake.write_text(f"#!/bin/sh\nenv > {tmp_path / 'environment'}\n")
    fake.chmod(0o755)
    script = "from agent.source.git import _runner; _runner(); import os; print(sorted(os.environ))"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GIT_DIR": "/x", "TOKEN": "canary"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (tmp_path / "environment").exists()
    assert "'GIT_DIR'" in done.stdout
    assert "GIT_PYTHON" not in done.stdout
