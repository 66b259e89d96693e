"""The whole loop in a minute, for real: sandbox, git repository and agent as three parts in a temporary folder.

Called by the verb ``demo``. It plays the people (who commit, click and make mistakes) and tells what the agent does
about it, from the agent's own log. Nothing outside the folder is read or written; the sandbox is a process of its own.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from agent.errors import AgentError

_TOKEN = "sandbox-token"  # noqa: S105 - opens the sandbox on this machine's loopback and nothing else
_PATIENCE = 60.0

_CONFIG = """\
apiVersion: datakeel/v1
source: {{path: ., interval: 2s}}
state: sqlite:///{state}
targets:
  analytics:
    platform: dataos
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: manifests/dataos
    defaults: {{workspace: analytics}}
    prune: true
    drift: heal
    verify: 4s
    budget: off
"""


class Demo:
    """One telling. ``say`` gets each line; ``pause`` is how long people take between two acts, in seconds."""

    def __init__(self, folder: Path, say: Callable[[str], None], pause: float) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.requests = folder / "requests.jsonl"
        self.server = ""
        self._say = say
        self._pause = pause
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._children: list[subprocess.Popen[str]] = []

    def play(self) -> None:
        """All five acts. Raises AgentError when the agent does not do in time what it is for."""
        self._first_commit()
        self._edit()
        self._drift()
        self._removal()
        self._broken_commit()

    def start(self) -> None:
        """Sandbox first, then the repository with its configuration; the agent starts with the first act."""
        if shutil.which("git") is None:
            raise AgentError("git is not installed", code="demo-failed", fix="install git, then try again")
        self.repository.mkdir()
        sandbox = self._child("sandbox", "--port", "0", "--no-limits", "--requests-log", str(self.requests))
        line = sandbox.stdout.readline() if sandbox.stdout else ""
        if not line.startswith("listening on "):
            raise AgentError("the sandbox did not start", code="demo-failed", got=line.strip()[:200] or None)
        self.server = line.split()[2]
        shutil.copytree(_sample(), self.repository / "manifests")
        config = _CONFIG.format(state=self.folder / "state.db", server=self.server)
        (self.repository / "datakeel.yaml").write_text(config, encoding="utf-8")
        self._git("init", "-q", "-b", "main")

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

    def _first_commit(self) -> None:
        self._commit("the first nine resources")
        agent = self._child("run", "--config", str(self.repository / "datakeel.yaml"), "--log", "json")
        threading.Thread(target=self._follow, args=(agent.stdout,), daemon=True).start()
        threading.Thread(target=self._follow, args=(agent.stderr,), daemon=True).start()
        done = self._passed(lambda event: event.get("applied", 0) > 0)
        live = self._live()
        names = ", ".join(sorted(each["name"] for each in live)[:3])
        self._tell(1, "first commit", f"{len(live)} created in {done['calls']} calls", f"{names}, … are live")

    def _edit(self) -> None:
        path = self.repository / "manifests/dataos/daily-etl.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("0 2 * * *", "0 3 * * *"), encoding="utf-8")
        began = time.monotonic()
        self._commit("daily-etl an hour later")
        self._passed(lambda event: event.get("applied", 0) > 0)
        cron = self._get("workflow", "daily-etl")["spec"]["workflow"]["schedule"]["cron"]
        self._tell(
            2,
            "edit in git",
            f'daily-etl: "0 2 * * *" -> "{cron}"',
            f"live {time.monotonic() - began:.1f} s after the commit",
        )

    def _drift(self) -> None:
        document = self._get("workflow", "daily-etl")
        document["workflow"] = document.pop("spec")["workflow"]
        document["workflow"]["schedule"]["cron"] = "0 5 * * *"
        self._call("PUT", "/v1/resources/workflow/daily-etl?workspace=analytics", document)
        began = time.monotonic()
        self._passed(lambda event: event.get("applied", 0) > 0)
        cron = self._get("workflow", "daily-etl")["spec"]["workflow"]["schedule"]["cron"]
        self._tell(
            3,
            "drift",
            "someone sets daily-etl to 05:00 by hand",
            f'noticed and healed after {time.monotonic() - began:.0f} s: "{cron}"',
        )

    def _removal(self) -> None:
        (self.repository / "manifests/dataos/old-load.yaml").unlink()
        self._commit("old-load is done")
        self._passed(lambda event: event.get("applied", 0) > 0)
        gone = all(each["name"] != "old-load" for each in self._live())
        if not gone:
            raise AgentError("old-load is still live", code="demo-failed")
        self._tell(4, "file removed", "old-load deleted", "proof: made by us, marked, gone from a complete revision")

    def _broken_commit(self) -> None:
        broken = self.repository / "manifests/dataos/orders.yaml"
        broken.write_text(
            broken.read_text(encoding="utf-8").replace("tags: [sales]", "tagz: [sales]"), encoding="utf-8"
        )
        good = self.repository / "manifests/dataos/daily-etl.yaml"
        good.write_text(good.read_text(encoding="utf-8").replace("0 3 * * *", "0 4 * * *"), encoding="utf-8")
        self._commit("a typing mistake in orders, and daily-etl at four")
        self._passed(lambda event: event.get("applied", 0) > 0)
        checked = self._datakeel("validate")
        first = next((line for line in checked.splitlines() if ": error[" in line), "")
        cron = self._get("workflow", "daily-etl")["spec"]["workflow"]["schedule"]["cron"]
        self._tell(5, "broken commit", "orders is refused, its neighbours go on", f'daily-etl: "{cron}"')
        self._say(f"       {first}")

    def _tell(self, number: int, act: str, what: str, then: str) -> None:
        self._say(f"{number}/5  {act:<14} {what:<42} {then}")
        time.sleep(self._pause)

    def _passed(self, meant: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next pass that did what is meant, from the agent's log; everything before it is skipped."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                event = self._events.get(timeout=1.0)
            except queue.Empty:
                if any(child.poll() is not None for child in self._children):
                    raise AgentError("a part of the demo ended early", code="demo-failed") from None
                continue
            if event.get("event") == "pass.finished" and meant(event):
                return event
        raise AgentError(f"the agent did not act within {_PATIENCE:.0f} s", code="demo-failed")

    def _follow(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                self._events.put(event)

    def _live(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/v1/resources?limit=100")["data"])

    def _get(self, type_name: str, name: str) -> dict[str, Any]:
        return dict(self._call("GET", f"/v1/resources/{type_name}/{name}?workspace=analytics"))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """A person's own request to the sandbox."""
        request = urllib.request.Request(  # noqa: S310 - the address is the sandbox's, on loopback
            self.server + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json", "User-Agent": "a person"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

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

    def _datakeel(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words, "--config", str(self.repository / "datakeel.yaml")],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.repository,
            env=self._environment(),
        )
        return done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        """Ours, with the sandbox's token, and able to find this package from any folder."""
        package = str(Path(__file__).resolve().parents[2])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATAKEEL_")}
        path = os.pathsep.join(filter(None, (package, inherited.get("PYTHONPATH"))))
        return inherited | {"DATAOS_TOKEN": _TOKEN, "PYTHONPATH": path}

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", message)

    def _git(self, *words: str) -> None:
        done = subprocess.run(
            ["git", "-c", "commit.gpgsign=false", "-C", str(self.repository), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AgentError(f"git {words[0]} failed", code="demo-failed", got=done.stderr.strip()[:200])


@contextmanager
def staged(say: Callable[[str], None], pause: float) -> Iterator[Demo]:
    """A demo in a temporary folder; everything is stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="datakeel-demo-"))
    demo = Demo(folder, say, pause)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def next_commands(demo: Demo) -> str:
    """What to try while everything runs."""
    return f"""\
Everything keeps running. In another terminal:

  cd {demo.repository}
  export DATAOS_TOKEN={_TOKEN}
  datakeel status
  datakeel diff
  datakeel get Workflow/daily-etl
  datakeel logs Workflow/daily-etl --tail 5
  edit manifests/dataos/weekly.yaml, then  git commit -am "my change"

The platform answers on {demo.server}; each request is a line of {demo.requests}.
Ctrl-C ends the demo and removes its folder."""


def _sample() -> Path:
    """The sample manifests: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "sample", package.parent / "manifests"):
        if folder.is_dir():
            return folder
    raise AgentError("the sample manifests are not installed", code="demo-failed")
