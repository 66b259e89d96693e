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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from agent.clock import Clock
from agent.definitions.platform import BudgetRule, Window
from agent.errors import StoreError
from agent.live.account import CHUNK_FREE_MAX, CHUNK_MAX, CHUNK_SECONDS, LATE_SECONDS, Account, Ledger
from agent.live.bulk import is_bulk
from agent.live.haste import unless_overtaken, whole
from agent.live.purpose import GIVEN_UP, Purpose
from agent.live.rate_headers import read_limits, read_wait
from agent.live.windows import MARGIN_SECONDS, Lane, lanes_of
from agent.model.change import WindowLeft

_PAUSE_MAX = 15 * 60.0
_BACKOFF_FIRST = 2.0

_log = structlog.get_logger("datakeel.budget")


@dataclass(slots=True, order=True)
class _Waiter:
    rank: int
    number: int
    turn: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Budget:
    """All windows of one credential. ``windows`` empty: no limit is known, only a 429 makes it pause.

    ``reserve`` is the share of each window that is left for people, ``credential`` the name under which the ledger and
    the reports know the bucket (never the secret). ``gives_way``: of a process that only looks, which leaves a tenth of
    each window to agents beside it (``design/fault-model.md`` H6). Not thread-safe; one event loop.
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
        late_seconds: float = LATE_SECONDS,
        gives_way: bool = False,
    ) -> None:
        self.credential = credential
        self._gives_way = gives_way
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
        self.throttled = 0  # answers that asked for a pause
        self.waited_seconds = 0.0  # of all calls together
        self._warned: set[str] = set()
        self._wanted: dict[str, float] = {}
        self._account = Account(ledger, credential, clock, late_seconds, self._ledger_failed)
        longest = max((lane.seconds for lane in self._lanes), default=0.0)
        self._count(self._account.remembered(longest))

    async def admit(self, purpose: Purpose) -> float:
        """Wait until one call may go, and count it; the moment for :meth:`sending`.

        Each admitted call must end with :meth:`finish`. Raises Overtaken when the wait is no longer worth it.
        """
        if self._queue or not self._taken(purpose):
            began = self._clock.monotonic()
            try:
                await self._wait(purpose)
            finally:
                self.waited_seconds += self._clock.monotonic() - began
        self._in_flight += 1
        return self._clock.monotonic()

    async def pause_over(self, purpose: Purpose) -> None:
        """Wait out a 429 that came after a call was admitted, while it waited for a connection. Raises Overtaken."""
        patiently = unless_overtaken if purpose in GIVEN_UP else whole
        while (wait := self._paused_until - self._clock.monotonic()) > 0:
            await patiently(self._clock.sleep(wait))

    def sending(self, admitted: float) -> None:
        """The first byte leaves now. Where a call has waited for a connection since, other processes are told."""
        if self._clock.monotonic() - admitted > CHUNK_SECONDS:
            self._account.send_late()

    def finish(self, *, sent: bool = True) -> None:
        """The call is over. ``sent`` False: not a byte of it left, so the server never counted it."""
        self._in_flight -= 1
        if sent:
            now = self._clock.monotonic()
            for lane in self._lanes:
                lane.add(now)

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
            self.throttled += 1
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
            wait = max(wait, lane.wait(now, self._in_flight, sweeping=self._stops_early(purpose), calls=calls))
        return wait

    def room(self, purpose: Purpose, calls: int) -> int:
        """How many of so many calls of this purpose may go now, without a wait."""
        now = self._clock.monotonic()
        if self._paused_until > now:
            return 0
        for lane in self._lanes:
            calls = min(calls, lane.left(now, self._in_flight, sweeping=self._stops_early(purpose)))
        return max(0, calls)

    def _stops_early(self, purpose: Purpose) -> bool:
        return self._gives_way or purpose.stops_early or is_bulk()

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

    def whole_in(self) -> tuple[tuple[float, float], ...]:
        """Each window's length, and the seconds until nothing of it is used any more if nobody calls."""
        now = self._clock.monotonic()
        return tuple((lane.seconds, lane.whole_in(now)) for lane in self._lanes if lane.shown)

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

    def allow_late(self, seconds: float) -> None:
        """A connection of this credential lets its calls take so long."""
        self._account.late_seconds = max(self._account.late_seconds, seconds)

    @property
    def is_waiting(self) -> bool:
        """Whether calls wait here, and have to."""
        return bool(self._queue) and self.wait_needed(Purpose.SWEEP) > 0

    def close(self) -> None:
        """Give back to the ledger what was written down and not sent."""
        self._account.give_back()

    def _taken(self, purpose: Purpose) -> bool:
        """Whether one call may go and is written down. What other processes spent is learnt on the way."""
        if self.wait_needed(purpose) > 0:
            return False
        chunk = CHUNK_MAX if self._lanes else CHUNK_FREE_MAX
        while others := self._account.take(self.room(purpose, chunk)):
            self._count(others)
            if self.wait_needed(purpose) > 0:
                self._account.give_back()
                return False
        return True

    def _count(self, calls: Sequence[tuple[float, int]]) -> None:
        """Calls of other processes, or of those before this one."""
        for moment, number in calls:
            for lane in self._lanes:
                lane.add(moment, number)

    async def _wait(self, purpose: Purpose) -> None:
        waiter = _Waiter(purpose.rank, next(self._numbers))
        bisect.insort(self._queue, waiter)
        patiently = unless_overtaken if purpose in GIVEN_UP else whole
        try:
            while True:
                if self._queue[0] is not waiter:
                    waiter.turn.clear()
                    await patiently(waiter.turn.wait())
                    continue
                if self._taken(purpose):
                    return
                await patiently(self._clock.sleep(self.wait_needed(purpose)))
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

    def _ledger_failed(self, error: StoreError) -> None:
        _log.warning("ledger.failed", credential=self.credential, error=error.what)

    def _warn(self, headers: Sequence[str]) -> None:
        for name in headers:
            if name not in self._warned:
                self._warned.add(name)
                _log.warning("rate_header.ignored", header=name, credential=self.credential)
