"""A million resources over ten thousand targets, and a week of commits: ``python -m tests.simulation.fleet``.

The scheduler alone, in virtual time and without a network; what decides is the agent's own code (``play``), what things
cost was measured (``measure``). A table has a column for each number of replicas. ``--ahead`` plays the next steps
that ``agent/docs/explanation/scaling.md`` names, as if they were done. Exit 1 when two held one target, or a budget was
exceeded.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from tests.simulation.fleet.costs import read_costs
from tests.simulation.fleet.play import Fleet
from tests.simulation.fleet.table import lines_of
from tests.simulation.fleet.told import Told
from tests.simulation.fleet.world import DAY, Plan, make_world

SHORT = Plan(resources=1000, targets=50, days=1.0, interval=600.0, goal=7200.0, changed=0.05, mass=100, kill=0.0)


def play(plan: Plan, replicas: int) -> Told:
    """One column of the table. How far it is, is told on the standard error output."""
    began = time.monotonic()

    def tells(now: float, turns: int) -> None:
        took = time.monotonic() - began
        print(f"{replicas:3} replicas, day {now / DAY:.2f}: {turns} turns, {took:.0f} s", file=sys.stderr, flush=True)

    gc.disable()  # no circles are made, and to look for some among so much takes a fifth of the time
    told = Fleet(make_world(plan), replicas, read_costs(), tells).play()
    told.wall = time.monotonic() - began
    return told


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.fleet", description=__doc__)
    parser.add_argument("--resources", type=int, default=1_000_000)
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--replicas", default="1,3,8,20", help="numbers of replicas, a table column for each")
    parser.add_argument("--days", type=float, default=7.0, help="from a Monday on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--interval", type=float, default=480.0, help="minutes between two looks at the lists")
    parser.add_argument("--goal", type=float, default=336.0, help="hours: the wanted age of what only a read tells")
    parser.add_argument("--jobs", type=int, default=1, help="columns that are played at once")
    parser.add_argument("--ahead", action="store_true", help="as with the next steps of explanation/scaling.md")
    parser.add_argument("--cold", action="store_true", help="all replicas begin at once, with nothing in memory")
    parser.add_argument("--short", action="store_true", help="1,000 resources over 50 targets, for a day")
    return parser.parse_args(words)


def main() -> int:
    words = parsed()
    wide = Plan(
        resources=words.resources,
        targets=words.targets,
        days=words.days,
        seed=words.seed,
        interval=words.interval * 60.0,
        goal=words.goal * 3600.0,
        ahead=words.ahead,
        cold=words.cold,
    )
    plan = replace(SHORT, seed=words.seed, ahead=words.ahead, cold=words.cold) if words.short else wide
    counts = [int(each) for each in words.replicas.split(",")]
    with ProcessPoolExecutor(max_workers=words.jobs) as pool:
        told = list(pool.map(play, [plan] * len(counts), counts))
    print("\n".join(lines_of(told, read_costs())))
    return 1 if any(each.violations for each in told) else 0


if __name__ == "__main__":
    sys.exit(main())
