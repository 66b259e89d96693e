"""How much memory a real agent needs for so many manifests, beside a folder that has one too many (row L6).

    python -m tests.system.memory --manifests 10000

What is held against 256 MiB is what the memory limit of a container counts: the resident memory of the agent and of the
git processes that it starts, together, at their highest. RLIMIT_AS would count address space that nobody ever touches.
The peak of the agent itself is the kernel's own figure (VmHWM). That of all together is looked for every 20 ms,
as Pss: a child that has just been forked shares every page with the agent, and none of them is there twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.corpus import files
from tests.system.stage import Agent, Stage, until

MEBIBYTES_MAX = 256.0
_LOOK_SECONDS = 0.02
_BIG = """\
  big:
    platform: dataos
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: big
    defaults: {{workspace: public}}
    limits: {{manifests_max: {most}}}
    budget: off
"""


@dataclass
class Measured:
    """Mebibytes: the agent's own peak, and that of it and its children together. ``live``: objects on the platform."""

    agent: float = 0.0
    together: float = 0.0
    live: int = 0
    seconds: float = 0.0


def play(stage: Stage, manifests: int, patience: float) -> Measured:
    """Admission, apply and a commit of ``manifests`` in one target; another one's folder is over its limit."""
    stage.start_sandbox(ready_after=0.0)
    _arrange(stage, manifests)
    revision = stage.commit({})
    began, measured = time.monotonic(), Measured()
    agent = stage.start_agent()
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(agent, measured, over))
    looking.start()
    try:
        until(lambda: _done(agent, revision, "main"), "the first pass", patience)
        until(lambda: _done(agent, revision, "big"), "the pass over the folder that has one too many", patience)
        revision = stage.commit({"onemore.yaml": _depot("onemore")}, "one more")
        until(lambda: _done(agent, revision, "main"), "the pass over a commit", patience)
        measured.agent = _mebibytes(agent.child.pid, "VmHWM")
    finally:
        over.set()
        looking.join()
    assert agent.end() == 143
    measured.live, measured.seconds = len(stage.live()), time.monotonic() - began
    return measured


def judge(measured: Measured, manifests: int) -> list[str]:
    """What is not as the row says, in words; empty where all is."""
    found = []
    if measured.together > MEBIBYTES_MAX:
        found.append(f"{measured.together:.0f} MiB, at most {MEBIBYTES_MAX:.0f} are there")
    if measured.live != manifests + 1:
        found.append(
            f"{measured.live} objects are live, not the {manifests + 1} of the folder that is within its limit"
        )
    return found


def _arrange(stage: Stage, manifests: int) -> None:
    """Files and configuration of both targets."""
    stage.configure()
    config = stage.repository / "datakeel.yaml"
    text = config.read_text().replace(
        "deletes_share_max: 1.0}", f"deletes_share_max: 1.0, manifests_max: {manifests + 1}}}"
    )
    text = text.replace("verify: 4s", "verify: 1h")
    config.write_text(text + _BIG.format(server=stage.server, most=manifests))
    for path, content in files(manifests):
        place = stage.repository / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    (stage.repository / "big").mkdir()
    for number in range(manifests + 1):
        (stage.repository / "big" / f"{number:06d}.yaml").write_text(_depot(f"big{number}"))


def _depot(name: str) -> str:
    return f"name: {name}\nversion: v1\ntype: depot\ndepot: {{type: S3}}\n"


def _done(agent: Agent, revision: str, target: str) -> bool:
    return any(each["target"] == target for each in agent.passes(revision))


def _look(agent: Agent, measured: Measured, over: threading.Event) -> None:
    """The most that the agent and its children held together at one moment."""
    pid = agent.child.pid
    while not over.wait(_LOOK_SECONDS):
        tasks = Path(f"/proc/{pid}/task")
        children = [child for task in _listed(tasks) for child in _text(task / "children").split()]
        held = sum(_mebibytes(number, "Pss", "smaps_rollup") for number in (pid, *map(int, children)))
        measured.together = max(measured.together, held)


def _mebibytes(pid: int, word: str, file: str = "status") -> float:
    for line in _text(Path(f"/proc/{pid}/{file}")).splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _listed(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it ended between two looks
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.memory", description=__doc__)
    parser.add_argument("--manifests", type=int, default=10_000, help="in each of two folders (default 10000)")
    manifests = parser.parse_args().manifests
    with tempfile.TemporaryDirectory() as name, Stage(Path(name) / "stage") as stage:
        measured = play(stage, manifests, patience=3600.0)
    print(
        f"{manifests} manifests: at most {measured.agent:.0f} MiB in the agent, {measured.together:.0f} MiB with its "
        f"children; {measured.live} objects made in {measured.seconds:.0f} s"
    )
    wrong = judge(measured, manifests)
    print("\n".join(wrong) or "within the limit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
