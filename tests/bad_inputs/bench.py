"""The bench on which bad input is tried: a repository in an empty folder, a sandbox, and real commands in processes.

Each command is a process of its own (forked from one that has imported everything, :mod:`tests.sessions.spawner`), so
its exit status, its output, its processor time and its memory are those that a person would see; what it sent is read
from the sandbox's own log. :meth:`Ran.sound` asserts what the design asks of every row.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.sandbox.command_log import VARIABLE
from tests.sessions.session import ROOT, Processes, first_line

TOKEN = "canary-4c1d9e77aa"
SECONDS_MAX = 2.0
"""Of processor time, on a core that does the yardstick's work in ``YARDSTICK_SECONDS``; a slower one has more."""
YARDSTICK_SECONDS = 0.028
MEBIBYTES_MAX = 256
_READS = frozenset({"GET", "HEAD"})

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: ../state.db
targets:
  lake:
    platform: dataos
    server: SERVER
    credentials: {token: {env: DATAOS_TOKEN}}
    folder: manifests
    defaults: {workspace: analytics}
    budget: off
"""
NEIGHBOUR = "name: neighbour\nversion: v1\ntype: depot\ndepot: {type: S3}\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command ended. ``requests`` are those that the sandbox saw meanwhile."""

    words: tuple[str, ...]
    status: int
    out: str
    err: str
    seconds: float
    mebibytes: float
    requests: tuple[dict[str, Any], ...] = ()

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """Every problem that the JSON output tells: of a plan, of passes, of targets' errors and of the command's."""
        document = self.document
        errors = [*document.get("errors", ()), *([document["error"]] if "error" in document else ())]
        holders = [document, *document.get("passes", ()), *errors]
        return [*errors, *(each for holder in holders for each in holder.get("problems", ()))]

    @property
    def writes(self) -> list[str]:
        """What it sent that is no read, in order."""
        return [f"{each['method']} {each['path']}" for each in self.requests if each["method"] not in _READS]

    def sound(self, status: int | None = None, *, writes: int = 0, mebibytes: float = MEBIBYTES_MAX) -> Ran:
        """Itself, when it is as every row wants it: told in words, in time, in little memory, nothing sent."""
        told = f"`{' '.join(self.words)}` ended with {self.status}:\n{self.out[-3000:]}\n{self.err[-3000:]}"
        assert status is None or self.status == status, told
        assert self.status >= 0, f"a dead process: {told}"
        for text in (self.out, self.err):
            assert "Traceback" not in text, told
            assert "[internal]" not in text and '"internal"' not in text, told
            assert TOKEN not in text, "the credential is in the output"
        assert len(self.writes) == writes, (self.writes, told)
        if self.seconds > SECONDS_MAX:
            allowed = SECONDS_MAX * max(1.0, _yardstick() / YARDSTICK_SECONDS)
            assert self.seconds <= allowed, f"{self.seconds:.1f} s of processor time, {allowed:.1f} allowed: {told}"
        assert self.mebibytes <= mebibytes, f"{self.mebibytes:.0f} MiB: {told}"
        return self


def _yardstick() -> float:
    """Seconds of processor time that a fixed piece of work takes here and now, the median of nine: a core whose twin
    is busy does half of what it does alone, and a command's time tells that as if it were the command's own."""
    text = "[" + '"12", 34, {"a": null}, ' * 2000 + "0]"
    taken = []
    for _ in range(9):
        started = time.process_time()
        for _ in range(20):
            sum(len(value) if isinstance(value, dict) else int(value) for value in json.loads(text))
        taken.append(time.process_time() - started)
    return statistics.median(taken)


class Bench:
    """One repository beside one sandbox. ``server`` is where that listens."""

    def __init__(self, folder: Path, processes: Processes, server: str = "http://127.0.0.1:9") -> None:
        self.folder = folder
        self.processes = processes
        self.server = server
        self.repository = folder / "repo"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.repository.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(ROOT),
            "DATAOS_TOKEN": TOKEN,
            **{name: os.environ[name] for name in (VARIABLE,) if name in os.environ},
        }
        self.requests_log: Path | None = None
        self.write("datakeel.yaml", CONFIG.replace("SERVER", server))

    def write(self, path: str, content: str | bytes) -> Path:
        """A file of the repository; ``‸``, the mark of a place, is left out."""
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.replace("‸", "").encode())
        return file

    def run(self, *words: str, folder: Path | None = None, **environment: str | None) -> Ran:
        """A command in the repository; ``environment`` changes its variables, None takes one away."""
        changed = {name: value for name, value in {**self.environment, **environment}.items() if value is not None}
        before = self._seen()
        ended = self.processes.run(words, folder or self.repository, changed, self.folder)
        texts = [ended[stream].decode("utf-8", "surrogateescape") for stream in ("out", "err")]
        return Ran(
            words, ended["status"], *texts, ended["seconds"], ended["mebibytes"], tuple(self._seen()[len(before) :])
        )

    def commit(self, message: str = "all of it") -> str:
        """Everything in the repository as a commit on `main`; its id."""
        if not (self.repository / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str, stdin: bytes = b"", folder: Path | None = None) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        person = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *person, *words],
            cwd=folder or self.repository,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="replace").strip()

    def _seen(self) -> list[dict[str, Any]]:
        if self.requests_log is None or not self.requests_log.exists():
            return []
        return [json.loads(line) for line in self.requests_log.read_text(encoding="utf-8").splitlines()]


class Sandbox:
    """A sandbox in a process of its own, with its controls open."""

    def __init__(self, folder: Path, processes: Processes, platform: str = "dataos", **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._processes = processes
        self.requests_log = folder / "requests"
        out = folder / "sandbox-out"
        out.touch()
        words = ["sandbox", "--platform", platform, "--port", "0", "--control", "--no-limits", "--token", TOKEN]
        self._pid = processes.ask(
            "start",
            words=[*words, "--requests-log", str(self.requests_log)],
            folder=str(folder),
            environment={name: os.environ[name] for name in ("PATH", VARIABLE) if name in os.environ},
            stdout=str(out),
            stderr=str(folder / "sandbox-err"),
        )
        self.server = first_line(out).split()[2]
        self.control("PUT", "switches", {"ready_after": 0})

    def control(self, method: str, what: str, body: Any = None) -> Any:
        """``/_sandbox/…``: faults, switches, persons."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server}/_sandbox/{what}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def stop(self) -> None:
        self._processes.ask("stop", pid=self._pid)


class Benches:
    """As many benches as wanted, around one spawner and one sandbox."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder = folder
        self.processes = processes
        self.sandbox = Sandbox(folder / "sandbox", processes)
        self._made = 0

    def new(self) -> Bench:
        self._made += 1
        bench = Bench(self._folder / str(self._made), self.processes, self.sandbox.server)
        bench.requests_log = self.sandbox.requests_log
        return bench


def place_of(text: str) -> tuple[int, int] | None:
    """Line and column of ``‸``, from 1; None where there is none."""
    before, mark, _ = text.partition("‸")
    return (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else None
