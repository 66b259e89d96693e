"""The shortest way into an ASGI application: one call, no task, no stream. httpx's own costs more than the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx


class InProcess(httpx.AsyncBaseTransport):
    """What the application raises is raised here."""

    def __init__(self, app: Any) -> None:
        self._app = getattr(app, "door", app)  # the sandbox's front door; Starlette before it has nothing to add

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        path, _, query = request.url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "method": request.method,
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        head: Mapping[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return httpx.Response(head["status"], headers=head["headers"], stream=httpx.ByteStream(b"".join(parts)))
