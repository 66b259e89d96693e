"""The port itself, with real sockets: opened, bounded, given back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent.clock import SystemClock
from agent.errors import AgentError
from agent.server.app import create_app
from agent.server.hooks import hook_routes
from agent.server.listener import CONNECTIONS_MAX, Listener
from agent.server.receivers import BODY_MAX, Receiver


@asynccontextmanager
async def listening(**words: float) -> AsyncIterator[tuple[Listener, int]]:
    app = create_app(hook_routes([Receiver("platform/main", lambda body, event: "accepted", None, SystemClock())]))
    listener = Listener(app, **words)
    await listener.open("127.0.0.1", 0)
    try:
        yield listener, int(listener.address.rpartition(":")[2])
    finally:
        await listener.close()


async def ask(port: int, request: bytes) -> bytes:
    """Everything that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


def post(body: bytes = b"{}", *, length: int | None = None) -> bytes:
    return (
        b"POST /hooks/platform/main HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body) if length is None else length, body)
    )


async def test_a_webhook_is_answered_and_its_connection_closed() -> None:
    async with listening() as (listener, port):
        assert listener.address == f"http://127.0.0.1:{port}"
        answer = await ask(port, post())
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert answer.endswith(b"\r\n\r\n"), "no body"
    assert b"server:" not in answer.lower()


async def test_nothing_listens_after_the_end() -> None:
    async with listening() as (_, port):
        pass
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_length_beyond_the_limit_is_refused_before_the_body_comes() -> None:
    async with listening() as (_, port):
        assert (await ask(port, post(b"", length=BODY_MAX + 1))).startswith(b"HTTP/1.1 413 ")
        assert (await ask(port, post(b"", length=25_000_000_000))).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "bytes_sent",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 200_000],
    ids=["tls", "nonsense", "no host", "long line"],
)
async def test_what_is_no_http_is_refused(bytes_sent: bytes) -> None:
    async with listening() as (_, port):
        try:
            answer = await ask(port, bytes_sent + b"\r\n\r\n")
        except ConnectionResetError:
            answer = b""  # closed while we were still talking
        assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 404")
        assert (await ask(port, post())).startswith(b"HTTP/1.1 202 ")


@pytest.mark.row("L2")
async def test_connections_beyond_the_limit_are_turned_away_and_room_comes_back() -> None:
    async with listening() as (_, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionError):
            if not await ask(port, post()):
                raise ConnectionResetError("closed without a word")
        for _, writer in idle:
            writer.close()
        for _ in range(100):
            try:
                answer = await ask(port, post())
            except ConnectionError:
                answer = b""
            if answer:
                break
            await asyncio.sleep(0.05)  # until the server has seen that they went
        assert answer.startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    "begun", [b"", b"POST /hooks", post(b"{", length=100), post()[:-6] + b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"]
)
@pytest.mark.row("L2")
async def test_a_connection_that_goes_on_and_on_is_cut_off(begun: bytes) -> None:
    async with listening(connection_seconds=0.3) as (_, port):
        try:
            answer = await ask(port, begun)
        except ConnectionResetError:
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


async def drip(request: Request) -> Response:
    """A word ten times a second, for as long as somebody listens; a novel each time for `?novel`."""
    word = b"x" * 1_000_000 if "novel" in request.query_params else b"word\n"

    async def words() -> AsyncIterator[bytes]:
        while True:
            yield word
            await asyncio.sleep(0.05)

    return StreamingResponse(words())


@asynccontextmanager
async def dripping() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = Listener(create_app([Route("/drip", drip)]), connection_seconds=0.3)
    await listener.open("127.0.0.1", 0)
    talking = await asyncio.open_connection("127.0.0.1", int(listener.address.rpartition(":")[2]), limit=1000)
    try:
        yield talking
    finally:
        talking[1].close()
        await listener.close()


async def test_a_stream_goes_on_for_as_long_as_somebody_listens() -> None:
    async with dripping() as (reader, writer):
        writer.write(b"GET /drip HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        ends = asyncio.get_running_loop().time() + 1.2  # four times as long as a request may take
        while asyncio.get_running_loop().time() < ends:
            assert await reader.read(100)


@pytest.mark.row("L2")
async def test_a_stream_that_nobody_takes_is_cut_off() -> None:
    async with dripping() as (reader, writer):
        writer.write(b"GET /drip?novel HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await asyncio.sleep(1.2)
        try:
            async with asyncio.timeout(5):  # it would go on for ever
                while await reader.read(1 << 20):
                    pass
        except ConnectionError:
            pass  # cut off while there was more to read


async def test_an_address_that_is_taken_is_an_error_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AgentError) as caught:
        await Listener(create_app()).open("127.0.0.1", taken.getsockname()[1])
    assert caught.value.error_code == "address-taken"
