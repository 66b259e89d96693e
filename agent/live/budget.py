"""Calls are the scarce resource: every one is admitted here, by all windows of its credential at once, or waits.

The transport asks before each call and tells each answer; the planner asks what is left and how long a plan takes.
Waiting happens on the :class:`Clock` alone, so that a simulated day passes in a moment. Those who wait are served by
purpose (writes before reads before the sweep), within one purpose in the order in which they came.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import math
import random as random_module
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from agent.clock import Clock
from agent.definitions.platform import BudgetRule, Window
from agent.errors import StoreError
from agent.live.purpose import Purpose
from agent.live.rate_headers import read_limits, read_wait
from agent.live.windows import MARGIN_SECONDS, Lane, lanes_of
from agent.model.change import WindowLeft

CHUNK_MAX = 10
# A chunk of calls is written down before the first of them; how long it may be used, and how late its calls may end.
_CHUNK_SECONDS = 2.0
_LATE_SECONDS = 30.0
_PAUSE_MAX = 15 * 60.0
_BACKOFF_FIRST = 2.0

_log = structlog.get_logger("datakeel.budget")


class Ledger(Protocol):
    """Calls that earlier processes spent. ``at`` is epoch seconds; negative calls give unused ones back."""

    def spent(self, credential: str, since: float) -> list[tuple[float, int]]: ...
    def spend(self, credential: str, at: float, calls: int) -> None: ...


@dataclass(slots=True, order=True)
class _Waiter:
    rank: int
    number: int
    turn: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Budget:
    """All windows of one credential. ``windows`` empty: no limit is known, only a 429 makes it pause.

    ``reserve`` is the share of each window that is left for people, ``credential`` the name under which the ledger and
    the reports know the bucket (never the secret). Not thread-safe; one event loop.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        reserve: float,
        clock: Clock,
        ledger: Ledger | None,
        credential: str,
        *,
        rule: BudgetRule | None = None,
        random: random_module.Random | None = None,
    ) -> None:
        self.credential = credential
        self.windows = tuple(windows)
        self.reserve = reserve
        self._clock = clock
        self._rule = rule if rule is not None else BudgetRule(self.windows)
        self._random = random if random is not None else random_module.Random(0)  # noqa: S311 - jitter, not secrecy
        self._lanes: list[Lane] = lanes_of(self.windows, reserve)
        self._in_flight = 0
        self._queue: list[_Waiter] = []
        self._numbers = itertools.count()
        self._paused_until = -math.inf
        self._throttles = 0
        self._warned: set[str] = set()
        self._wanted: dict[str, float] = {}
        self._chunks = _Chunks(ledger, credential, clock)
        longest = max((lane.seconds for lane in self._lanes), default=0.0)
        for moment, calls in self._chunks.remembered(longest):
            for lane in self._lanes:
                lane.finished.extend([moment] * calls)

    async def admit(self, purpose: Purpose) -> None:
        """Wait until one call may go, and count it. Each admitted call must end with :meth:`finish`."""
        if self._queue or self.wait_needed(purpose) > 0:
            await self._wait(purpose)
        self._chunks.take()
        self._in_flight += 1

    def finish(self, *, sent: bool = True) -> None:
        """The call is over. ``sent`` False: not a byte of it left, so the server never counted it."""
        self._in_flight -= 1
        if sent:
            now = self._clock.monotonic()
            for lane in self._lanes:
                lane.finished.append(now)

    def note(self, headers: Mapping[str, str], body: Any, status: int) -> None:
        """Learn from an answer: what remains by the server's count, and after a 429 how long everybody waits."""
        wall, now = self._clock.now(), self._clock.monotonic()
        told = read_limits(self._rule, headers, wall)
        self._warn(told.nonsense)
        lane = self._spoken_of(told.limit)
        if lane is not None:
            if told.limit:
                lane.told_limit = told.limit if told.limit < lane.requests else None
            if told.remaining is not None:
                lane.correct(now, self._in_flight, min(told.remaining, lane.limit), told.reset_seconds)
        if status == 429:
            self._pause(headers, body, wall, now)
        elif status < 400 and now >= self._paused_until:
            self._throttles = 0

    def wait_needed(self, purpose: Purpose, calls: int = 1) -> float:
        """Seconds until so many calls of this purpose may go, as far as can be told now; 0 when they may.

        More calls than a window ever holds are waited for until it holds as many as it can.
        """
        now = self._clock.monotonic()
        wait = max(0.0, self._paused_until - now)
        for lane in self._lanes:
            wait = max(wait, lane.wait(now, self._in_flight, sweeping=purpose.stops_early, calls=calls))
        return wait

    def room(self, purpose: Purpose, calls: int) -> int:
        """How many of so many calls of this purpose may go now, without a wait."""
        now = self._clock.monotonic()
        if self._paused_until > now:
            return 0
        for lane in self._lanes:
            calls = min(calls, lane.left(now, self._in_flight, sweeping=purpose.stops_early))
        return max(0, calls)

    def share(self, target: str, wanted: float) -> float:
        """Calls a second that ``target`` may spend on looking around, if it wants so many; infinite without windows.

        Targets of one credential share what their windows let a sweep have: each gets what it wants where all fits,
        otherwise an equal part or what the others leave, whichever is more. The shares never exceed the whole.
        """
        self._wanted[target] = wanted
        whole = min(
            ((lane.usable - lane.kept(sweeping=True)) / (lane.seconds + MARGIN_SECONDS) for lane in self._lanes),
            default=math.inf,
        )
        others = sum(each for name, each in self._wanted.items() if name != target)
        return max(whole / len(self._wanted), whole - others)

    def left(self) -> tuple[WindowLeft, ...]:
        """What each window still holds for us."""
        now = self._clock.monotonic()
        return tuple(
            WindowLeft(self.credential, lane.seconds, lane.limit, lane.usable, max(0, lane.left(now, self._in_flight)))
            for lane in self._lanes
            if lane.shown
        )

    def seconds_for(self, calls: int) -> float:
        """How long ``calls`` calls take from now, if nobody else spends."""
        now = self._clock.monotonic()
        pause = max(0.0, self._paused_until - now)
        if calls <= 0:
            return 0.0
        return max((lane.seconds_for(calls, now, self._in_flight) for lane in self._lanes), default=0.0) + pause

    def tighten(self, windows: Sequence[Window], reserve: float) -> None:
        """Another target with the same credential joins: the stricter wish holds for both."""
        known = {(lane.requests, lane.seconds) for lane in self._lanes}
        self.reserve = max(self.reserve, reserve)
        now = self._clock.monotonic()
        longest = max(self._lanes, key=lambda lane: lane.seconds, default=None)
        for lane in lanes_of(tuple(windows), reserve):
            if (lane.requests, lane.seconds) not in known:
                if longest is not None:
                    lane.finished.extend(longest.finished)
                lane.expire(now)
                self._lanes.append(lane)
        for lane in self._lanes:
            lane.reserve = self.reserve

    def close(self) -> None:
        """Give back to the ledger what was written down and not sent."""
        self._chunks.give_back()

    async def _wait(self, purpose: Purpose) -> None:
        waiter = _Waiter(purpose.rank, next(self._numbers))
        bisect.insort(self._queue, waiter)
        try:
            while True:
                if self._queue[0] is not waiter:
                    waiter.turn.clear()
                    await waiter.turn.wait()
                    continue
                wait = self.wait_needed(purpose)
                if wait <= 0:
                    return
                await self._clock.sleep(wait)
        finally:
            self._queue.remove(waiter)
            if self._queue:
                self._queue[0].turn.set()

    def _spoken_of(self, limit: int | None) -> Lane | None:
        """Headers speak of the window with their limit; of the shortest one when none has it."""
        shown = [lane for lane in self._lanes if lane.shown]
        for lane in shown:
            if lane.requests == limit:
                return lane
        return min(shown, key=lambda lane: lane.seconds, default=None)

    def _pause(self, headers: Mapping[str, str], body: Any, wall: float, now: float) -> None:
        told, nonsense = read_wait(self._rule, headers, body, wall)
        self._warn((nonsense,) if nonsense else ())
        if now >= self._paused_until:
            # Calls that were in flight together and met one limit are one refusal.
            self._throttles += 1
        if told is None:
            ceiling = min(_PAUSE_MAX, _BACKOFF_FIRST * 2 ** min(self._throttles, 12))
            wait = max(1.0, self._random.uniform(0, ceiling))
        else:
            # A wait that was kept and did not help was too short, whatever the platform said.
            wait = min(_PAUSE_MAX, told * 2 ** min(max(self._throttles - 1, 0), 12))
        wait += self._random.uniform(0, max(0.5, min(5.0, wait * 0.1)))
        self._paused_until = max(self._paused_until, now + wait)

    def _warn(self, headers: Sequence[str]) -> None:
        for name in headers:
            if name not in self._warned:
                self._warned.add(name)
                _log.warning("rate_header.ignored", header=name, credential=self.credential)


