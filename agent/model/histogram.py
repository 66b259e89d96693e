"""How often something took how long: counts by upper bound. Pure; whoever measures brings the seconds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

CALL_BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
PASS_BOUNDS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)


@dataclass(slots=True)
class Histogram:
    """``counts`` has one more than ``bounds``, for what took longer than all of them; seconds throughout."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def note(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def copy(self) -> Histogram:
        return Histogram(self.bounds, list(self.counts), self.total)

    def cumulated(self) -> list[tuple[float, int]]:
        """Each bound, the last one infinite, with how many took as long or less."""
        found, sum_so_far = [], 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            sum_so_far += count
            found.append((bound, sum_so_far))
        return found
