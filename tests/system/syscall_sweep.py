"""Fail at every write and sync of the store: ``python -m tests.system.syscall_sweep``.

A real `datakeel apply` of a commit that creates, updates and deletes runs under strace against a real sandbox, once for
each system call by which the store is changed or made durable, and once more for each: killed at it, the disk full from
it on, an input or output error at it. Then what is left is judged by the sandbox's own log and the journal, and the
next runs must come to the end of a run that nothing happened to. A second scene does the same to the birth of a store.
Exit 1 when anything was lost, sent unwritten, made twice or left over.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.injection import Fault, Runs, why_not
from tests.system.served_sandbox import ServedSandbox
from tests.system.stage import Stage, environment, workflow

CONFIG = """\
apiVersion: datakeel/v1
source: {{path: .}}
state: sqlite:///{state}
schemas: [../definitions]
targets:
  main:
    platform: quick
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: manifests
    defaults: {{workspace: public}}
    prune: true
    limits: {{deletes_max: 100, deletes_share_max: 1.0}}
    budget: off
    deadline: 1s
"""
# The first kinds of the platform as they are, but for a server whose reads lag behind writes for a moment only.
QUICK = """\
platform: quick
version: v1
format: 1
extends: dataos/v1
kinds:
  Workflow: {settle: 1s}
