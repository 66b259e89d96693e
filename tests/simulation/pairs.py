"""Killed, and killed again while it recovers: ``python -m tests.simulation.pairs --pairs 2000``.

A pair is an effect point of a story's first incarnation and one among the first of the next, where it looks at what the
dead one left. Stories are drawn as everywhere here, and the judge is the same. Exit 1 when an invariant was broken;
``--seed N --first A --second B`` plays one pair again.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.reconcile.target import Target
from tests.simulation.kill import Killed, Life
from tests.simulation.places import make_template, memory_folder
from tests.simulation.story import Told, World, tell

RECOVERY_POINTS = 30
STORIES = 100


class Pair(NamedTuple):
    seed: int
    first: int
    second: int


def mortal_twice(second: int) -> type[World]:
    """A world whose second incarnation dies as well, at this effect point of its own."""

    class Twice(World):
        def target(self, life: Life, **words: Any) -> Target:
            if self.kills == 1 and life.last is None:
                life.last = second
            return super().target(life, **words)

    return Twice


def play(pair: Pair, folder: Path, template: Path) -> Told | None:
    """None when the second death would have been in the story's last pass, which is there to show that all rests."""
    cell = mortal_twice(pair.second)
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        return tell(pair.seed, place, kill_at=pair.first, template=template, cell=cell)
    except Killed:
        return None


def pairs(count: int, seed: int, folder: Path, template: Path) -> Iterator[Pair]:
    """Drawn over the points of each story but the last quarter, where it only rests."""
    chance = random.Random(f"pairs/{seed}")
    lengths: dict[int, int] = {}
    for _ in range(count):
        story = chance.randrange(STORIES)
        if story not in lengths:
            whole = tell(story, Path(tempfile.mkdtemp(dir=folder)), template=template)
            lengths[story] = max(1, len(whole.effects))
        yield Pair(story, chance.randint(1, max(1, lengths[story] * 3 // 4)), chance.randint(1, RECOVERY_POINTS))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000, help="so many (default 2000)")
    parser.add_argument("--draw", type=int, default=1, help="another number draws other pairs (default 1)")
    parser.add_argument("--seed", type=int, help="the story of one pair")
    parser.add_argument("--first", type=int, default=1, help="with --seed: where the first incarnation dies")
    parser.add_argument("--second", type=int, default=1, help="with --seed: where the second one does")
    asked = parser.parse_args()
    began = time.monotonic()
    deaths, moments, broken, too_late = Counter[int](), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        folder = Path(name)
        template = make_template(folder)
        one = [Pair(asked.seed, asked.first, asked.second)] if asked.seed is not None else None
        for number, pair in enumerate(one or pairs(asked.pairs, asked.draw, folder, template), 1):
            told = play(pair, folder, template)
            if told is None:
                too_late += 1
                continue
            deaths[told.kills] += 1
            moments.update(line.partition("killed at ")[2].split()[0] for line in told.log if "killed at" in line)
            broken += len(told.violations)
            for violation in told.violations:
                print(f"--seed {pair.seed} --first {pair.first} --second {pair.second}: {violation}", flush=True)
            if number % 200 == 0:
                print(f"{number} pairs, {time.monotonic() - began:.0f} s", flush=True)
    print("deaths in a run: " + ", ".join(f"{count}: {runs}" for count, runs in sorted(deaths.items())))
    print("at: " + ", ".join(f"{moment} {count}" for moment, count in sorted(moments.items())))
    print(f"{too_late} more died too late to be judged")
    print(f"{deaths.total()} pairs, {broken} violations, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
