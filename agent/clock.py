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
