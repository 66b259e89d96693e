"""The only place that runs git, through GitPython's command runner, in a room without any of the outside's settings.

Called by ``objects`` and ``mirror``. Every command line is spelled out here or by them; of GitPython nothing but
``git.cmd.Git.execute`` is used. It copies ``os.environ`` and its ``env=`` can only add, so the command starts with
``env -i``; its ``kill_after_timeout`` needs ``ps``, so the child leads its own session and our deadline kills that.
Never a shell, never a secret on a command line or in an environment, never a prompt.
"""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.clock import SystemClock
from agent.errors import SourceError
from agent.source.failures import failure, over_limit

READ_DEADLINE_SECONDS = 60.0
_STDERR_KEPT = 1 << 14
_PIECE = 1 << 18
SAFE_PATH = "/usr/bin:/bin"
_CLOCK = SystemClock()  # a real child lives in real time, whatever clock the rest of the agent is given
_IMPORT_LOCK = threading.Lock()
_LIMITS = (("as", 1 << 30), ("fsize", 1 << 30), ("nofile", 256), ("cpu", 120), ("core", 0))

_VARIABLES = {
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "core.symlinks=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.bigFileThreshold=1m",
    "core.packedGitWindowSize=32m",
    "core.packedGitLimit=128m",
    "credential.helper=",
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "protocol.version=2",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "submodule.recurse=false",
    "pack.threads=1",
    "log.showSignature=false",
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a command may reach: by default nothing outside the repository's own files."""

    protocol: str = "none"
    settings: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()  # open file descriptors that the child keeps
    secrets: tuple[str, ...] = field(default=(), repr=False)  # scrubbed from whatever git says


OFFLINE = Access()


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended; its output is complete."""

    status: int
    output: bytes
    stderr: bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def failure(self, what: str) -> SourceError:
        return failure(what, self.status, self.stderr, self.secrets)


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git commands on one repository. ``safe`` names folders that another user may own."""

    git_dir: Path
    safe: tuple[Path, ...] = ()

    def start(
        self,
        words: Sequence[str],
        *,
        access: Access = OFFLINE,
        stdin: int | None = None,
        deadline_seconds: float = READ_DEADLINE_SECONDS,
    ) -> Child:
        """Start a command; use the child as a context manager, so that it never outlives its use."""
        runner, refused = _runner()
        command = [*_limits(), *_room(access), _program(), "--no-pager", f"--git-dir={self.git_dir}"]
        for setting in (*_SETTINGS, *(f"safe.directory={path}" for path in self.safe), *access.settings):
            command += ("-c", setting)
        try:
            process = runner.execute(
                [*command, *words],
                istream=stdin,
                as_process=True,
                start_new_session=True,
                pass_fds=access.inherited,
            )
        except (OSError, refused) as error:
            raise SourceError("git could not be started", code="git-missing", why=type(error).__name__) from None
        return Child(process, words[0], deadline_seconds, access.secrets)

    def run(
        self,
        words: Sequence[str],
        *,
        access: Access = OFFLINE,
        stdin: int | None = None,
        deadline_seconds: float = READ_DEADLINE_SECONDS,
        output_max: int = 1 << 24,
    ) -> Finished:
        """Run a command to its end. Its exit status is the caller's to judge; too much output is an error."""
        with self.start(words, access=access, stdin=stdin, deadline_seconds=deadline_seconds) as child:
            output = bytearray()
            for piece in child.output():
                output += piece
                if len(output) > output_max:
                    raise over_limit(f"`git {words[0]}` says too much", f"more than {output_max:,} bytes")
            status = child.finish()
            return Finished(status, bytes(output), child.stderr, access.secrets)


class Child:
    """A running git command. The deadline counts only the time spent waiting for it, not the reader's own work."""

    def __init__(self, process: Any, name: str, deadline_seconds: float, secrets: tuple[str, ...]) -> None:
        self._process = process
        self._name = name
        self._deadline = deadline_seconds
        self._left = deadline_seconds
        self._secrets = secrets
        self._said = bytearray()
        self._out: int = process.stdout.fileno()
        self._err: int = process.stderr.fileno()
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)
        self._err_open = True

    @property
    def stderr(self) -> bytes:
        return bytes(self._said)

    def output(self) -> Iterator[bytes]:
        """Pieces of standard output until its end."""
        while piece := self._next():
            yield piece

    def finish(self) -> int:
        """Wait for the end, after the output was read; the exit status, negative for a signal."""
        while self._err_open:
            self._next(output=False)
        try:
            return int(self._process.proc.wait(timeout=max(self._left, 1.0)))
        except subprocess.TimeoutExpired:
            raise self._late() from None

    def failure(self, what: str, status: int) -> SourceError:
        return failure(what, status, self.stderr, self._secrets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process.proc
        if process is None:
            return
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _next(self, *, output: bool = True) -> bytes:
        while True:
            started = _CLOCK.monotonic()
            ready = self._poll.poll(max(self._left, 0) * 1000)
            self._left -= _CLOCK.monotonic() - started
            if not ready:
                raise self._late()
            for descriptor, _ in ready:
                if descriptor == self._err:
                    self._hear()
                elif output:
                    piece = os.read(self._out, _PIECE)
                    if not piece:
                        self._poll.unregister(self._out)
                    return piece
            if not output:
                return b""

    def _hear(self) -> None:
        piece = os.read(self._err, _PIECE)
        if not piece:
            self._poll.unregister(self._err)
            self._err_open = False
        self._said += piece
        del self._said[:-_STDERR_KEPT]

    def _late(self) -> SourceError:
        return over_limit(f"`git {self._name}` did not end in time", f"the limit is {self._deadline:g} seconds")


def _room(access: Access) -> list[str]:
    variables = _VARIABLES | {"PATH": _path(), "GIT_ALLOW_PROTOCOL": access.protocol} | dict(access.variables)
    return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())]


def _limits() -> list[str]:
    prlimit = shutil.which("prlimit", path=SAFE_PATH)
    if prlimit is None:
        return []
    return [prlimit, *(f"--{name}={_within_hard_limit(name, value)}" for name, value in _LIMITS), "--"]


def _within_hard_limit(name: str, value: int) -> int:
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _program() -> str:
    program = next((found for folder in _folders() if (found := shutil.which("git", path=folder))), None)
    if program is None:
        raise SourceError(
            "git is not installed", code="git-missing", fix="install git 2.32 or newer, and put it on PATH"
        )
    return program


def _path() -> str:
    return ":".join(dict.fromkeys([*SAFE_PATH.split(":"), str(Path(_program()).parent)]))


def _folders() -> list[str]:
    # Relative folders of PATH would let a checked-out file named `git` be run.
    outside = os.environ.get("PATH", "").split(":")
    return [*SAFE_PATH.split(":"), *(folder for folder in outside if folder.startswith("/"))]


_loaded: list[tuple[Any, type[Exception]]] = []


def _runner() -> tuple[Any, type[Exception]]:
    """GitPython's runner. Importing it obeys GIT_PYTHON_*, so it sees none of GIT_*, and runs ``git version`` with all
    of our environment, secrets too, and with a person's ``.gitconfig``, of which one that git cannot read would end the
    import. So it is told of a git that does not exist; our commands name theirs themselves."""
    with _IMPORT_LOCK:
        if not _loaded:
            hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
            told = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent/git"}
            os.environ.update(told)
            try:
                from git.cmd import Git as Runner
                from git.exc import GitError
            finally:
                for name in told:
                    del os.environ[name]
                os.environ.update(hidden)
            _loaded.append((Runner("/"), GitError))
        return _loaded[0]
