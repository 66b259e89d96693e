"""Time as a seam: every module that waits or tells the time is handed a :class:`Clock`.

Production uses :class:`SystemClock`; the simulation hands in one whose hours pass in an instant. Intervals, deadlines
and backoff use :meth:`Clock.monotonic`; the wall clock serves display, epoch resets of rate limits and stored moments.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Wall clock, seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero yields to other tasks."""
        ...


class SystemClock:
    """The machine's own clocks and the running event loop's sleep."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio  # start-up of the verbs that never wait stays lean

        await asyncio.sleep(seconds)


class AgreedClock:
    """The wall clock of what several machines share, so that moments they write down can be compared.

    It goes by the monotonic clock of this machine from the last time that both were seen together. Until then, and
    where nothing is shared, it is the machine's own.
    """

    _SLACK_SECONDS = 0.5  # a clock that is set again at each glance would go back and forth

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._ahead: float | None = None

    def agree(self, there: float, asked: float, answered: float) -> None:
        """``there`` is what the shared clock told between the monotonic moments ``asked`` and ``answered``."""
        ahead = there - (asked + answered) / 2
        if self._ahead is None or abs(ahead - self._ahead) > self._SLACK_SECONDS + (answered - asked) / 2:
            self._ahead = ahead

    def now(self) -> float:
        return self._own.now() if self._ahead is None else self._own.monotonic() + self._ahead

    def monotonic(self) -> float:
        return self._own.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._own.sleep(seconds)
