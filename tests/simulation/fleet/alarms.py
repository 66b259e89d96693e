"""When something is due, by number, for many: an entry each, however often its moment is moved."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from heapq import heapify, heappop, heappush


class Alarms:
    """An alarm rings at the earliest moment it was ever set to. One that is due later by then is set again by whoever
    hears it: so a moment that moves on and on, as that of a lease, costs nothing.
    """

    def __init__(self, number: int) -> None:
        self._set_to = array("d", [math.inf]) * number
        self._heap: list[tuple[float, int]] = []

    def fill(self, entries: list[tuple[float, int]]) -> None:
        """Many at once, of which none is set yet."""
        for at, which in entries:
            self._set_to[which] = at
        self._heap += entries
        heapify(self._heap)

    def set(self, which: int, at: float) -> None:
        if at < self._set_to[which]:
            self._set_to[which] = at
            heappush(self._heap, (at, which))

    def first(self) -> float:
        """When the next one rings."""
        heap, set_to = self._heap, self._set_to
        while heap and set_to[heap[0][1]] != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else math.inf

    def ringing(self, now: float) -> Iterator[int]:
        """Those that ring by now, each once. None of them is to be set to ``now`` or earlier meanwhile."""
        while self.first() <= now:
            _, which = heappop(self._heap)
            self._set_to[which] = math.inf
            yield which
