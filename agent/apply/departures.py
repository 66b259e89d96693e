"""Deletes of a pass that the platform refuses while another object is there: each waits until one more is gone.

Order comes from what manifests say of each other; a platform may know of more. Called by ``executor``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Departures:
    """``expected`` deletes, all of them active until they stand aside or end; ``gone`` counts those that ended well."""

    def __init__(self, expected: int) -> None:
        self.gone = 0
        self._active = expected
        self._given_up = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """While a delete waits for another one, it cannot be what others wait for."""
        await self._change(-1)
        try:
            yield
        finally:
            self._active += 1

    async def after_another(self, gone: int) -> bool:
        """Wait until more than ``gone`` have gone. False when all that are left wait: nothing will change."""
        async with self._changed:
            self._active -= 1
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.gone > gone or self._active == 0)
            another = self.gone > gone
            # Who gives up stays aside: counted again for a moment, it would make the others go on waiting.
            self._active += another
            self._given_up += not another
            return another

    async def ended(self, done: bool) -> None:
        """A delete has come to its end, whichever."""
        self.gone += done
        if self._given_up:
            self._given_up -= 1
        else:
            await self._change(-1)

    async def _change(self, by: int) -> None:
        async with self._changed:
            self._active += by
            self._changed.notify_all()
