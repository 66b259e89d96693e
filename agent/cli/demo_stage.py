"""The stage of the demo: one sandbox, one repository and one agent, all real, in a temporary folder.

Made by :func:`agent.cli.demo.staged`. It starts and stops the processes, reads the agent's log and the sandbox's record
of changes, and lets people commit and click. What they do, and what is told of it, is not decided here. Nothing outside
the folder is read or written.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agent import yaml_io
from agent.cli.samples import CODE, SCRIPT, Script, Swap, sample_folder
from agent.cli.sandbox_targets import sandbox_targets, variables
from agent.cli.verbs.sandbox import TOKEN
from agent.errors import AgentError

PATIENCE = 60.0
_TARGET = {"prune": True, "drift": "heal", "verify": "4s", "budget": "off"}


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the agent's log, and when it came."""

    at: float
    words: Mapping[str, Any]


class Stage:
    """Everything that is on stage. Use it between :meth:`start` and :meth:`stop`."""

    def __init__(self, folder: Path, scripts: Sequence[Script]) -> None:
        self.repository = folder / "repository"
        self.requests_log = folder / "requests.jsonl"
        self.scripts = scripts
        self.address = ""
        self.targets: dict[str, dict[str, Any]] = {}
        self.commits: list[dict[str, Any]] = []
        self.events: list[Event] = []
        self._state = folder / "state.db"
        self._queue: queue.Queue[Event] = queue.Queue()
        self._children: list[subprocess.Popen[str]] = []
        self._plain: list[str] = []  # what the agent says besides its log: why it ended

    # Processes

    def start(self) -> None:
        """Sandbox first, then the repository with its configuration; the agent starts with the first act."""
        if shutil.which("git") is None:
            raise AgentError("git is not installed", code=CODE, fix="install git, then try again")
        names = [script.platform for script in self.scripts]
        chosen = [word for name in names for word in ("--platform", name)]
        log = ("--requests-log", str(self.requests_log))
        sandbox = self._child("sandbox", "--port", "0", "--no-limits", "--control", *log, *chosen)
        line = sandbox.stdout.readline() if sandbox.stdout else ""
        if not line.startswith("listening on "):
            raise AgentError("the sandbox did not start", code=CODE, got=line.strip()[:200] or None)
        self.address = line.split()[2]
        self.targets = {
            name: {**target, **_TARGET}
            for name, target in sandbox_targets(names, self.address, sample_folder()).items()
        }
        self._make_repository()

    def start_agent(self) -> None:
        serving = ("--listen", "127.0.0.1:0", "--probes", "off")
        agent = self._child("run", "--config", str(self.repository / "datakeel.yaml"), "--log", "json", *serving)
        for stream in (agent.stdout, agent.stderr):
            threading.Thread(target=self._follow, args=(stream,), daemon=True).start()

    def stop(self) -> None:
        for child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def wait(self) -> None:
        """Until the user interrupts: what ``--keep`` does."""
        for child in self._children:
            child.wait()

    # People

    def commit(self, message: str) -> str:
        """Commit what the files say. Returns the new revision."""
        self._git("add", "-A")
        self._git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", message)
        return self._git("rev-parse", "HEAD").strip()

    def edit(self, platform: str, swap: Swap) -> None:
        """Change some text of a manifest."""
        path = self.repository / "manifests" / platform / swap.file
        text = path.read_text(encoding="utf-8")
        if swap.before not in text:
            raise AgentError(f"{platform}/{SCRIPT}: {swap.file} does not hold {swap.before!r}", code=CODE)
        path.write_text(text.replace(swap.before, swap.after), encoding="utf-8")

    def remove(self, platform: str, file: str) -> None:
        (self.repository / "manifests" / platform / file).unlink()

    def click(self, platform: str, words: Mapping[str, Any]) -> None:
        """A person does something in the platform's own pages."""
        self._ask("/_sandbox/person", {"person": "Bo", "platform": platform, **words})

    def datakeel(self, *words: str) -> str:
        """What another verb prints."""
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words, "--config", str(self.repository / "datakeel.yaml")],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.repository,
            env=self._environment(),
        )
        return done.stdout

    # What happened

    @property
    def page(self) -> str:
        """Where the agent's page is; empty until it says so."""
        told = (each.words for each in self.events if each.words.get("event") == "server.listening")
        return next((str(words["address"]) for words in told if words.get("use") == "pages"), "")

    def until(self, done: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        """Wait until it is done, looking whenever the agent says something. False when it is not done in time."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                self.events.append(self._queue.get(timeout=min(left, 1.0)))
            except queue.Empty:
                if any(child.poll() is not None for child in self._children):
                    told = self._plain[-1][:200] if self._plain else None
                    raise AgentError("a part of the demo ended early", code=CODE, got=told) from None
        return True

    def changes(self, platform: str) -> list[dict[str, Any]]:
        """All that changed on a platform so far, by the agent and by people, as its emulator recorded it."""
        self.commits += self._ask(f"/_sandbox/commits?after={len(self.commits)}")
        return [commit for commit in self.commits if commit["platform"] == platform]

    def requests(self, platform: str) -> list[dict[str, Any]]:
        """The agent's requests to a platform so far."""
        first = "" if len(self.scripts) == 1 else f"/{platform}/"
        lines = self.requests_log.read_text(encoding="utf-8").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["path"].startswith(first)]

    def exports(self) -> str:
        """The variables that the configuration reads, as a shell sets them."""
        return " ".join(f"{name}={TOKEN}" for name in variables(self.targets))

    def _follow(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            try:
                words = json.loads(line)
            except ValueError:
                self._plain.append(line.strip())
                continue
            if isinstance(words, dict):
                self._queue.put(Event(time.monotonic(), words))

    def _ask(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the sandbox's, on loopback
            self.address + path,
            method="GET" if body is None else "POST",
            data=None if body is None else json.dumps(body, default=float).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = error.read().decode("utf-8", "replace")[:200]
            raise AgentError(f"the sandbox refused {path.partition('?')[0]}", code=CODE, got=told) from error

    def _make_repository(self) -> None:
        for script in self.scripts:
            hidden = shutil.ignore_patterns(".*")
            shutil.copytree(script.folder, self.repository / "manifests" / script.platform, ignore=hidden)
        config = {
            "apiVersion": "datakeel/v1",
            "source": {"path": ".", "interval": "2s"},
            "state": f"sqlite:///{self._state}",
            "targets": self.targets,
        }
        (self.repository / "datakeel.yaml").write_text(yaml_io.dump(config), encoding="utf-8")
        self._git("init", "-q", "-b", "main")

    def _child(self, *words: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "agent", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if words[0] == "run" else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
            env=self._environment(),
        )
        self._children.append(child)
        return child

    def _environment(self) -> dict[str, str]:
        """Ours, with the sandbox's credentials, and able to find this package from any folder."""
        package = str(Path(__file__).resolve().parents[2])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATAKEEL_")}
        path = os.pathsep.join(filter(None, (package, inherited.get("PYTHONPATH"))))
        return inherited | dict.fromkeys(variables(self.targets), TOKEN) | {"PYTHONPATH": path}

    def _git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "commit.gpgsign=false", "-C", str(self.repository), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AgentError(f"git {words[0]} failed", code=CODE, got=done.stderr.strip()[:200])
        return done.stdout
