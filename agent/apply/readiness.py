"""pending -> ready, without holding a worker: one list serves everything that waits, further and further apart.

Called by ``executor`` for changes that others depend on, and for all of them when a person waits (``apply``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from agent.clock import Clock
from agent.definitions.platform import Kind
from agent.live.api import Listing, ReadApi
from agent.live.haste import rest
from agent.live.look import find_row, scope_of_list
from agent.live.purpose import Purpose
from agent.live.rows import health_of
from agent.model.identity import Key, uid_of
from agent.model.resource import Health

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0


@dataclass(slots=True)
class Readiness:
    """Waits of one pass. ``timeout_seconds`` bounds each; the next pass looks again at what is not ready then."""

    api: ReadApi
    clock: Clock
    timeout_seconds: float
    _lists: dict[tuple[str, tuple[tuple[str, str], ...], int], asyncio.Future[Listing]] = field(default_factory=dict)

    async def wait(self, kind: Kind, key: Key, server_id: str | None) -> tuple[Health, float]:
        """Health in the end, and the seconds that it took."""
        began = self.clock.monotonic()
        health: Health = "progressing"
        wait, turn = _FIRST_WAIT, 0
        while health in ("progressing", "unknown"):
            spent = self.clock.monotonic() - began
            if spent >= self.timeout_seconds:
                break
            if not await rest(self.clock, min(wait, self.timeout_seconds - spent)):
                break  # a newer commit is there; its pass looks again
            health = await self._look(kind, key, server_id, turn)
            wait, turn = min(wait * 2, _LONGEST_WAIT), turn + 1
        return health, self.clock.monotonic() - began

    async def _look(self, kind: Kind, key: Key, server_id: str | None, turn: int) -> Health:
        if kind.list is None:
            reply = await self.api.get(kind, key, server_id, Purpose.READY)
            return health_of(kind, reply.item) if reply.answer == "ok" else "unknown"
        scope = scope_of_list(kind, key)
        group = (kind.name, scope, turn)
        # Waiters of one turn started within moments of each other: they share the answer.
        if group not in self._lists:
            self._lists[group] = asyncio.ensure_future(self.api.list(kind, scope, Purpose.READY))
        listing = await asyncio.shield(self._lists[group])
        row = find_row(kind, key, listing.rows, server_id, uid_of(self.api.platform.name, key))
        return row.health if row is not None else "unknown"
