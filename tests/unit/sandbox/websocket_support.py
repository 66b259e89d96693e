"""A WebSocket to an in-process sandbox, read to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette


@dataclass
class Conversation:
    """What the server sent: `status` is 101, or that of an answer that declines."""

    status: int = 0
    frames: list[Any] = field(default_factory=list)
    body: bytes = b""
    code: int | None = None


async def converse(
    app: Starlette, path: str, query: str, headers: Mapping[str, str], *, leave_after: int | None = None
) -> Conversation:
    """Until the server closes, or until so many frames came."""
    told = Conversation()
    leave = asyncio.Event()
    asked = False

    async def receive() -> Mapping[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "websocket.connect"}
        await leave.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            told.status = 101
        elif message["type"] == "websocket.send":
            told.frames.append(json.loads(message["text"]))
            if len(told.frames) == leave_after:
                leave.set()
        elif message["type"] == "websocket.close":
            told.code = message["code"]
        elif message["type"] == "websocket.http.response.start":
            told.status = message["status"]
        elif message["type"] == "websocket.http.response.body":
            told.body += message["body"]

    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in {**headers, "upgrade": "websocket"}.items()
        ],
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    return told
