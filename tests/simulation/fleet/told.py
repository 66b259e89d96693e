"""What came of a fleet, in figures; ``table`` words them. Times are in seconds."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.fleet.world import World


class Buckets:
    """Values by their logarithm: percentiles of many millions in a few hundred numbers."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.most = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self._counts[int(math.log1p(value) * 40) if value > 0.0 else 0] += times
        if value > self.most:
            self.most = value

    @property
    def number(self) -> int:
        return self._counts.total()

    def at(self, share: float) -> float:
        left = share * self.number
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return min(math.expm1((bucket + 1) / 40), self.most)
        return self.most


@dataclass
class Told:
    """Shares are of the busiest replica. ``turns`` are counted by their sort, ``calls`` by their purpose."""

    world: World
    replicas: int
    seconds: float
    calls: Counter[str] = field(default_factory=Counter)
    used: list[float] = field(default_factory=list)  # share of what may be spent, by credential
    stretched: int = 0
    ages: Buckets = field(default_factory=Buckets)
    live: Buckets = field(default_factory=Buckets)
    mass: Buckets = field(default_factory=Buckets)  # of the one commit that changes many
    late: Buckets = field(default_factory=Buckets)
    waiting: int = 0  # changes that are not live in the end
    takeover: Buckets = field(default_factory=Buckets)  # from when the turn was due
    held_again: Buckets = field(default_factory=Buckets)  # from the kill
    victims: int = 0
    homeless: int = 0  # of the victims, in the end
    turns: Counter[str] = field(default_factory=Counter)
    passed_on: int = 0  # times that a replica told another one's target of a commit
    hastened: int = 0  # and that its next turn is due at once since then
    commits: float = 0.0  # of the store
    fetches: float = 0.0
    rows: Counter[str] = field(default_factory=Counter)
    known: int = 0  # resources whose manifests one replica has read, at most
    cpu: float = 0.0  # share of a processor
    looked: float = 0.0  # and of that, asking which targets wait
    busy: float = 0.0  # share of its time in which it was at a target
    walked: float = 0.0  # and of that, for commits that are about others
    violations: list[str] = field(default_factory=list)
    wall: float = 0.0
