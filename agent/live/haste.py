"""Waits that end early: what is waited for is no longer wanted, because a newer commit is there.

``reconcile/loop`` sets the event of a pass, whose tasks inherit it; budget, readiness and settling wait through here.
Only waiting is cut short: a call that is on its way goes on to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

from agent.clock import Clock

OVERTAKEN: ContextVar[asyncio.Event | None] = ContextVar("overtaken", default=None)
"""Set once a newer commit is there. None where nobody looks for one, as in a pass that a person asked for."""


class Overtaken(Exception):
    """The wait was cut short, and what it was for has not begun."""


def is_overtaken() -> bool:
    """Whether the pass that this task belongs to is about a commit which is no longer the newest."""
    event = OVERTAKEN.get()
    return event is not None and event.is_set()


async def rest(clock: Clock, seconds: float) -> bool:
    """Sleep; False, and at once, when the pass is overtaken."""
    try:
        await unless_overtaken(clock.sleep(seconds))
    except Overtaken:
        return False
    return True


async def unless_overtaken(wait: Coroutine[Any, Any, Any]) -> None:
    """Wait for something that may be given up. Raises Overtaken."""
    event = OVERTAKEN.get()
    if event is None:
        await wait
        return
    if event.is_set():
        wait.close()
        raise Overtaken
    waiting, overtaken = asyncio.ensure_future(wait), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((waiting, overtaken), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise Overtaken
        waiting.result()
    finally:
        waiting.cancel()
        overtaken.cancel()
        await asyncio.gather(waiting, overtaken, return_exceptions=True)


async def whole(wait: Coroutine[Any, Any, Any]) -> None:
    """Wait for something that is wanted whatever comes."""
    await wait
