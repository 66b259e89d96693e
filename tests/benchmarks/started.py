"""One more pass of an agent that has started: ``python -m tests.benchmarks.started CONFIG look|between``.

Opens all that ``datakeel run`` opens, makes the passes that it begins with, then some that find nothing to do, as its
loop asks for them: at a look at the platform's lists, or between two looks. The last line is what the median one took,
as JSON. Started by ``peers``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import structlog

from agent.cli.opening import open_targets
from agent.cli.options import Options
from agent.config.load import load_config
from agent.model.outcome import Report
from agent.reconcile import collector
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from tests.benchmarks.taken import cpu_seconds, peak_megabytes

_TURNS = 10
_FIRST = 3
_WISHES = {
    "look": Wish(patient=True, sweeps=False),
    "between": Wish(patient=True, sweeps=False, lists_wait=True, interval_seconds=1e9),
}


async def played(config: Path, wish: Wish) -> dict[str, float]:
    taken, reports = [], []
    loaded = load_config(config, os.environ, config.parent)
    async with open_targets(loaded, Options(verb="run"), writable=True) as opened:
        (target,) = opened.targets
        for _ in range(_FIRST):
            await reconcile_once(target, Wish(patient=True))
        collector.settle()
        for _ in range(_TURNS):
            report, cpu, wall = await _timed(target, wish)
            taken.append((cpu, wall))
            reports.append(report)
    assert not any(each.problems or each.error for each in reports), "a pass that finds nothing wrong"
    return {
        "cpu": median(cpu for cpu, _ in taken),
        "wall": median(wall for _, wall in taken),
        "peak": peak_megabytes(),
        "calls": max(each.calls_total for each in reports),
        "writes": sum(len(each.outcomes) for each in reports),
    }


async def _timed(target: Target, wish: Wish) -> tuple[Report, float, float]:
    wall, cpu = time.perf_counter(), cpu_seconds()
    report = await reconcile_once(target, wish)
    return report, cpu_seconds() - cpu, time.perf_counter() - wall


def main() -> int:
    config, way = sys.argv[1:]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(json.dumps(asyncio.run(played(Path(config), _WISHES[way]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
