"""Server-sent events: one word, ``changed``, whenever an open page may show something new; the page asks again then.

Called by ``routes``. Nothing else travels here, so that a page and its news can never differ, and losing an event costs
time only. News are told once a second at the most, and now and then without any, so that ages are kept up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Beyond = Callable[[int, float], Awaitable[int]]
"""Waits until there is news after the one of this number, or for so many seconds; the number of the newest."""

PAUSE_SECONDS = 1.0
QUIET_SECONDS = 15.0
_STREAMS_MAX = 50


def live_route(path: str, beyond: Beyond, stopping: Callable[[], bool]) -> Route:
    """``text/event-stream``; 503 when too many are open."""
    streams = 0

    async def news(since: int) -> AsyncIterator[str]:
        nonlocal streams
        streams += 1
        try:
            yield f"retry: 2000\nid: {since}\n\n"
            while not stopping():
                number = await beyond(since, QUIET_SECONDS)
                yield f"event: changed\nid: {number}\ndata: {number - since}\n\n"
                since = number
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            streams -= 1

    async def stream(request: Request) -> Response:
        since = await beyond(-1, 0.0)
        if streams >= _STREAMS_MAX:
            return Response(status_code=503, headers={"Retry-After": "30"})
        return StreamingResponse(news(since), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return Route(path, stream, methods=["GET"])
