"""The bytes behind the handshake of a WebSocket: lines, or one sentence; nothing else comes out of a stream of logs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import socket
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agent.clock import SystemClock
from agent.definitions.load import load_folder
from agent.definitions.platform import Kind, Platform
from agent.errors import AgentError
from agent.live.auth import Authorization, Authorizer
from agent.live.budget import Budget
from agent.live.connection import Connection, Origin
from agent.live.following import _told
from agent.live.logs import LogLine
from agent.live.requests import Prepared, Requests
from agent.live.streams import Streams, connect
from agent.model.identity import Key
from tests.fuzz.target import Draw, Target

DEFINITIONS = Path(__file__).parents[2] / "platforms" / "definitions"
ORIGIN = Origin("http", "api.example.com", 80, "")
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


@cache
def _job() -> tuple[Platform, Kind]:
    platform = load_folder(DEFINITIONS / "datachain-studio", bundled=True, search=[DEFINITIONS])
    return platform, platform.kinds["Job"]


class Nobody(Authorizer):
    """Needs no credential."""

    def __init__(self) -> None:
        pass

    async def authorize(self) -> Authorization:
        return Authorization()

    async def refused(self, authorization: Authorization) -> bool:
        return True


class Paired(Streams):
    """Real streams over one end of a pair of sockets."""

    def __init__(self, sock: socket.socket) -> None:
        budget = Budget((), 0.0, SystemClock(), None, "token", random=random.Random(0))
        super().__init__(Connection("target", deadline_seconds=2.0), ORIGIN, budget, Nobody(), Counter(), str)
        self._sock = sock

    def _handshake(self, prepared: Prepared, proof: Authorization) -> connect:
        handshake = super()._handshake(prepared, proof)
        handshake.create_connection_kwargs |= {"sock": self._sock}
        return handshake


def run(data: bytes) -> None:
    draw = Draw(data)
    lines = asyncio.run(_read(draw.flag(), draw.rest()))
    assert all(isinstance(line, LogLine) and line.text.isprintable() for line in lines), lines


async def _read(shakes: bool, said: bytes) -> list[LogLine]:
    platform, kind = _job()
    assert kind.logs is not None and kind.logs.websocket is not None
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    server = asyncio.ensure_future(_serve(theirs, shakes, said))
    requests = Requests(platform, Connection("target", settings={"team": "blue"}), "", secrets={})
    prepared = requests.evidence(
        kind, kind.logs.websocket, Key("target", kind.name, (), "daily"), "7", {}, streamed=True
    )
    lines: list[LogLine] = []
    streams = Paired(ours)
    try:
        async with streams.open(prepared) as frames:
            while (frame := await frames.next(2.0)) is not None:
                lines += _told(kind.logs, frame, streams)[0]
    except AgentError as error:
        assert error.what
    finally:
        await server
        ours.close()
    return lines


async def _serve(sock: socket.socket, shakes: bool, said: bytes) -> None:
    loop = asyncio.get_running_loop()
    with sock:
        asked = b""
        while b"\r\n\r\n" not in asked:
            piece = await loop.sock_recv(sock, 4096)
            if not piece:
                return
            asked += piece
        key = next(
            line.split(b":", 1)[1].strip()
            for line in asked.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        )
        try:
            await loop.sock_sendall(sock, head + accept + b"\r\n\r\n" + said if shakes else said)
            sock.shutdown(socket.SHUT_WR)
            while await loop.sock_recv(sock, 4096):
                pass
        except OSError:
            return


def _frame(opcode: int, payload: bytes, first: int = 0x80) -> bytes:
    length = bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    return bytes((first | opcode,)) + length + payload


def seeds() -> Iterable[bytes]:
    log = b'{"type": "log", "timestamp": "2024-01-15T10:30:00Z", "level": "INFO", "message": "x", "worker_id": "w1"}'
    close = _frame(8, b"\x03\xe8")
    yield b"\1" + _frame(1, log) + _frame(1, b'{"type": "status", "status": "done"}') + close
    yield b"\1" + _frame(1, log[:20], 0) + _frame(0, log[20:]) + _frame(9, b"ping") + close
    yield b"\1" + _frame(2, b"\0\1") + close
    yield b"\1" + _frame(1, b"\xff") + _frame(8, b"\x03\xf3bye")
    yield b"\0HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
    yield b"\0HTTP/1.1 302 Found\r\nLocation: ws://evil.example/\r\n\r\n"


WORDS = (
    b"\x81",
    b"\x88\x02\x03\xe8",
    b"\x89\x00",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x01",
    b"\x80",
    b'{"type": "log"',
    b"\xc1",
)
TARGETS = (Target("frames", run, seeds, WORDS, size=1500),)
