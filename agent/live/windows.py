"""One rate window as arithmetic: how many calls are in it, how many are left, when the next is free. Pure.

A call counts from its admission until the window's length after its *answer*: somewhere between the two the server
stamped it. Counting so, no trailing window of the server ever holds more than the limit, whether its windows slide or
are fixed, and whatever the network delays.
"""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field

from agent.definitions.platform import Window

# Clocks are read a moment before and after the server's; a window's edge is not to be tested to the millisecond.
MARGIN_SECONDS = 0.05
_SWEEP_KEEPS = 10  # a tenth of what is usable is left to writes and their looks


@dataclass(slots=True)
class Lane:
    """A window and the calls in it. ``shown`` is False for a lane that only spaces a burst."""

    requests: int
    seconds: float
    reserve: float
    shown: bool = True
    told_limit: int | None = None
    finished: deque[float] = field(default_factory=deque)  # moments of the answers, ascending
    others: int = 0  # calls of people and other programs that the server counts, until ``others_until``
    others_until: float = 0.0

    @property
    def limit(self) -> int:
        return self.requests if self.told_limit is None else min(self.requests, self.told_limit)

    @property
    def usable(self) -> int:
        return max(1, int(self.limit * (1 - self.reserve) + 1e-9))

    def expire(self, now: float) -> None:
        horizon = now - self.seconds - MARGIN_SECONDS + 1e-6
        finished = self.finished
        while finished and finished[0] <= horizon:
            finished.popleft()
        if self.others and self.others_until <= now:
            self.others = 0

    def add(self, moment: float, calls: int = 1) -> None:
        """So many calls have ended at ``moment``, or will have by then; fewer than none: they were not made."""
        finished = self.finished
        if not finished or finished[-1] <= moment:
            finished.extend([moment] * calls)
            calls = min(calls, 0)
        for _ in range(calls):
            bisect.insort(finished, moment)
        for _ in range(-calls):
            place = bisect.bisect_left(finished, moment)
            if place < len(finished) and finished[place] == moment:
                del finished[place]

    def kept(self, *, sweeping: bool) -> int:
        """What a sweep leaves to those before it."""
        return max(1, self.usable // _SWEEP_KEEPS) if sweeping and self.usable > 1 else 0

    def left(self, now: float, in_flight: int, *, sweeping: bool = False) -> int:
        """Calls that may go now; negative when others used what was ours. The reserve holds what people have used."""
        self.expire(now)
        limit, usable = self.limit, self.usable
        left = limit - max(self.others, limit - usable) - len(self.finished) - in_flight
        return left - self.kept(sweeping=sweeping)

    def wait(self, now: float, in_flight: int, *, sweeping: bool = False, calls: int = 1) -> float:
        """Seconds until it is worth asking again; 0 when so many calls may go, or as many as this window ever holds."""
        left = self.left(now, in_flight, sweeping=sweeping)
        needed = min(calls, self.usable - self.kept(sweeping=sweeping)) - left
        if needed <= 0:
            return 0.0
        span = self.seconds + MARGIN_SECONDS
        moments = [self.others_until] if self.others else []
        if needed <= len(self.finished):
            moments.append(self.finished[needed - 1] + span)
        # Otherwise calls in flight stand in the way, which leave no earlier than a window from now.
        return max(min(moments, default=now + span) - now, 0.001)

    def whole_in(self, now: float) -> float:
        """Seconds until all calls that are known have left the window; 0 when none is in it."""
        self.expire(now)
        last = self.finished[-1] + self.seconds + MARGIN_SECONDS if self.finished else now
        return max(0.0, last - now, self.others_until - now if self.others else 0.0)

    def correct(self, now: float, in_flight: int, remaining: int, reset_seconds: float | None) -> None:
        """The server counts more calls than we made: the rest are others', until the window is whole again."""
        self.expire(now)
        self.others = max(0, self.limit - remaining - len(self.finished) - in_flight)
        span = self.seconds if reset_seconds is None else min(reset_seconds, self.seconds)
        self.others_until = now + span + MARGIN_SECONDS

    def seconds_for(self, calls: int, now: float, in_flight: int) -> float:
        """How long ``calls`` more calls take when they are sent as fast as this window lets them."""
        left = self.left(now, in_flight)
        if calls <= left:
            return 0.0
        span = self.seconds + MARGIN_SECONDS
        usable = self.usable
        slots = [0.0] * max(left, 0) + [stamp + span - now for stamp in self.finished] + [span] * in_flight
        slots += [max(self.others_until - now, 0.0)] * min(self.others, usable)
        slots = sorted(slots)[:usable]
        slots += [span] * (usable - len(slots))
        turns, place = divmod(calls - 1, usable)
        return slots[place] + turns * span


def lanes_of(windows: tuple[Window, ...], reserve: float) -> list[Lane]:
    """A burst of B on top of a rate is held by one more lane: B calls in the time that the rate refills B."""
    lanes = []
    for window in windows:
        lanes.append(Lane(window.requests, window.seconds, reserve))
        if window.burst is not None and window.burst < window.requests:
            span = window.seconds * window.burst / window.requests
            lanes.append(Lane(window.burst, span, reserve, shown=False))
    return lanes
