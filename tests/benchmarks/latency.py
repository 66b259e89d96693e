"""How long until something is done: ``python -m tests.benchmarks.latency --size 10000 --repeat 20``.

A real agent beside a sandbox in another process, with everything live. From the moment in which a commit becomes the
tip of the branch, or a webhook is sent, to the first request that the sandbox writes down; and what the agent costs
while nothing happens. Lists and freshness reads are an hour away, so that nothing else is sent.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TypeVar

from tests.benchmarks import corpus
from tests.benchmarks.filled import fill
from tests.benchmarks.stage import TOKEN, config_of, sandbox

Answer = TypeVar("Answer")

SECRET = "hook-secret-of-the-benchmark"
_QUIET_SECONDS = 2.5  # between two measurements: an agent reads what events name once a second
_PATIENCE = 300.0
_CONFIG = """\
apiVersion: datakeel/v1
source: {{path: {repository}, interval: 1h}}
state: sqlite:///{folder}/agent.db
server: {{listen: "127.0.0.1:0"}}
targets:
  main:
    platform: dataos
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: {manifests}
    drift: heal
    verify: 30d
    budget: off
    hook: {{secret: {{file: {folder}/hook}}}}
"""


class Agent:
    """``datakeel run`` over the stage; its events and what it has used."""

    def __init__(self, folder: Path, log: Path) -> None:
        words = [sys.executable, "-m", "agent", "run", "--config", str(folder / "datakeel.yaml"), "--log", "json"]
        self._log = log
        with log.open("wb") as output:
            environment = os.environ | {"DATAOS_TOKEN": TOKEN}
            self.child = subprocess.Popen(words, stdout=output, stderr=output, env=environment)

    def event(self, name: str, count: int = 1) -> dict[str, object] | None:
        """The event of this name that came as the ``count``-th."""
        lines = self._log.read_text(encoding="utf-8").split("\n")[:-1]
        found = [each for line in lines if line.startswith("{") and (each := json.loads(line))["event"] == name]
        return found[count - 1] if len(found) >= count else None

    def cpu(self) -> float:
        words = Path(f"/proc/{self.child.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")

    def wakeups(self) -> int:
        found = 0
        for thread in Path(f"/proc/{self.child.pid}/task").iterdir():
            lines = (thread / "status").read_text(encoding="ascii").splitlines()
            found += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
        return found

    def megabytes(self) -> float:
        lines = Path(f"/proc/{self.child.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.latency", description=__doc__)
    parser.add_argument("--size", type=int, default=10_000, help="number of resources")
    parser.add_argument("--repeat", type=int, default=20, help="commits, and webhooks")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of doing nothing")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="datakeel-latency-") as folder:
        told = measure(Path(folder), arguments.size, arguments.repeat, arguments.idle)
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    for name in ("commit", "webhook"):
        taken = sorted(told[name])
        print(f"{name} to first call: p50 {median(taken):.0f} ms, p95 {taken[int(len(taken) * 0.95)]:.0f} ms, {taken}")
    print(f"idle: {told['idle'][0]:.2%} of a core, {told['idle'][1]:.1f} wake-ups a second, {told['idle'][2]:.0f} MB")
    return 0


def measure(folder: Path, size: int, repeat: int, idle: float) -> dict[str, list[float]]:
    """Milliseconds of each commit and webhook; of the idle agent its share of a core, wake-ups a second, megabytes."""
    first, second = corpus.build(folder / "repository", size)
    fill(folder, second, config_of(""), TOKEN)
    requests = folder / "requests.jsonl"
    (folder / "hook").write_text(SECRET + "\n", encoding="utf-8")
    (folder / "hook").chmod(0o600)
    with ExitStack() as stack:
        server = stack.enter_context(sandbox(folder, requests))
        words = {"repository": folder / "repository", "folder": folder, "manifests": corpus.FOLDER, "server": server}
        (folder / "datakeel.yaml").write_text(_CONFIG.format(**words), encoding="utf-8")
        agent = stack.enter_context(_running(folder))
        address = str(_until(lambda: agent.event("server.listening"))["address"])
        _until(lambda: agent.event("pass.finished"))
        time.sleep(_QUIET_SECONDS * 4)
        used, woken, began = agent.cpu(), agent.wakeups(), time.monotonic()
        time.sleep(idle)
        took = time.monotonic() - began
        told = {"idle": [(agent.cpu() - used) / took, (agent.wakeups() - woken) / took, agent.megabytes()]}

        tips = _history(folder / "repository", first, second, repeat)

        def commit(number: int) -> None:
            _git(folder / "repository", "update-ref", "refs/heads/main", tips[number])

        def event(number: int) -> None:
            resource = {
                "type": "workflow",
                "name": names[number % len(names)][0],
                "workspace": names[number % len(names)][1],
            }
            body = json.dumps({"event": "resource.updated", "resource": resource}).encode()
            hook = f"{address}/hooks/platform/main/{SECRET}"
            head = {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(hook, body, head), timeout=10).close()

        names = _workflows(size)
        for name, act in (("commit", commit), ("webhook", event)):
            told[name] = [_timed(requests, act, number) for number in range(repeat)]
    return told


def _history(repository: Path, first: str, second: str, length: int) -> list[str]:
    """Commits on top of ``second`` of which each changes one file, and changes it back."""
    tips = [second]
    for number in range(length):
        tree = (first, second)[number % 2] + "^{tree}"
        author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        tips.append(_git(repository, *author, "commit-tree", tree, "-p", tips[-1], "-m", "another minute"))
    return tips[1:]


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", repository, *words], check=True, capture_output=True, text=True).stdout.strip()


def _workflows(size: int) -> list[tuple[str, str]]:
    """Names and workspaces of nine workflows."""
    found = []
    for number, document in enumerate(islice(corpus.documents(size), 90)):
        words = dict(line.split(": ", 1) for line in document.splitlines()[:4] if ": " in line)
        if words.get("type") == "workflow" and number != 1:  # which the commits change
            found.append((words["name"], words["workspace"]))
    return found[:9]


def _timed(requests: Path, act: Callable[[int], None], number: int) -> float:
    """Milliseconds from an act to the first request that it leads to."""
    time.sleep(_QUIET_SECONDS)
    known = requests.stat().st_size
    began = time.time()
    act(number)
    _until(lambda: requests.stat().st_size > known)
    with requests.open("rb") as file:
        file.seek(known)
        entry = json.loads(file.readline())
    return round((float(entry["time"]) - began) * 1000, 1)


@contextmanager
def _running(folder: Path) -> Iterator[Agent]:
    agent = Agent(folder, folder / "agent.log")
    try:
        yield agent
    finally:
        agent.child.terminate()
        agent.child.wait(timeout=60)


def _until(asked: Callable[[], Answer | None]) -> Answer:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        answer = asked()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("nothing came of it in time")


if __name__ == "__main__":
    sys.exit(main())
