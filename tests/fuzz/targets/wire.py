"""The bytes of a whole HTTP answer, in any pieces: an answer, or lost; what a body holds is bounded."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable

import httpx

from agent.clock import SystemClock
from agent.live.answers import Reading
from agent.live.auth import Authorization
from agent.live.budget import Budget
from agent.live.connection import Connection, Origin
from agent.live.purpose import Purpose
from agent.live.requests import Prepared
from agent.live.sockets import SocketTransport, _Wire
from agent.live.transport import REPLY_MAX, Answered, Lost, Transport
from tests.fuzz.target import Draw, Target, pieces

ORIGIN = Origin("http", "api.example.com", 80, "")
READ = Prepared("GET", "/v1/things", "/v1/things", (), None, Reading("GET", "/v1/things", False))
WRITE = Prepared("POST", "/v1/things", "/v1/things", (), b"{}", Reading("POST", "/v1/things", True))


class Line(asyncio.Transport):
    """A connection whose other end says what it was given, then goes away; it says it when it was asked."""

    def __init__(self, wire: _Wire, parts: list[bytes], *, closes: bool) -> None:
        super().__init__()
        self._wire = wire
        self._parts = parts
        self._closes = closes
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        asyncio.get_running_loop().call_soon(self._say)

    def _say(self) -> None:
        if self._closed:
            return
        if self._parts:
            self._wire.data_received(self._parts.pop(0))
            asyncio.get_running_loop().call_soon(self._say)
        else:
            self._gone(None if self._closes else ConnectionResetError())

    def _gone(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._wire.connection_lost(error)

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        asyncio.get_running_loop().call_soon(self._gone, None)

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self._gone, ConnectionAbortedError())


class Spoken(SocketTransport):
    """The real transport over lines that say these bytes."""

    def __init__(self, data: bytes, size: int, *, closes: bool) -> None:
        super().__init__("api.example.com", 80, None, connect_seconds=1.0, keep=2)
        self._data, self._size, self._closes = data, size, closes

    async def _connect(self) -> _Wire:
        wire = _Wire()
        wire.connection_made(Line(wire, pieces(self._data, self._size), closes=self._closes))
        return wire


def run(data: bytes) -> None:
    draw = Draw(data)
    size, closes, writes = 1 + draw.integer(200), draw.flag(), draw.flag()
    asyncio.run(_exchanged(Spoken(draw.rest(), size, closes=closes), writes=writes))


async def _exchanged(wire: Spoken, *, writes: bool) -> None:
    budget = Budget((), 0.0, SystemClock(), None, "token")
    transport = Transport(Connection("target", deadline_seconds=2.0), ORIGIN, budget, may_write=True, wire=wire)

    async def authorize() -> Authorization:
        return Authorization()

    for _ in range(2):  # twice: what was said behind the first answer must not become the second one
        outcome, _proof = await transport.exchange(WRITE if writes else READ, Purpose.LOOK, authorize)
        assert isinstance(outcome, Answered | Lost)
        if isinstance(outcome, Answered):
            assert 100 <= outcome.status <= 999 and len(outcome.body) <= REPLY_MAX
            assert not (outcome.fault and outcome.body)
            assert all(name == name.lower() for name in outcome.headers)
        else:
            assert outcome.sent and outcome.message and outcome.message.isprintable()
    await transport.close()
    assert isinstance(wire, httpx.AsyncBaseTransport)


def seeds() -> Iterable[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    texts = [
        head + b'Content-Length: 8\r\n\r\n{"a": 1}',
        head + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n",
        head + b'\r\n{"a": 1}',
        head + b"Content-Encoding: gzip\r\nContent-Length: 28\r\n\r\n" + gzip.compress(b'{"a": 1}', mtime=0),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 301 Moved\r\nLocation: http://evil.example/\r\nSet-Cookie: a=b\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        head + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    ]
    for text in texts:
        yield b"\xff\1\0" + text
        yield b"\5\0\1" + text


WORDS = (
    b"\r\n\r\n",
    b"\r\n",
    b"HTTP/1.1 ",
    b"200",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"-1",
)
WORDS += (
    b"Content-Encoding: deflate\r\n",
    b"Connection: close\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"\x1f\x8b",
    b"ffffffff\r\n",
)
TARGETS = (Target("http", run, seeds, WORDS, size=2000),)
