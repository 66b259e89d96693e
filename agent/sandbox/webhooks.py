"""Events on their way to subscribers. A platform posts them; the front door wakes the delivery after each request.

Without a sender nothing leaves the sandbox, and `delivered` says what would have. The sender is handed in, so that this
folder needs no HTTP client in process. A failed delivery is not tried again (the page promises nothing).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.sandbox.messages import json_bytes

Sender = Callable[[str, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Delivery:
    url: str
    payload: Mapping[str, Any]
    error: str = ""


class Webhooks:
    def __init__(self) -> None:
        self.send: Sender | None = None
        self.delivered: deque[Delivery] = deque(maxlen=10_000)
        self._outbox: deque[Delivery] = deque(maxlen=10_000)
        self._task: asyncio.Task[None] | None = None

    def post(self, url: str, payload: Mapping[str, Any]) -> None:
        delivery = Delivery(url, payload)
        if self.send is None:
            self.delivered.append(delivery)
        else:
            self._outbox.append(delivery)

    def wake(self) -> None:
        """Start the delivery of what waits. Must run inside an event loop."""
        if self._outbox and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self.drain())

    async def drain(self) -> None:
        """Deliver what waits, in order; what a subscriber does with it is its own affair."""
        while self._outbox and self.send is not None:
            delivery = self._outbox.popleft()
            error = ""
            try:
                await self.send(delivery.url, json_bytes(delivery.payload))
            except OSError as failure:
                error = str(failure) or type(failure).__name__
            self.delivered.append(Delivery(delivery.url, delivery.payload, error))
