"""Close up: one platform, and a judge who knows its documents word for word.

``python -m tests.simulation.close --seeds 1000 --kills 200`` plays many stories and counts; ``--seed N --story`` tells
one. Exit 1 when an invariant was broken.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.simulation.places import make_template, memory_folder
from tests.simulation.story import Told, draw_story, tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.close", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="stories to play (default 200)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kills", type=int, default=0, help="of these, so many are killed at a drawn effect point")
    parser.add_argument("--sweep", type=int, metavar="SEED", help="kill this story at each of its effect points")
    parser.add_argument("--seed", type=int, help="play one story")
    parser.add_argument("--kill", type=int, help="with --seed: die at this effect point")
    parser.add_argument("--story", action="store_true", help="with --seed: tell it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        template = make_template(Path(folder))
        if arguments.seed is not None:
            return _one(arguments.seed, Path(folder), template, arguments.kill, tell_story=arguments.story)
        began = time.monotonic()
        runs = (
            _sweep(arguments, Path(folder), template)
            if arguments.sweep is not None
            else _many(arguments, Path(folder), template)
        )
        return _sum(runs, time.monotonic() - began)


def _one(seed: int, folder: Path, template: Path, kill: int | None, *, tell_story: bool) -> int:
    told = tell(seed, folder, kill_at=kill, template=template)
    if tell_story:
        print("\n".join(str(happening) for happening in draw_story(seed)))
        print("\n".join(told.log))
    print(f"seed {seed}: {told.passes} passes, {told.requests} requests, {len(told.effects)} effects")
    print("\n".join(told.violations) or "no invariant was broken")
    return 1 if told.violations else 0


def _many(arguments: argparse.Namespace, folder: Path, template: Path) -> list[Told]:
    runs = []
    for number in range(arguments.seeds):
        seed = arguments.first + number
        kill = random.Random(f"kill/{seed}").randint(1, 120) if number < arguments.kills else None
        runs.append(_played(seed, folder, kill, template))
    return runs


def _sweep(arguments: argparse.Namespace, folder: Path, template: Path) -> list[Told]:
    whole = _played(arguments.sweep, folder, None, template)
    runs = [whole]
    for point in range(1, len(whole.effects) + 1):
        runs.append(_played(arguments.sweep, folder, point, template))
        if runs[-1].live != whole.live:
            runs[-1].violations.append(f"another end after a death at point {point}")
    return runs


def _played(seed: int, folder: Path, kill: int | None, template: Path) -> Told:
    told = tell(seed, Path(tempfile.mkdtemp(dir=folder)), kill_at=kill, template=template)
    for violation in told.violations:
        print(f"seed {seed}{f' --kill {kill}' if kill else ''}: {violation}")
    return told


def _sum(runs: list[Told], seconds: float) -> int:
    faults: Counter[str] = Counter()
    for told in runs:
        faults.update(told.faults)
    print(
        f"{len(runs)} runs, {sum(t.kills for t in runs)} deaths, {sum(t.passes for t in runs)} passes, "
        f"{sum(t.requests for t in runs)} requests, {sum(t.commits for t in runs)} judged commits, {seconds:.0f} s"
    )
    print("faults reached: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    broken = sum(len(told.violations) for told in runs)
    print(f"{broken} violations")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
