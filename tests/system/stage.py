"""Real processes for the system tests: a sandbox, a git repository and agents in one folder, all ended in the end.

Every child writes into files, so that nothing is lost when it is killed and no pipe can fill up.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
TOKEN = "system-token-7d41"
PATIENCE = 60.0
Answer = TypeVar("Answer")

CONFIG = """\
apiVersion: datakeel/v1
source: {{{source}, interval: {interval}}}
state: sqlite:///{state}
targets:
  main:
    platform: dataos
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    secrets: {{lake: {{env: LAKE_PASSWORD}}}}
    folder: manifests
    defaults: {{workspace: public}}
    prune: true
    drift: heal
    limits: {{deletes_max: 100, deletes_share_max: 1.0}}
    verify: 4s
    budget: off
    deadline: 5s
"""


def until(asked: Callable[[], Answer | None], what: str, seconds: float = PATIENCE) -> Answer:
    """The first answer that is true. An assertion fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = asked()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Agent:
    """One `datakeel run` and what it logged."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path) -> None:
        self.child = child
        self.log = log

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every complete line so far; one that is not a JSON object fails, and so does an end that nobody asked for."""
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        assert all(line.startswith("{") for line in lines), "\n".join(lines)
        assert self.child.poll() in (None, 143), f"ended with {self.child.poll()}: {lines[-3:]}"
        return [json.loads(line) for line in lines]

    def passes(self, revision: str | None = None, *, word: str = "pass.finished") -> list[dict[str, Any]]:
        """Its passes; only those over `revision` where one is given."""
        found = [event for event in self.events if event.get("event") == word]
        return [each for each in found if revision is None or revision.startswith(each["revision"] or "-")]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(timeout=30)


class Stage:
    """A folder in which all of it plays. Use it with `with`: it ends every child that it started."""

    source = "path: ."

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.state = folder / "state.db"
        self.platform_state = folder / "platform.db"
        self.requests_log = folder / "requests.jsonl"
        self.server = ""
        self.port = 0
        self.children: list[subprocess.Popen[bytes]] = []
        self._logs = 0

    def __enter__(self) -> Stage:
        self.repository.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
        for child in self.children:
            child.wait()

    def start_sandbox(self, platform: str | Sequence[str] = "dataos", **switches: Any) -> subprocess.Popen[bytes]:
        """The platform, or several, each below its name; once started it comes back at the same address, with all that
        it held."""
        log = self.folder / f"sandbox-{self._logs}.log"
        named = [platform] if isinstance(platform, str) else platform
        words = ["sandbox", *(word for name in named for word in ("--platform", name))]
        words += ["--port", str(self.port), "--token", TOKEN]
        words += ["--no-limits", "--control"]
        words += ["--state", str(self.platform_state), "--requests-log", str(self.requests_log)]
        child = self._child(words, log)

        def listening() -> str | None:
            assert child.poll() is None, log.read_text()
            line = log.read_text()
            return line if "\n" in line else None

        self.server = until(listening, "the sandbox listens").split()[2]
        self.port = int(self.server.rpartition(":")[2])
        if switches:
            self.call("PUT", "/_sandbox/switches", switches)
        return child

    def configure(self, interval: str = "2s") -> None:
        text = CONFIG.format(source=self.source, state=self.state, server=self.server, interval=interval)
        (self.repository / "datakeel.yaml").write_text(text, encoding="utf-8")

    def commit(self, files: Mapping[str, str | None], message: str = "a change") -> str:
        """Write files below `manifests` (None removes one) and commit. Returns the commit's id."""
        for path, content in files.items():
            place = self.repository / "manifests" / path
            if content is None:
                place.unlink()
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(content, encoding="utf-8")
        self.git("add", "-A")
        author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        self.git(*author, "commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.repository), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def before_the_end(self) -> None:
        """What is to be looked at while an agent of a long day still runs."""

    def start_agent(self, *more: str) -> Agent:
        self._logs += 1
        log = self.folder / f"agent-{self._logs:04d}.log"
        words = ["run", "--config", str(self.repository / "datakeel.yaml"), "--log", "json", *more]
        return Agent(self._child(words, log), log)

    def datakeel(self, *words: str, module: str = "agent") -> subprocess.CompletedProcess[str]:
        """One verb, run to its end with this stage's configuration."""
        return subprocess.run(
            [sys.executable, "-m", module, *words, "--config", str(self.repository / "datakeel.yaml")],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            cwd=self.repository,
            env=environment(),
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A person's own request to the platform."""
        request = urllib.request.Request(
            self.server + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "User-Agent": "a person"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object as the platform shows it, or None."""
        try:
            return dict(self.call("GET", f"/v1/resources/{kind}/{name}?workspace=public"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def requests(self) -> list[dict[str, Any]]:
        """The agent's requests so far, as the sandbox saw them."""
        entries = [json.loads(line) for line in self.requests_log.read_text().split("\n")[:-1]]
        return [entry for entry in entries if entry["agent"] != "a person"]

    def live(self) -> dict[str, dict[str, Any]]:
        """What the platform holds, read from its own file: secrets too, which no answer shows."""
        rows = _rows(self.platform_state, "SELECT type, scope, name, record FROM records WHERE platform = 'dataos'")
        records = {f"{kind}/{scope}/{name}": json.loads(record) for kind, scope, name, record in rows}
        return {key: record["written"] for key, record in records.items() if "written" in record}

    def inventory(self) -> set[str]:
        return {name for (name,) in _rows(self.state, "SELECT name FROM inventory")}

    def open_intents(self) -> list[tuple[str, str, str]]:
        """Id, action and name of each call whose end is not known."""
        return list(_rows(self.state, "SELECT op_id, action, name FROM journal WHERE closed_at IS NULL"))

    def _child(self, words: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as stream:
            child = subprocess.Popen(
                [sys.executable, "-m", "agent", *words],
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env=environment(),
            )
        self.children.append(child)
        return child


def environment() -> dict[str, str]:
    """Ours, with what the configuration refers to, and able to find the package from any folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATAKEEL_")}
    return inherited | {"DATAOS_TOKEN": TOKEN, "LAKE_PASSWORD": "canary-lake-5519", "PYTHONPATH": str(ROOT)}


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Read-only, beside a living writer; nothing where there is no such file or table yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def workflow(name: str, cron: str = "0 1 * * *", tags: tuple[str, ...] = ()) -> str:
    """A native manifest that stands for itself."""
    return json.dumps(
        {
            "name": name,
            "version": "v1",
            "type": "workflow",
            "workspace": "public",
            "tags": list(tags),
            "workflow": {"schedule": {"cron": cron}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]},
        },
        indent=1,
    )
