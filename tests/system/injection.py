"""Faults of single system calls in a real process, through strace: the Nth write fails, or the process dies at it.

A program is started a thousand times here, and most of its time would go into imports. So one process has it loaded and
forks; a fork that is to be hit stops itself until strace holds it.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# What a store's files are changed and made durable by. Nothing else in the agent writes with these.
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "link", "unlink")
LOADED = ["agent.cli.main", "agent.cli.verbs.apply", "agent.cli.wiring", "agent.store.store", "agent.live.api"]
LOADED += [
    "agent.reconcile.once",
    "agent.report.text",
    "agent.json_schema",
    "agent.config.load",
    "tests.system.injection",
]
PATIENCE = 120.0
_CALL = re.compile(rf"^\d+ +({'|'.join(CALLS)})\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the ``number``-th call of a kind: ``kill``, or an errno such as ``EIO``.

    ``lasting``: at every one from there on, as on a disk that is full.
    """

    what: str
    call: str
    number: int
    lasting: bool = False

    @property
    def words(self) -> list[str]:
        effect = "signal=SIGKILL" if self.what == "kill" else f"error={self.what}"
        return ["-e", f"inject={self.call}:{effect}:when={self.number}{'+' if self.lasting else ''}"]

    def __str__(self) -> str:
        return f"{self.what} at {self.call} {self.number}{' and after' if self.lasting else ''}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: negative for a signal; ``told`` is standard output, ``said`` standard error."""

    status: int
    told: str
    said: str


@cache
def why_not() -> str:
    """Why no fault can be injected here; empty when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        attached = subprocess.run(
            ["timeout", "5", "strace", "-qq", "-p", str(sleeper.pid), "-e", "inject=all:signal=SIGKILL:when=1"],
            capture_output=True,
            check=False,
        )
        # It sleeps in a call already; strace lets go of it when its time is over.
        sleeper.kill()
    return "" if b"attach" not in attached.stderr else "this process may not trace others"


class Runs:
    """Runs `datakeel` verbs in forks of one process that has it loaded. ``folder`` takes what they print."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LOADED)

    def run(self, words: Sequence[str], cwd: Path, *more: str) -> Ended:
        """One verb to its end. ``more`` are words for strace; without any it runs untraced."""
        told, said = self._folder / "told", self._folder / "said"
        child = self._context.Process(target=_verb, args=(list(words), self._environ, str(cwd), told, said, bool(more)))
        child.start()
        assert child.pid is not None
        tracer = _attached(child.pid, more) if more else None
        child.join(PATIENCE)
        if child.exitcode is None:
            child.kill()
            child.join()
        if tracer is not None:
            tracer.wait(timeout=30)
        assert child.exitcode is not None
        return Ended(child.exitcode, told.read_text(errors="replace"), said.read_text(errors="replace"))

    def calls(self, words: Sequence[str], cwd: Path) -> Counter[str]:
        """How often a verb makes each of the calls when nothing goes wrong."""
        trace = self._folder / "trace"
        ended = self.run(words, cwd, "-o", str(trace))
        assert ended.status == 0, ended
        return Counter(_CALL.findall(trace.read_text(encoding="utf-8", errors="replace")))

    def run_with(self, fault: Fault, words: Sequence[str], cwd: Path) -> Ended:
        """A verb with the fault; a killed one ends with -9."""
        return self.run(words, cwd, "-o", "/dev/null", *fault.words)


def _attached(pid: int, more: Sequence[str]) -> subprocess.Popen[bytes]:
    """strace, holding the stopped process, which then goes on."""
    status = Path(f"/proc/{pid}/status")
    _until(lambda: "\nState:\tT" in status.read_text())
    words = ["strace", "-f", "-qq", "-p", str(pid), "-e", f"trace={','.join(CALLS)}", *more]
    tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _until(lambda: "\nTracerPid:\t0\n" not in status.read_text())
    os.kill(pid, signal.SIGCONT)
    return tracer


def _until(holds: Any) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "strace does not take hold"
        time.sleep(0.002)


def _verb(words: list[str], environ: dict[str, str], cwd: str, told: Path, said: Path, waits: bool) -> None:
    """In the fork: become the command, as far as anybody can tell from outside."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for number, path in ((0, Path(os.devnull)), (1, told), (2, said)):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(path, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, mode, closefd=False), encoding="utf-8", line_buffering=True)
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    if waits:
        os.kill(os.getpid(), signal.SIGSTOP)
    from agent.cli.main import main

    status = main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
