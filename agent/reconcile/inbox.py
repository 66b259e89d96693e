"""Events of one target that wait for their look: bounded, told apart, paced, counted.

The receiver drops bodies in, the loop takes keys out. Whoever sends events, true or forged or again and again, gets at
most one read a second on the average: a look that cost more is followed by as many seconds of rest. An event that is
lost here costs time and nothing else, since the next whole pass finds what it pointed at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from agent.clock import Clock
from agent.definitions.platform import Platform
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired
from agent.reconcile.events import NotAnEvent, Pointer, keys_of, read_event

Received = Literal["accepted", "ignored", "malformed"]

WAITING_MAX = 1000
KEYS_MAX = 10  # of one look, so that a flood of names never holds the loop for long
_MOMENT_SECONDS = 0.03  # events of one click arrive together: one look serves them
_SHORT_OF_CALLS_SECONDS = 10.0


@dataclass(slots=True)
class _Event:
    """``came_at`` is when it came last, on the wall clock as ``seen_at`` is; ``not_before`` is monotonic."""

    came_at: float
    not_before: float


class Inbox:
    """``wake`` is called when something has come in. Used within one event loop.

    ``counts`` are bodies by what became of them: accepted, ignored (of no rule, unknown kind, nothing named),
    malformed, dropped (too many waited), unmanaged (git names no such thing), known (was read after it came); and
    passed on to another agent, or heard from one.
    """

    def __init__(
        self, platform: Platform, defaults: Mapping[str, str], clock: Clock, wake: Callable[[], None] = lambda: None
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._platform = platform
        self._defaults = defaults
        self._clock = clock
        self._wake = wake
        self._waiting: dict[Pointer, _Event] = {}
        self._not_before = -math.inf

    def serve(self, platform: Platform, defaults: Mapping[str, str]) -> None:
        """From now on read bodies by this definition: the configuration has changed."""
        self._platform, self._defaults = platform, defaults

    def receive(self, body: bytes) -> Received:
        """Take in one body. Nothing is looked up and nothing is sent here."""
        try:
            pointer = read_event(body, self._platform)
        except NotAnEvent:
            self.counts["malformed"] += 1
            return "malformed"
        if pointer is None:
            self.counts["ignored"] += 1
            return "ignored"
        self.counts["accepted" if self._put(pointer, self._clock.now()) else "dropped"] += 1
        return "accepted"

    def hear(self, pointer: Pointer, came_at: float) -> None:
        """Take in what an event pointed at that came to another agent. One of an unknown kind is dropped."""
        known = pointer.kind in self._platform.kinds
        self.counts["heard" if known and self._put(pointer, came_at) else "dropped"] += 1

    def _put(self, pointer: Pointer, came_at: float) -> bool:
        waiting = self._waiting.get(pointer)
        if waiting is not None:
            waiting.came_at = max(waiting.came_at, came_at)
        elif len(self._waiting) >= WAITING_MAX:
            return False
        else:
            self._waiting[pointer] = _Event(came_at, self._clock.monotonic() + _MOMENT_SECONDS)
            self._wake()
        return True

    def waiting(self, most: int) -> dict[Pointer, float]:
        """So many of those that wait, with the moments of their events."""
        return {pointer: event.came_at for pointer, event in islice(self._waiting.items(), most)}

    def passed_on(self, pointers: Iterable[Pointer]) -> None:
        """Another agent looks at these."""
        for pointer in pointers:
            self.counts["passed on"] += self._waiting.pop(pointer, None) is not None

    @property
    def due_at(self) -> float:
        """When the loop may look at what waits, on the monotonic clock; never while nothing does."""
        earliest = min((event.not_before for event in self._waiting.values()), default=math.inf)
        return max(self._not_before, earliest)

    def take(self, desired: Desired, rows: Mapping[Key, InventoryRow], affordable: int) -> frozenset[Key]:
        """The keys to look at now, oldest events first; what exceeds the calls at hand goes on waiting."""
        now = self._clock.monotonic()
        ripe = [pointer for pointer, event in self._waiting.items() if event.not_before <= now + _MOMENT_SECONDS]
        meant = keys_of(ripe, desired, rows, self._platform.kinds, self._defaults)
        taken: set[Key] = set()
        for pointer in ripe:
            key = meant.get(pointer)
            if key is None:
                self.counts["unmanaged"] += 1
            elif key in taken:
                pass
            elif self._is_known(self._waiting[pointer], rows.get(key)):
                self.counts["known"] += 1  # mostly the echo of a write of our own, which was read back since
            elif (rest := self._settling(key, rows.get(key))) > 0:
                self._waiting[pointer].not_before = now + rest
                continue
            elif len(taken) < min(affordable, KEYS_MAX):
                taken.add(key)
            else:
                self._waiting[pointer].not_before = now + (0 if taken else _SHORT_OF_CALLS_SECONDS)
                continue
            del self._waiting[pointer]
        return frozenset(taken)

    def rest_after(self, began: float, reads: int) -> None:
        """A look that began then has cost so many reads: one a second, on the average."""
        self._not_before = max(self._not_before, began + max(1, reads))

    def _is_known(self, event: _Event, row: InventoryRow | None) -> bool:
        return row is not None and row.in_sync and row.seen_at is not None and row.seen_at >= event.came_at

    def _settling(self, key: Key, row: InventoryRow | None) -> float:
        """Seconds until a look tells something: right after a write of ours, reads may lag behind it."""
        if row is None or row.settle_until is None:
            return 0.0
        return min(row.settle_until - self._clock.now(), self._platform.kinds[key.kind].settle_seconds)
