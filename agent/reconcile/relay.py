"""Events that come to an agent which is not the home of their target go on to the one that is, through the store.

Runs beside the loop where agents share targets (``cli/at_work``). What travels is what an event pointed at and never
its body; the home takes it up at the database's hint, or about a second later. One that is lost costs time only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from agent.clock import Clock
from agent.errors import StoreError
from agent.model.canonical import from_json, to_json
from agent.reconcile.events import Pointer
from agent.reconcile.inbox import Inbox
from agent.reconcile.tenure import Tenure

PAUSE_SECONDS = 0.25
_AT_ONCE = 100  # whoever floods one agent must not flood the database
_AFTER_TROUBLE_SECONDS = 5.0


class Pointers(Protocol):
    """The part of the store that they travel through."""

    def leave_pointers(self, target: str, came_at: Mapping[str, float]) -> None: ...
    def take_pointers(self, targets: Collection[str]) -> list[tuple[str, str, float]]: ...


@dataclass(slots=True)
class Relay:
    """``inboxes`` asks for those of this agent; ``blocking`` runs a step of the store where it stops nobody."""

    store: Pointers
    tenure: Tenure
    inboxes: Callable[[], Mapping[str, Inbox]]
    clock: Clock
    blocking: Callable[[Callable[[], Any]], Awaitable[Any]]
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def stir(self) -> None:
        """Something has come into an inbox."""
        self._stirred.set()

    async def run(self) -> None:
        """Until it is cancelled: leave what is another agent's to look at."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            pause = PAUSE_SECONDS
            try:
                if await self.leave():
                    self._stirred.set()
            except StoreError:
                self._stirred.set()
                pause = _AFTER_TROUBLE_SECONDS  # told by those who work
            await self.clock.sleep(pause)

    async def leave(self) -> bool:
        """Pass on what came for targets that others are the home of; whether there is more. Raises StoreError."""
        more = False
        for name, inbox in self.inboxes().items():
            waiting = inbox.waiting(_AT_ONCE) if name not in self.tenure.mine else {}
            if waiting:
                texts = {_text(pointer): at for pointer, at in waiting.items()}
                await self.blocking(partial(self.store.leave_pointers, name, texts))
                inbox.passed_on(waiting)
                more = more or len(waiting) == _AT_ONCE
        return more

    async def take(self) -> None:
        """Take up what others have left for the targets that are at home here."""
        inboxes = self.inboxes()
        if any(name not in self.tenure.mine and inbox.waiting(1) for name, inbox in inboxes.items()):
            self.stir()  # it may have come while this agent still was the home
        mine = [name for name in self.tenure.mine if name in inboxes]
        try:
            found = await self.blocking(lambda: self.store.take_pointers(mine))
        except StoreError:
            return  # told by those who work
        for name, text, came_at in found:
            inboxes[name].hear(_pointer(text), came_at)


def _text(pointer: Pointer) -> str:
    return to_json([pointer.kind, pointer.scope, pointer.name, pointer.id]).decode()


def _pointer(text: str) -> Pointer:
    kind, scope, name, server_id = from_json(text)
    return Pointer(kind, tuple((word, value) for word, value in scope), name, server_id)
