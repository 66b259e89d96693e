"""WebSockets on a real port: handshake, texts of every length, ping and close, a refusal, a lost connection."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.sandbox import create_app
from agent.sandbox.server import Server
from tests.unit.sandbox.support import TOKEN, Sandbox
from tests.unit.sandbox.websocket_support import converse

KEY = base64.b64encode(b"0123456789abcdef").decode()


@contextmanager
def served(**options) -> Iterator[tuple[int, object]]:
    app = create_app(token=TOKEN, platform="datachain-studio", **options)
    listener = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    server = Server(app, ready.set, lambda: None)
    server.capture_signals = lambda: _nothing()  # signals belong to the main thread
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    assert ready.wait(10)
    try:
        yield listener.getsockname()[1], app.state.sandbox
    finally:
        app.state.sandbox.closing = True
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class Wire:
    def __init__(self, port: int, job: str, token: str = TOKEN) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(
            f"GET /api/logs/follow/?job_id={job}&team_name=T HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
            f"Authorization: token {token}\r\n\r\n".encode()
        )
        first = self._first_line()
        self.status = int(first.split()[1])
        self.headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def _first_line(self) -> bytes:
        try:
            line = self.file.readline()
        except ConnectionResetError:
            line = b""
        if not line:
            self.close()
            raise ConnectionResetError
        return line

    def send(self, opcode: int, payload: bytes, *, masked: bool = True) -> None:
        mask = b"\x01\x02\x03\x04" if masked else b""
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if masked else payload
        self.socket.sendall(struct.pack("!BB", 0x80 | opcode, (0x80 if masked else 0) | len(payload)) + mask + body)

    def frame(self) -> tuple[int, bytes]:
        head = self.file.read(2)
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.file.read(8))
        return head[0] & 0x0F, self.file.read(size)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def job_in(world) -> str:
    created = world.person_create(
        {"kind": "job", "workspace": "T", "query": "q", "query_type": "SHELL", "query_name": "n"}
    )
    return created["id"]


def test_a_job_is_followed_to_its_end_and_the_server_closes():
    with served(ready_after=0.0) as (port, world):
        job = job_in(world)
        world.platforms["datachain-studio"].write_log(job, "x" * 300)
        world.platforms["datachain-studio"].write_log(job, "y" * 70_000)
        wire = Wire(port, job)
        assert wire.status == 101
        digest = hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        assert wire.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
        messages, code = [], None
        while code is None:
            opcode, payload = wire.frame()
            if opcode == 8:
                (code,) = struct.unpack("!H", payload)
            else:
                assert opcode == 1
                messages.append(json.loads(payload))
        assert code == 1000 and wire.file.read() == b""
        lines = [frame["message"] for frame in messages if frame["type"] == "log"]
        assert "x" * 300 in lines and "y" * 70_000 in lines
        wire.close()


def test_a_ping_is_answered_and_a_close_is_returned():
    with served(ready_after=60.0) as (port, world):
        wire = Wire(port, job_in(world))
        assert json.loads(wire.frame()[1])["job"] == {"status": "CREATED"}
        wire.send(9, b"hello")
        assert wire.frame() == (10, b"hello")
        wire.send(1, b"what a client says is dropped")
        wire.send(8, struct.pack("!H", 1000))
        assert wire.frame() == (8, struct.pack("!H", 1000))
        assert wire.file.read() == b""
        wire.close()


def test_an_unmasked_frame_ends_the_connection():
    with served(ready_after=60.0) as (port, world):
        wire = Wire(port, job_in(world))
        wire.frame()
        wire.send(1, b"x", masked=False)
        assert wire.frame() == (8, struct.pack("!H", 1002))
        wire.close()


def test_a_handshake_can_be_declined():
    with served() as (port, world):
        wire = Wire(port, "any", token="wrong")
        assert wire.status == 401
        assert json.loads(wire.file.read()) == {"message": "Invalid token"}
        wire.close()
        assert [entry.status for entry in world.requests] == [401]


def test_a_lost_connection_has_no_farewell():
    with served(faults=[{"fault": "reset"}]) as (port, _), pytest.raises(ConnectionResetError):
        Wire(port, "any")


def test_a_stop_of_the_server_ends_what_is_followed():
    with served(ready_after=600.0) as (port, world):
        wire = Wire(port, job_in(world))
        wire.frame()
    opcode, _ = wire.frame()
    assert opcode == 8
    wire.close()


async def test_a_client_that_leaves_ends_the_stream_in_process():
    sandbox = Sandbox(platform="datachain-studio", ready_after=1000.0)
    job = job_in(sandbox.world)
    query, headers = f"job_id={job}&team_name=T", {"authorization": f"token {TOKEN}"}
    async with asyncio.timeout(5):
        told = await converse(sandbox.app, "/api/logs/follow/", query, headers, leave_after=1)
    assert told.status == 101 and len(told.frames) >= 1 and told.code is None


async def test_faults_and_the_log_apply_to_a_websocket():
    sandbox = Sandbox(platform="datachain-studio", faults=[{"fault": "unavailable", "times": 1}])
    told = await converse(sandbox.app, "/api/logs/follow/", "job_id=x&team_name=T", {"authorization": f"token {TOKEN}"})
    assert told.status == 503 and told.body.startswith(b"<html>")
    told = await converse(sandbox.app, "/nowhere", "", {"authorization": f"token {TOKEN}"})
    assert told.status == 404
    assert [(entry.method, entry.status, entry.fault) for entry in sandbox.world.requests] == [
        ("GET", 503, "unavailable"),
        ("GET", 404, ""),
    ]
