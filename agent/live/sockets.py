"""HTTP/1.1 on plain asyncio sockets as an httpx transport: ``transport`` sends through it unless there is a proxy.

httpx's own pool costs five times the CPU of this one on a small answer (locks, events and a second async layer around
each read), and CPU per call is what a cold pass of ten thousand reads is made of. Parsing is h11's, the parser that
httpx itself uses, but for a GET whose answer has the shape of nearly all (``plain_answers``); this module only keeps
connections. It raises httpx's exceptions, so that one door converts all.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import AsyncIterator

import h11
import httpx

from agent.live.plain_answers import PlainAnswer

# A server may close an idle connection just as we write to it; a write must not meet that race.
_IDLE_SECONDS_READ = 30.0
_IDLE_SECONDS_WRITE = 3.0
_HEAD_MAX = 64 * 1024
_TARGET = re.compile(rb"[!-~]+")
_FRAMING = frozenset({b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade"})
_SPOKEN_MAX = 8

Fields = list[tuple[bytes, bytes]]


class SocketTransport(httpx.AsyncBaseTransport):
    """Connections to one origin, kept for the next call. ``connect_seconds`` bounds name lookup, TCP and TLS."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, *, connect_seconds: float, keep: int) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._keep = keep
        self._idle: list[_Wire] = []
        self._closed = False
        self._spoken: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        body = b"".join([chunk async for chunk in request.stream])
        status, headers, stream = await self.call(request.method, request.url.raw_path, request.headers.raw, body)
        return httpx.Response(status, headers=headers, stream=stream)

    async def call(
        self, method: str, target: bytes, headers: Fields, body: bytes
    ) -> tuple[int, Fields, httpx.AsyncByteStream]:
        """The same without httpx's objects, which cost as much as the call: status, headers in small letters, body."""
        wire = self._reusable(method) or await self._connect()
        try:
            if method == "GET" and not body and (spoken := self._spoken_of(target, headers)):
                answer = await wire.asked(spoken, target, headers)
                if answer is not None:
                    self.release(wire)
                    return answer.status, answer.headers, httpx.ByteStream(answer.body)
                head = await wire.head()
            else:
                head = await wire.exchange(method, target, headers, body)
        except BaseException:
            wire.abort()
            raise
        return head.status_code, list(head.headers), _Body(self, wire)

    async def aclose(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _spoken_of(self, target: bytes, headers: Fields) -> bytes:
        """A GET as h11 words it; what it says of all but the target is remembered. Empty: h11 must see it each time."""
        fields = tuple(headers)
        rest = self._spoken.get(fields)
        if rest is None:
            try:
                whole = h11.Connection(h11.CLIENT).send(h11.Request(method="GET", target="/", headers=headers)) or b""
            except h11.LocalProtocolError:
                return b""
            framed = any(name.lower() in _FRAMING for name, _ in fields)
            if len(self._spoken) >= _SPOKEN_MAX:
                self._spoken.clear()
            rest = self._spoken[fields] = b"" if framed else whole.removeprefix(b"GET /")
        return b"GET " + target + rest if rest and _TARGET.fullmatch(target) else b""

    def release(self, wire: _Wire) -> None:
        """The answer was read to its end: keep the connection if both sides may go on."""
        if not self._closed and len(self._idle) < self._keep and wire.renew():
            self._idle.append(wire)
        else:
            wire.close()

    def _reusable(self, method: str) -> _Wire | None:
        idle_max = _IDLE_SECONDS_READ if method in ("GET", "HEAD") else _IDLE_SECONDS_WRITE
        while self._idle:
            wire = self._idle.pop()
            if wire.is_alive(idle_max):
                return wire
            wire.close()
        return None

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, wire = await loop.create_connection(
                    _Wire,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls is not None else None,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except ssl.SSLCertVerificationError as error:
            raise httpx.ConnectError(f"certificate refused: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise httpx.ConnectError(f"TLS failed: {error.reason}") from error
        except (OSError, UnicodeError) as error:
            # asyncio's own text names addresses in Python's notation; resolver errors have negative numbers.
            number = error.errno if isinstance(error, OSError) and error.errno is not None else 0
            reason = os.strerror(number).lower() if number > 0 else "the host cannot be looked up or does not answer"
            raise httpx.ConnectError(reason) from error
        return wire


class _Wire(asyncio.Protocol):
    """One connection and its parser. At most one exchange at a time."""

    def __init__(self) -> None:
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_MAX)
        self._transport: asyncio.Transport | None = None
        self._news: asyncio.Future[None] | None = None
        self._plain: PlainAnswer | None = None
        self._lost = False
        self._ended = False  # by the other side, and in order
        self._idle_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._idle_since is not None:
            # Nothing was asked: whatever this is, it must not become the answer to the next call.
            self.abort()
            return
        if self._plain is not None:
            self._plain.add(data)
        else:
            self._parser.receive_data(data)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost, self._ended = True, exc is None
        if self._plain is None and self._idle_since is None:
            self._end()
        self._wake()

    async def asked(self, spoken: bytes, target: bytes, headers: Fields) -> PlainAnswer | None:
        """Send a GET. None where h11 has to read the answer, which is given all that has come of it: :meth:`head`."""
        assert self._transport is not None
        answer = self._plain = PlainAnswer()
        self._transport.write(spoken)
        while (whole := answer.is_whole()) is None and not self._lost:
            await self._more()
        self._plain = None
        if whole:
            return answer
        self._say("GET", target, headers, b"")
        self._parser.receive_data(bytes(answer.data)) if answer.data else None
        if self._lost:
            self._end()
        return None

    async def exchange(self, method: str, target: bytes, headers: Fields, body: bytes) -> h11.Response:
        """Send the request, return the head of its answer."""
        assert self._transport is not None
        self._transport.write(self._say(method, target, headers, body))
        return await self.head()

    async def head(self) -> h11.Response:
        event = await self.next_event()
        while isinstance(event, h11.InformationalResponse) and event.status_code != 101:
            event = await self.next_event()
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("the connection was closed without an answer")
        return event

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            if self._lost:
                raise httpx.ReadError("the connection was lost")
            await self._more()

    def renew(self) -> bool:
        """Make ready for the next exchange; False when this connection cannot have one."""
        parser = self._parser
        if self._lost or self._transport is None or self._transport.is_closing():
            return False
        if parser.our_state is not h11.IDLE:  # where it was not asked, it has nothing to forget
            if parser.our_state is not h11.DONE or parser.their_state is not h11.DONE or parser.trailing_data[0]:
                return False
            parser.start_next_cycle()
        self._idle_since = asyncio.get_running_loop().time()
        return True

    def is_alive(self, idle_max: float) -> bool:
        """Whether an idle connection may be used again; it is no longer idle then."""
        since, self._idle_since = self._idle_since, None
        fresh = since is not None and asyncio.get_running_loop().time() - since <= idle_max
        return fresh and not self._lost and self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        self._lost = True
        if self._transport is not None:
            self._transport.abort()

    def _say(self, method: str, target: bytes, headers: Fields, body: bytes) -> bytes:
        """The bytes of a request that the parser then knows of."""
        send = self._parser.send
        try:
            head = send(h11.Request(method=method, target=target, headers=headers))
            whole = (head or b"") + ((send(h11.Data(data=body)) or b"") if body else b"")
            return whole + (send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    def _end(self) -> None:
        """Tell the parser that nothing follows, where the other side said so."""
        if self._ended and self._parser.their_state is not h11.ERROR:
            self._parser.receive_data(b"")

    async def _more(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class _Body(httpx.AsyncByteStream):
    """The body of one answer; read to its end, it gives the connection back, else it ends the connection."""

    def __init__(self, owner: SocketTransport, wire: _Wire) -> None:
        self._owner = owner
        self._wire: _Wire | None = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        wire = self._wire
        while wire is not None:
            event = await wire.next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._wire = None
                self._owner.release(wire)
                return
            else:
                raise httpx.RemoteProtocolError("the answer was cut short")

    async def aclose(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()
