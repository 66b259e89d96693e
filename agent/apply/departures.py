"""Deletes of a pass that the platform refuses while another object is there: each waits until one more is gone.

Order comes from what manifests say of each other; a platform may know of more. Called by ``executor``.
"""

from __future__ import annotations

import asyncio


class Departures:
    """``gone`` counts the deletes that ended well; only those that have begun are waited for."""

    def __init__(self) -> None:
        self.gone = 0
        self._under_way = 0
        self._changed = asyncio.Condition()

    def begin(self) -> None:
        self._under_way += 1

    async def after_another(self, gone: int) -> bool:
        """Wait until more than ``gone`` have gone. False when all that are left wait: nothing will change."""
        async with self._changed:
            self._under_way -= 1
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.gone > gone or self._under_way == 0)
            self._under_way += 1
            return self.gone > gone

    async def end(self, done: bool) -> None:
        """A delete has come to its end, whichever."""
        async with self._changed:
            self._under_way -= 1
            self.gone += done
            self._changed.notify_all()
