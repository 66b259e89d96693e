"""WebSocket (RFC 6455) on a server's connection, as far as a sandbox needs it: text goes out, pings are answered.

uvicorn serves WebSockets only where another library is installed; :mod:`agent.sandbox.server` hands it this protocol
instead. What the client says is read and dropped, for no emulated API listens to it. An application that declines
the handshake answers in plain HTTP.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.types import Message, Scope

from agent.sandbox.messages import ConnectionLost

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FRAME_MAX = 1 << 20
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class WebSocketProtocol(asyncio.Protocol):
    """One connection. uvicorn makes it for each request that asks for an upgrade, and hands it that request first."""

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        self._app = config.loaded_app
        self._state = server_state
        self._app_state = app_state
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._writable.set()
        self._buffer = b""
        self._key = b""
        self._open = False
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._state.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._closed = True
        self._writable.set()
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def shutdown(self) -> None:
        """The server stops."""
        self._end(1012)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            head, separator, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if separator:
                self._begin(head)
        elif self._open:
            self._read_frames()

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        _, target, _ = first.split(b" ", 2)
        raw_path, _, query = target.partition(b"?")
        pairs = [line.partition(b":") for line in lines]
        headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
        self._key = dict(headers).get(b"sec-websocket-key", b"")
        scope: Scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": unquote(raw_path.decode("latin-1")),
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [],
            "state": self._app_state,
            "extensions": {"websocket.http.response": {}},
            "sandbox.abort": self._abort,
        }
        self._received.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.get_running_loop().create_task(self._run(self._app, scope))
        self._state.tasks.add(self._task)
        self._task.add_done_callback(self._state.tasks.discard)

    async def _run(self, app: Callable[..., Awaitable[None]], scope: Scope) -> None:
        try:
            await app(scope, self._received.get, self._send)
        except ConnectionLost:
            await self._abort()
        finally:
            self._end(1011)

    async def _send(self, message: Message) -> None:
        if self._closed:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            accepted = base64.b64encode(hashlib.sha1(self._key + _GUID).digest())  # noqa: S324 - the protocol says so
            head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            self._transport.write(head + b"sec-websocket-accept: " + accepted + b"\r\n\r\n")
            self._open = True
            self._read_frames()
        elif kind == "websocket.send":
            self._frame(_TEXT, message["text"].encode())
            await self._writable.wait()
        elif kind == "websocket.close":
            self._end(message.get("code", 1000))
        elif kind == "websocket.http.response.start":
            head = b"HTTP/1.1 %d Refused\r\nconnection: close\r\n" % message["status"]
            lines = [name + b": " + value + b"\r\n" for name, value in message["headers"]]
            self._transport.write(head + b"".join(lines) + b"\r\n")
        elif kind == "websocket.http.response.body":
            self._transport.write(message.get("body", b""))
            if not message.get("more_body", False):
                self._closed = True
                self._transport.close()

    def _frame(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
        self._transport.write(head + payload)

    def _read_frames(self) -> None:
        while not self._closed and len(self._buffer) >= 2:
            opcode, size, start = self._buffer[0] & 0x0F, self._buffer[1] & 0x7F, 2
            if size >= 126:
                start = 4 if size == 126 else 10
                if len(self._buffer) < start:
                    return
                size = int.from_bytes(self._buffer[2:start], "big")
            masked = bool(self._buffer[1] & 0x80)
            if size > _FRAME_MAX or not masked:
                self._end(1009 if masked else 1002)
                return
            end = start + 4 + size
            if len(self._buffer) < end:
                return
            mask, payload = self._buffer[start : start + 4], self._buffer[start + 4 : end]
            self._buffer = self._buffer[end:]
            payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
            if opcode == _PING:
                self._frame(_PONG, payload)
            elif opcode == _CLOSE:
                self._received.put_nowait({"type": "websocket.disconnect", "code": 1000})
                self._end(1000)

    def _end(self, code: int) -> None:
        if not self._closed:
            self._closed = True
            if self._open:
                self._frame(_CLOSE, struct.pack("!H", code))
            self._transport.close()

    async def _abort(self) -> None:
        self._closed = True
        self._transport.abort()
        await asyncio.sleep(0)
