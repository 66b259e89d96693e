"""uvicorn, held so that a sandbox can do what a server normally must not: lose a connection on purpose.

Imported by :mod:`agent.sandbox.serve` when a real server is asked for, for uvicorn is of no use in process.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.sandbox.websocket import WebSocketProtocol

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class LosableProtocol(H11Protocol):
    """Tells the application how to lose its connection: no ASGI message says so."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner: Any = self.app

        async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
            scope["sandbox.abort"] = lambda: _reset(transport)
            await inner(scope, receive, send)

        self.app = with_abort


class Server(uvicorn.Server):
    """Says when it listens, and returns after a signal instead of dying of it."""

    def __init__(self, app: ASGIApp, on_startup: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=LosableProtocol,
                ws=WebSocketProtocol,
                loop="asyncio",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=75,
            )
        )
        self._on_startup = on_startup
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_startup()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The inherited one raises the signal again when all is done, which would end the process.
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, former in before.items():
                signal.signal(number, former)


async def _reset(transport: asyncio.Transport) -> None:
    """Close at once and without a farewell, as a failing server does."""
    peer = transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # The loop tells the protocol in its next turn; before that it would still try to answer 500.
    await asyncio.sleep(0)
