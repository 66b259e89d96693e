"""Death at a chosen moment: every effect of an incarnation is a numbered point, and one of them is its last.

After it *all* seams of that incarnation raise, so that no ``finally`` reaches the outside; what the server was already
sent runs on. ``Killed`` is no ``Exception``: nothing in the agent may catch it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from agent.sandbox import ConnectionLost
from agent.store.store import Store
from tests.simulation.in_process import InProcess


class Killed(BaseException):
    """The process died here."""


class Life:
    """Counts the effect points of one incarnation; at ``last`` it dies."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.points: list[str] = []
        self.dead = False

    def point(self, name: str) -> None:
        if self.dead:
            raise Killed(f"after {self.points[-1]}")
        self.points.append(name)
        if self.last is not None and len(self.points) >= self.last:
            self.dead = True
            raise Killed(name)


class MortalTransport(httpx.AsyncBaseTransport):
    """The way to the sandbox, with a point before each request and one before each answer is read."""

    def __init__(self, app: Any, life: Life) -> None:
        self._inner: httpx.AsyncBaseTransport = InProcess(app)
        self._life = life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._life.point(f"send {request.method}")
        try:
            response = await self._inner.handle_async_request(request)
        except ConnectionLost as lost:
            self._life.point(f"lost {request.method}")
            raise httpx.ReadError(str(lost), request=request) from lost
        self._life.point(f"answer {request.method}")
        return response


class MortalStore(Store):
    """The real store, with a point before and after each commit. Dying before it rolls the transaction back."""

    life: Life | None = None  # set once it is open

    @contextmanager
    def _write(self, *arguments: Any, **words: Any) -> Iterator[Any]:
        with super()._write(*arguments, **words) as connection:
            yield connection
            if self.life is not None:
                self.life.point("commit")
        if self.life is not None:
            self.life.point("committed")
