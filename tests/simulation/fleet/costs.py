"""What things cost: measured ones from ``costs.json``, which ``measure`` prints, and assumed ones, which stand here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CALL = 0.2
"""Assumed: seconds of one call to a platform."""
COMMIT = 0.003
"""Assumed: seconds of one transaction on a database near by, which syncs its log."""
FETCH = 0.15
"""Assumed: seconds of asking a git server for the newest commit."""
BASE_BYTES = 110e6
"""What ``tests/benchmarks`` measures of an agent at work, before there are many targets."""
FILE = Path(__file__).parent / "costs.json"


@dataclass(frozen=True)
class Costs:
    """Processor seconds and transactions of a turn by its sort: a part for each turn, and one for each resource.

    ``wake`` and ``look`` are processor seconds a target of finding out that nothing is due, and of asking once a second
    which targets wait; ``change_*`` belong to each change that is written. ``weights`` are bytes a row by database.
    ``call``, ``commit`` and ``fetch`` are seconds that others take.
    """

    turns: Mapping[str, tuple[float, float, float]]  # processor, processor a resource, transactions
    wake: float
    look: float
    change_cpu: float
    change_commits: float
    target_bytes: float
    resource_bytes: float
    weights: Mapping[str, Mapping[str, float]]
    call: float = CALL
    commit: float = COMMIT
    fetch: float = FETCH

    def turn(self, sort: str, resources: float) -> tuple[float, float]:
        base, each, commits = self.turns[sort]
        return base + each * resources, commits


def read_costs() -> Costs:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    small, large = sorted(told["turns"], key=int)
    turns = {}
    for sort, few in told["turns"][small].items():
        many = told["turns"][large][sort]
        each = max(0.0, (many["cpu"] - few["cpu"]) / (int(large) - int(small)))
        # What claims, gives back and counts calls is added where it happens.
        turns[sort] = (max(0.0, few["cpu"] - each * int(small)), each, max(1.0, few["commits"] - 2 - _calls(few)))
    first = told["turns"][large]["first"]
    written = int(large)
    return Costs(
        turns,
        told["watching"]["wake"],
        told["watching"]["look"],
        first["cpu"] / written,
        max(1.0, (first["commits"] - _calls(first) / 5) / written),
        told["memory"]["target"] + told["memory"]["tls"],
        told["memory"]["resource"],
        told["bytes"],
    )


def _calls(turn: Mapping[str, float]) -> float:
    return sum(count for name, count in turn.items() if name not in ("cpu", "commits", "statements"))
