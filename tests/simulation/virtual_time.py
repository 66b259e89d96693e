"""An event loop whose hours pass in an instant: waiting adds to a number, nothing ever sleeps.

``select`` without a timeout means that nobody will ever wake anybody: a deadlock, which fails the run.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

EPOCH = 1_770_000_000.0


class Deadlock(RuntimeError):
    """Every task waits for something that cannot happen."""


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("no task is ready and none waits for a time")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """``shuffle`` draws the order of what is ready at one moment, so that interleavings are explored by the seed."""

    _ready: Any  # asyncio's own queue

    def __init__(self, shuffle: random.Random | None = None) -> None:
        self._jumping = _JumpingSelector()
        self._shuffle = shuffle
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def jump(self, seconds: float) -> None:
        """Time goes by while the process is frozen: nothing runs meanwhile, then all that is due does at once."""
        self._jumping.now += seconds

    def _run_once(self) -> None:
        if self._shuffle is not None and len(self._ready) > 1:
            turns = list(self._ready)
            self._shuffle.shuffle(turns)
            self._ready.clear()
            self._ready.extend(turns)
        super()._run_once()  # type: ignore[misc]


class VirtualClock:
    """Wall clock and monotonic clock of the running virtual loop. ``wrong_by``: seconds the wall clock is ahead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.wrong_by = 0.0

    def now(self) -> float:
        return EPOCH + self._loop.time() + self.wrong_by

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def run(story: Coroutine[Any, Any, Result], loop: VirtualLoop) -> Result:
    """Run one coroutine to its end in virtual time, and close the loop."""
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(story)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()