class _Chunks:
    """Calls written down in the ledger before they are sent: a killed process may have counted too much, never less.

    The first chunk is one call; a chunk used up at once is followed by a larger one, so that a busy process commits
    rarely and an idle one counts exactly.
    """

    def __init__(self, ledger: Ledger | None, credential: str, clock: Clock) -> None:
        self._ledger = ledger
        self._credential = credential
        self._clock = clock
        self._left = 0
        self._size = 0
        self._at = 0.0
        self._bought = 0.0

    def remembered(self, seconds: float) -> list[tuple[float, int]]:
        """Spent calls as (monotonic moment at which they ended at the latest, calls), oldest first."""
        if self._ledger is None:
            return []
        wall, now = self._clock.now(), self._clock.monotonic()
        late = _CHUNK_SECONDS + _LATE_SECONDS
        calls: Counter[float] = Counter()
        for at, count in self._ledger.spent(self._credential, wall - seconds - late):
            calls[at] += count
        # A moment ahead of us means that the wall clock was set back: the calls count as made just now.
        return [(min(now, now - (wall - at) + late), count) for at, count in sorted(calls.items()) if count > 0]

    def take(self) -> None:
        if self._ledger is None:
            return
        now = self._clock.monotonic()
        fresh = now - self._bought <= _CHUNK_SECONDS
        if self._left and not fresh:
            self.give_back()
        if not self._left:
            self._size = min(self._size * 2, CHUNK_MAX) if fresh and self._size else 1
            self._at, self._bought, self._left = self._clock.now(), now, self._size
            self._spend(self._size)
        self._left -= 1

    def give_back(self) -> None:
        if self._left:
            left, self._left = self._left, 0
            self._spend(-left)

    def _spend(self, calls: int) -> None:
        assert self._ledger is not None
        try:
            self._ledger.spend(self._credential, self._at, calls)
        except StoreError as error:
            # Reads live on while the disk is full: this process still counts, and no write goes without its journal.
            _log.warning("ledger.failed", credential=self._credential, error=error.what)
