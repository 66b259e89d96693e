"""The port: bound before anything else begins, served by uvicorn in the loop that is running, closed at the end.

Called by ``cli/listening``. It takes no signals, since the agent has its own; it bounds how many connections there are
and how long one may last, so that those who only connect, or send a byte now and then, cost nothing that is missed.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.errors import AgentError

CONNECTIONS_MAX = 200
CONNECTION_SECONDS = 30.0
STREAM_SECONDS = 3600.0  # then who watches connects anew


class BoundedProtocol(H11Protocol):
    """One connection: turned away when there are too many, cut off when its time is over.

    Each request has ``seconds`` from the end of the one before it until its answer is whole. An answer that goes on and
    on, such as a stream of events, has more of them for as long as the other side takes what it is sent.
    """

    seconds = CONNECTION_SECONDS
    _end: asyncio.TimerHandle | None = None
    _until = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._until = self.loop.time() + STREAM_SECONDS
        self._begin()

    def _begin(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self.loop.call_later(self.seconds, self._over)

    def _over(self) -> None:
        streams = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if streams and self.transport.get_write_buffer_size() == 0 and self.loop.time() < self._until:
            self._begin()
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        if not self.transport.is_closing() and self.loop.time() < self._until:
            self._begin()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class Listener:
    """One address. ``address`` is the real one, such as ``http://127.0.0.1:8642``, once it is open."""

    def __init__(self, app: ASGIApp, connection_seconds: float = CONNECTION_SECONDS) -> None:
        self.address = ""
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=type("Bounded", (BoundedProtocol,), {"seconds": connection_seconds}),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",  # its lines quote addresses, and an address may hold a secret
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._socket: socket.socket | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen from now on. AgentError when the address cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        shown = f"[{host}]" if ":" in host else host
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=128)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a name"
            what, fix = f"cannot listen on {shown}:{port}: {reason}", "choose another address, or say `off`"
            raise AgentError(what, code="address-taken", fix=fix) from error
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        # Not `serve`: that would take the signals over, and wake ten times a second for nothing.
        await self._server.startup(sockets=[self._socket])

    async def close(self) -> None:
        """Finish what is being answered, for a moment, and give the port back."""
        if self._socket is not None:
            await self._server.shutdown(sockets=[self._socket])
            self._socket = None
