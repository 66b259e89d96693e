"""One process's account at the ledger that all processes with this credential share.

Called by ``budget``. Calls are written down in chunks *before* they are sent, in one transaction that also reads what
others have written: a killed process may have counted too much and never too little, and no two processes can both take
the last call. The first chunk is one call; one that is used up at once is followed by a larger one, so that a busy
process commits rarely and an idle one counts exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from agent.clock import Clock
from agent.errors import StoreError
from agent.model.spending import Spent

CHUNK_MAX = 10
CHUNK_FREE_MAX = 100
"""Of a process that knows no window: a chunk as large is used up within :data:`CHUNK_SECONDS`, or given back."""
CHUNK_SECONDS = 2.0
"""How long a chunk may be used."""
LATE_SECONDS = 30.0
"""How late a call may end, unless its connection allows more."""

Calls = list[tuple[float, int]]
"""(monotonic moment at which they end at the latest, how many): negative, where some are given back."""


class Ledger(Protocol):
    """What all processes spend. ``at`` is epoch seconds; negative calls give unused ones back.

    ``spend`` writes, and tells what others wrote after the row numbered ``after``, all in one transaction.
    """

    def spent(self, credential: str, since: float) -> Spent: ...
    def spend(self, credential: str, at: float, calls: int, after: int) -> Spent: ...


class Account:
    """``late_seconds``: how long after it was written down a call can still be on its way. ``failed`` is told of a
    ledger that cannot be written.
    """

    def __init__(
        self,
        ledger: Ledger | None,
        credential: str,
        clock: Clock,
        late_seconds: float,
        failed: Callable[[StoreError], None],
    ) -> None:
        self.late_seconds = late_seconds
        self._failed = failed
        self._ledger = ledger
        self._credential = credential
        self._clock = clock
        self._newest = 0
        self._moments: dict[float, float] = {}  # by ``at``, so that what is given back is found again
        self._heard: Calls = []  # of others, and not yet handed on
        self._left = 0
        self._size = 0
        self._at = 0.0
        self._bought = 0.0

    def remembered(self, seconds: float) -> Calls:
        """What was spent in so long a time, by whomever, oldest first."""
        if self._ledger is None:
            return []
        spent = self._ledger.spent(self._credential, self._clock.now() - seconds - self._late())
        self._newest = spent.newest
        calls: Counter[float] = Counter()
        for at, count in spent.rows:
            calls[at] += count
        return self._timed((at, count) for at, count in sorted(calls.items()) if count > 0)

    def take(self, most: int) -> Calls | None:
        """One call is written down: None. Or what others have spent meanwhile, to be counted before asking again.

        ``most`` is how many calls may go now by our own count, and how large a chunk may be.
        """
        if self._ledger is None:
            return None
        now = self._clock.monotonic()
        fresh = now - self._bought <= CHUNK_SECONDS
        if self._left and not fresh:
            self.give_back()
        if not self._left:
            larger = self._size * 2 if fresh and self._size else 1
            self._size = max(1, min(larger, most))
            self._at, self._bought, self._left = self._clock.now(), now, self._size
            self._spend(self._at, self._size)
        if self._heard:
            heard, self._heard = self._heard, []
            return heard
        self._left -= 1
        return None

    def send_late(self) -> None:
        """A call that was written down long ago leaves only now: it counts once more, as of now."""
        if self._ledger is not None:
            self._spend(self._clock.now(), 1)

    def give_back(self) -> None:
        if self._left:
            left, self._left = self._left, 0
            self._spend(self._at, -left)

    def _spend(self, at: float, calls: int) -> None:
        assert self._ledger is not None
        try:
            spent = self._ledger.spend(self._credential, at, calls, self._newest)
        except StoreError as error:
            # Reads live on while the disk is full: this process still counts, and no write goes without its journal.
            self._failed(error)
            return
        self._newest = max(self._newest, spent.newest)
        self._heard += self._timed(spent.rows)

    def _timed(self, rows: Iterable[tuple[float, int]]) -> Calls:
        wall, now = self._clock.now(), self._clock.monotonic()
        if len(self._moments) > 1000:
            self._moments = {at: moment for at, moment in self._moments.items() if at > wall - 2 * self._late()}
        late, found = self._late(), []
        for at, calls in rows:
            # A moment ahead of us means that the wall clock was set back: the calls count as made just now.
            moment = self._moments.setdefault(at, now + late - max(0.0, wall - at))
            found.append((moment, calls))
        return found

    def _late(self) -> float:
        return CHUNK_SECONDS + self.late_seconds