"""
WRITES = ("POST", "PUT", "PATCH", "DELETE")
RUNS_MAX = 8  # until all is settled; one that looks too early holds what it cannot know yet
OPEN = "SELECT 1 FROM journal WHERE closed_at IS NULL"
RESTS_EVERY = 10  # so often a further run shows that nothing is left to do
EFFECTS = ("kill", "ENOSPC", "EIO")


@dataclass
class Scene:
    """What stands before the run that something happens to, and what must stand after it."""

    name: str
    base: Path  # a folder with repository and store, and the platform's file
    calls: Counter[str]
    live: dict[str, Any]
    names: set[str]


@dataclass
class Tally:
    points: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Sweep:
    """One folder, one server, and the scenes that are played in it again and again."""

    def __init__(self, folder: Path, sandbox: ServedSandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.tally = Tally()
        self._play = folder / "play"
        self._runs = Runs(folder, environment())
        (folder / "definitions" / "quick").mkdir(parents=True)
        (folder / "definitions" / "quick" / "platform.yaml").write_text(QUICK, encoding="utf-8")

    def scenes(self, names: tuple[str, ...] = ("change", "birth")) -> Iterator[Scene]:
        """Each scene, after a calm run of it that counts the calls and shows the end."""
        for name in names:
            base = self.folder / name
            self.sandbox.begin(self.folder / f"{name}.db")
            with Stage(base) as stage:
                self._configure(base)
                if name == "change":
                    stage.commit({f"{one}.json": workflow(one) for one in ("flow-kept", "flow-edited", "flow-gone")})
                    self._apply(base, check=True)
                    changed = {"flow-edited.json": workflow("flow-edited", "0 2 * * *"), "flow-gone.json": None}
                    stage.commit(
                        {**changed, "flow-new.json": workflow("flow-new"), "flow-other.json": workflow("flow-other")}
                    )
                else:
                    stage.commit({"flow-first.json": workflow("flow-first")})
            held = self.folder / f"{name}-before.db"
            self.sandbox.begin(self.folder / "unused.db")  # closes the file, so that it is whole
            shutil.copyfile(self.folder / f"{name}.db", held)
            scene = Scene(name, base, Counter(), {}, set())
            self._restore(scene)
            scene.calls = self._runs.calls(self._words(self._play), self._play)
            scene.live = self.sandbox.live()
            scene.names = {key.rpartition("/")[2] for key in scene.live}
            yield scene

    def faults(self, scene: Scene, effects: tuple[str, ...] = EFFECTS, every: int = 1) -> Iterator[Fault]:
        """Every call of the scene with every effect; a call that no disk refuses for want of space is only killed."""
        for effect in effects:
            for call, count in sorted(scene.calls.items()):
                if (effect != "kill" and call in ("unlink", "link")) or (effect == "ENOSPC" and call == "rename"):
                    continue
                for number in range(1, count + 1, every):
                    yield Fault(effect, call, number, lasting=effect == "ENOSPC")

    def play(self, scene: Scene, fault: Fault) -> None:
        """One point: the run that is hit, what it left, and the runs that mend it."""
        self._restore(scene)
        self.tally.points[fault.what] += 1
        ended = self._runs.run_with(fault, self._words(self._play), self._play)
        # An error at a call that only saves work may pass unseen, but a death never.
        due = (-9,) if fault.what == "kill" else (0, 1, 5)
        found = [] if ended.status in due else [f"ended with {ended.status}: {ended.said[-300:]}"]
        if "Traceback" in ended.said or "internal" in ended.said:
            found.append(f"a mistake of ours: {ended.said[-300:]}")
        found += self._left_behind(ended.told)
        found += self._mended(scene)
        self.tally.wrong += [f"{scene.name}, {fault}: {each}" for each in found]

    def _left_behind(self, told: str) -> list[str]:
        """What was sent is in the journal, and what was told as done is remembered; looked at in a copy."""
        copy = self.folder / "looked-at"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self._play.glob("state.db*"):
            shutil.copyfile(path, copy / path.name)
        journal = _rows(copy / "state.db", "SELECT method, action, name, closed_at FROM journal")
        inventory = {name for (name,) in _rows(copy / "state.db", "SELECT name FROM inventory")}
        unwritten = [
            f"{entry.method} {entry.path} was sent and is not in the journal"
            for entry in self.sandbox.world.requests
            if entry.method in WRITES
            and not any(method == entry.method and name in entry.path + entry.body for method, _, name, _ in journal)
        ]
        lost = []
        for line in told.splitlines():
            words = line.split()
            if words[:1] == ["ok"] and len(words) > 2:
                name = words[2].partition("/")[2]
                if (name in inventory) == (words[1] == "delete"):
                    lost.append(f"`{line}` was told and is not remembered")
        live = {key.rpartition("/")[2] for key in self.sandbox.live()}
        self.tally.left.update(
            f"open {action}, object {'there' if name in live else 'not there'}"
            for _, action, name, closed in journal
            if closed is None
        )
        return unwritten + lost

    def _mended(self, scene: Scene) -> list[str]:
        """Runs without faults until all is settled; then nothing is missing, twice or left over, and all rests."""
        number, output = 0, ""
        while number < RUNS_MAX:
            number += 1
            status, output = self._apply(self._play)
            if status not in (0, 1, 5):
                return [f"the run after it ended with {status}: {output[-300:]}"]
            if status == 0 and not _rows(self._play / "state.db", OPEN) and self.sandbox.live() == scene.live:
                break
            time.sleep(0.3)
        else:
            return [f"not settled after {RUNS_MAX} runs: {output[-300:]}"]
        self.tally.runs[number] += 1
        wrong: list[str] = []
        inventory = {name for (name,) in _rows(self._play / "state.db", "SELECT name FROM inventory")}
        if inventory != scene.names:
            wrong.append(f"live and inventory differ: {inventory ^ scene.names}")
        made = Counter(commit.name for commit in self._commits() if commit.before is None)
        removed = Counter(commit.name for commit in self._commits() if commit.after is None)
        wrong += [f"{name} was created {count} times" for name, count in made.items() if count > 1]
        wrong += [f"{name} was deleted" for name in removed if name != "flow-gone"]
        if sum(self.tally.points.values()) % RESTS_EVERY == 1:
            sent = len(self.sandbox.world.requests)
            self._apply(self._play)
            more = [entry for entry in list(self.sandbox.world.requests)[sent:] if entry.method in WRITES]
            wrong += [f"a run with nothing to do sent {entry.method} {entry.path}" for entry in more]
        twice = [entry for entry in self.sandbox.world.requests if entry.method == "POST" and entry.status == 409]
        return [*wrong, *(f"a create of what was there already: {entry.path}" for entry in twice)]

    def _commits(self) -> list[Any]:
        """Those of this point: what the scene began with is older."""
        return self.sandbox.world.commits[self._began :]

    def _restore(self, scene: Scene) -> None:
        shutil.rmtree(self._play, ignore_errors=True)
        shutil.copytree(scene.base, self._play)
        self._configure(self._play)
        self.sandbox.begin(self.folder / "platform.db", copy_of=self.folder / f"{scene.name}-before.db")
        self._began = len(self.sandbox.world.commits)

    def _configure(self, folder: Path) -> None:
        text = CONFIG.format(state=folder / "state.db", server=self.sandbox.server)
        (folder / "repository" / "datakeel.yaml").write_text(text.replace("../", f"{self.folder}/"), encoding="utf-8")

    def _words(self, folder: Path) -> list[str]:
        return ["apply", "--yes", "-q", "--config", str(folder / "repository" / "datakeel.yaml")]

    def _apply(self, folder: Path, *, check: bool = False) -> tuple[int, str]:
        ended = self._runs.run(self._words(folder), folder)
        assert not check or ended.status == 0, ended
        return ended.status, ended.told + ended.said


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Nothing where there is no store yet."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=5.0)) as connection:
        return connection.execute(query).fetchall()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.syscall_sweep", description=__doc__)
    parser.add_argument("--effects", default=",".join(EFFECTS), help=f"of {', '.join(EFFECTS)} (default: all)")
    parser.add_argument("--every", type=int, default=1, help="only every so manieth call (default: each)")
    parser.add_argument("--scene", choices=("change", "birth"), help="only this one")
    arguments = parser.parse_args()
    if why_not():
        print(f"skipped: {why_not()}")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="datakeel-calls-") as folder, ServedSandbox() as sandbox:
        sweep = Sweep(Path(folder), sandbox)
        for scene in sweep.scenes((arguments.scene,) if arguments.scene else ("change", "birth")):
            points = list(sweep.faults(scene, tuple(arguments.effects.split(",")), arguments.every))
            counts = ", ".join(f"{call} {count}" for call, count in sorted(scene.calls.items()))
            print(f"{scene.name}: M = {sum(scene.calls.values())} calls ({counts}), {len(points)} points", flush=True)
            for number, fault in enumerate(points, 1):
                known = len(sweep.tally.wrong)
                sweep.play(scene, fault)
                print(
                    "\n".join(sweep.tally.wrong[known:]), end="\n" if len(sweep.tally.wrong) > known else "", flush=True
                )
                if number % 50 == 0:
                    print(f"  {number} of {len(points)}, {time.monotonic() - began:.0f} s", flush=True)
    tally = sweep.tally
    print("points: " + ", ".join(f"{what} {count}" for what, count in sorted(tally.points.items())))
    print("left behind: " + (", ".join(f"{what}: {count}" for what, count in sorted(tally.left.items())) or "nothing"))
    print("runs until settled: " + ", ".join(f"{runs}: {count}" for runs, count in sorted(tally.runs.items())))
    print(f"{time.monotonic() - began:.0f} s, {len(tally.wrong)} violations")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
