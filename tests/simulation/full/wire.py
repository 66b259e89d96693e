"""What lies between an agent and a platform: points of death, time, people who are quicker, and lies about answers."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from agent.sandbox import ConnectionLost
from tests.simulation.full.life import Killed, Life
from tests.simulation.full.referee import LATE
from tests.simulation.in_process import InProcess

if TYPE_CHECKING:
    from tests.simulation.full.world import World

READS = frozenset({"GET", "HEAD"})


class Wire(httpx.AsyncBaseTransport):
    """The way of one incarnation; ``name`` is what the platform sees as User-Agent."""

    def __init__(self, world: World, name: str, life: Life) -> None:
        self._world = world
        self._inner = InProcess(world.app)
        self._name = name
        self._life = life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, life, method = self._world, self._life, request.method
        await request.aread()  # whoever is quicker looks into it
        request.headers["user-agent"] = self._name
        life.point(f"send {method}")
        await world.before(request)
        await self._passes()
        was_dead = life.dead
        try:
            life.point(f"flight {method}")
        except Killed:
            if not was_dead:
                self._is_under_way(request)
            raise
        lie = world.lie_about(request)
        if lie is not None and lie["lie"] == "late":
            world.reached[lie["label"]] += 1
            self._is_under_way(request)
            life.point(f"lost {method}")
            raise httpx.ReadError("the connection was lost before the platform took it up", request=request)
        try:
            response = await self._served(request)
        except ConnectionLost as lost:
            life.point(f"lost {method}")
            raise httpx.ReadError(str(lost), request=request) from lost
        if lie is not None:
            response = told(world, lie, request, response)
        await self._passes()
        life.point(f"answer {method}")
        return response

    def _is_under_way(self, request: httpx.Request) -> None:
        request.headers["user-agent"] = f"{self._name} late"  # so that the judge can tell
        self._world.arrives_late(self._served(request), self._world.chance.uniform(0.0, LATE), within=LATE)

    async def _served(self, request: httpx.Request) -> httpx.Response:
        size = self._world.page_size(request)
        if size is not None:
            request.url = request.url.copy_set_param(*size)
        self._world.sees(request)
        return await self._inner.handle_async_request(request)

    async def _passes(self) -> None:
        latency = self._world.story.cell.latency
        if latency:
            await asyncio.sleep(self._world.chance.random() * latency / 2)


def told(world: World, lie: Mapping[str, Any], request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The answer with a lie in it, or as it is where the lie has no place. Marks the row only in the first case."""
    what, row = lie["lie"], lie["label"]
    stream = response.stream
    assert isinstance(stream, httpx.ByteStream)
    body = b"".join(stream)
    headers = dict(response.headers)
    if what == "action lost":
        world.reached[row] += 1
        raise httpx.ReadError("the answer to an action was lost", request=request)
    if what == "half":
        if not world.revert_half(request):
            return response
        world.reached[row] += 1
        raise httpx.ReadError("half of it was applied", request=request)
    if what == "headers":
        headers |= lie["headers"]
    elif what == "truncated":
        if len(body) < 8:
            return response
        body = body[: len(body) // 2]
        headers.pop("content-length", None)
    elif what == "deep":
        body = b"[" * 5000 + b"]" * 5000
    elif what == "surrogate":
        body = json.dumps({"name": "\ud800"}).encode()
    elif what == "bomb":
        body = world.bomb
        headers["content-encoding"] = "gzip"
    if "content-length" in headers:
        headers["content-length"] = str(len(body))
    world.reached[row] += 1
    return httpx.Response(response.status_code, headers=headers, stream=httpx.ByteStream(body))


def bomb() -> bytes:
    """A few kilobytes that unpack to more than an answer may have."""
    return gzip.compress(bytes(17 << 20), 9)
