"""Real bytes over loopback: what a server may do to us, and what then is true (rows 152 to 158, A16 to A19, A31)."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from agent.definitions.platform import Window
from agent.errors import ConfigError, Refused
from agent.live.answers import Reading
from agent.live.auth import Authorization
from agent.live.budget import Budget
from agent.live.connection import Connection, parse_server
from agent.live.purpose import Purpose
from agent.live.requests import Prepared
from agent.live.sockets import SocketTransport
from agent.live.transport import REPLY_MAX, Answered, Lost, Transport
from tests.unit.live.made_up import Answers, VirtualClock

Script = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Served:
    """A server that reads one request head and body, then does as scripted; counts connections."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.requests: list[bytes] = []


@asynccontextmanager
async def serving(script: bytes | Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    served = Served()
    writers: list[asyncio.StreamWriter] = []
    serving_tasks: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        writers.append(writer)
        serving_tasks.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                request = head + await reader.readexactly(length)
                served.requests.append(request)
                if isinstance(script, bytes):
                    writer.write(script)
                    await writer.drain()
                    if not script.startswith(OK) and b"set-cookie" not in script:
                        break
                else:
                    await script(request, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield served
    finally:
        server.close()
        for writer in writers:
            with suppress(AttributeError):  # one that is closed to the end has no loop any more, in Python 3.11
                writer.transport.abort()
        await asyncio.wait_for(asyncio.gather(*serving_tasks, return_exceptions=True), 5)


class RealClock(VirtualClock):
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def transport(url: str, *, may_write: bool = True, wire: Any = None, **words: Any) -> Transport:
    words = {"deadline_seconds": 5.0, "allow_http": True, **words}
    connection = Connection("target", url, **words)
    budget = Budget((), 0.0, RealClock(), None, "test")
    return Transport(connection, parse_server(url, allow_http=True), budget, may_write=may_write, wire=wire)


def call(method: str = "GET", target: str = "/v1/x?a=b", body: bytes | None = None, **words: Any) -> Prepared:
    headers = ((b"accept", b"application/json"),)
    return Prepared(method, target, "/x", headers, body, Reading(method, "/x", writes=False), **words)


async def nobody() -> Authorization:
    return Authorization(((b"authorization", b"Bearer x"),))


async def once(script: bytes | Script, prepared: Prepared | None = None, **words: Any) -> Answered | Lost:
    async with serving(script) as served:
        carrier = transport(served.url, **words)
        try:
            return (await carrier.exchange(prepared or call(), Purpose.READ, nobody))[0]
        finally:
            await carrier.close()


async def test_an_answer_comes_back_with_lower_case_headers_and_one_connection_serves_many() -> None:
    async with serving(OK) as served:
        carrier = transport(served.url)
        for _ in range(5):
            outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
            assert outcome == Answered(200, {"content-type": "application/json", "content-length": "2"}, b"{}")
        await carrier.close()
    assert served.connections == 1
    assert carrier.calls == {"read": 5}
    head = served.requests[0].decode()
    assert head.startswith("GET /v1/x?a=b HTTP/1.1\r\n")
    assert "authorization: Bearer x" in head.lower().replace("bearer", "Bearer")
    assert "host: 127.0.0.1:" in head.lower() and "cookie" not in head.lower()


async def test_a_body_is_sent_whole_with_its_length() -> None:
    async with serving(OK) as served:
        carrier = transport(served.url)
        await carrier.exchange(call("POST", body=b"x" * 300_000), Purpose.WRITE, nobody)
        await carrier.exchange(call("POST"), Purpose.WRITE, nobody)
        await carrier.exchange(call("DELETE"), Purpose.WRITE, nobody)
        await carrier.close()
    assert served.requests[0].endswith(b"x" * 300_000)
    assert b"content-length: 0" in served.requests[1].lower()
    assert b"content-length" not in served.requests[2].lower()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
)
@pytest.mark.row("A16", "A17")
async def test_an_answer_that_is_not_whole_http_is_lost(answer: bytes) -> None:
    outcome = await once(answer)
    assert isinstance(outcome, Lost) and outcome.sent


async def test_an_answer_longer_than_it_said_never_becomes_the_next_one() -> None:
    async with serving(OK + b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"evil"') as served:
        carrier = transport(served.url)
        for _ in range(3):
            outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
            assert isinstance(outcome, Lost) or outcome.body == b"{}"
            await asyncio.sleep(0.01)
        await carrier.close()
    assert served.connections >= 2


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Empty:\r\nConnection: Keep-Alive\r\n"
SHAPES = (
    PLAIN + b"Content-Length: 8\r\n\r\n[1, 2]\r\n",
    PLAIN + b"content-length:   0  \r\n\r\n",
    PLAIN + b"content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
    PLAIN + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    PLAIN + b"content-length: 2, 2\r\n\r\n{}",
    PLAIN + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    PLAIN + b"content-length: 2\r\ntransfer-encoding: gzip\r\n\r\n{}",
    PLAIN + b"content-length: +2\r\n\r\n{}",
    PLAIN + b"content-length: 9\r\n\r\n{}",
    PLAIN + b"content-length : 2\r\n\r\n{}",
    PLAIN + b"content-length: 2\r\nx: a\r\n b\r\n\r\n{}",
    PLAIN + b"content-length: 2\r\nx: \xe4\tb \r\n\r\n{}",
    PLAIN + b"content-length: 2\r\nx: a\rb\r\n\r\n{}",
    PLAIN + b"content-length: 2\r\nx y: b\r\n\r\n{}",
    PLAIN.replace(b"\r\n", b"\n") + b"content-length: 2\n\n{}",
    PLAIN.replace(b"Keep-Alive", b"close") + b"content-length: 2\r\n\r\n{}",
    PLAIN.replace(b"200 OK", b"200") + b"content-length: 2\r\n\r\n{}",
    PLAIN.replace(b"200 OK", b"204 Gone Well") + b"content-length: 2\r\n\r\n{}",
    PLAIN.replace(b"200 OK", b"503 Busy") + b"content-length: 2\r\n\r\n{}",
    PLAIN.replace(b"200 OK", b"099 No") + b"content-length: 2\r\n\r\n{}",
    PLAIN.replace(b"1.1", b"1.0", 1) + b"content-length: 2\r\n\r\n{}",
    b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + PLAIN + b"content-length: 2\r\n\r\n{}",
    PLAIN + b"x: " + b"y" * 30_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
    PLAIN + b"content-length: 2000000\r\n\r\n" + b" " * 2_000_000,
)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("piece", [7, 100_000])
@pytest.mark.parametrize("answer", SHAPES)
async def test_an_answer_to_a_read_is_taken_as_the_parser_takes_it(answer: bytes, piece: int, ends: bool) -> None:
    """A write's answer is always the parser's, and a read's only where it has not the shape that nearly all have."""

    async def say(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(answer), piece if len(answer) < 1000 else 100_000):
            writer.write(answer[start : start + (piece if len(answer) < 1000 else 100_000)])
            await writer.drain()
            await asyncio.sleep(0)
        if ends:
            raise ConnectionError

    async def three(method: str, seconds: float) -> tuple[list[Answered | Lost], int]:
        async with serving(say) as served:
            carrier = transport(served.url, deadline_seconds=seconds)
            outcomes = []
            for _ in range(3):
                outcomes.append((await carrier.exchange(call(method), Purpose.READ, nobody))[0])
                await asyncio.sleep(0.01)
            await carrier.close()
            return outcomes, served.connections

    found = [await three(method, 0.3) for method in ("GET", "POST")]
    if found[0] != found[1]:  # a machine that stands still for so long looks like an answer that never comes
        found = [await three(method, 5.0) for method in ("GET", "POST")]
    assert found[0] == found[1]


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    outcome = await once(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"a": 1}')
    assert isinstance(outcome, Answered) and outcome.body == b'{"a": 1}'


@pytest.mark.row("A16")
async def test_a_reset_in_the_middle_is_lost_and_may_have_landed() -> None:
    async def reset(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n{")
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    outcome = await once(reset, call("POST", body=b"{}"))
    assert isinstance(outcome, Lost) and outcome.sent


async def test_early_informational_answers_are_skipped() -> None:
    outcome = await once(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + OK)
    assert isinstance(outcome, Answered) and outcome.status == 200


async def test_nobody_listening_is_unreachable_and_never_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        carrier = transport(f"http://127.0.0.1:{taken.getsockname()[1]}")
        outcome, _ = await carrier.exchange(call("POST", body=b"{}"), Purpose.WRITE, nobody)
    assert isinstance(outcome, Lost) and not outcome.sent
    assert "Connection refused" in outcome.message or "no connection" in outcome.message


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    carrier = transport("http://nowhere.invalid")
    outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
    assert isinstance(outcome, Lost) and not outcome.sent


@pytest.mark.row("A31")
async def test_the_deadline_is_for_the_whole_call_not_for_each_byte() -> None:
    async def drip(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    began = asyncio.get_running_loop().time()
    outcome = await once(drip, deadline_seconds=0.3)
    assert isinstance(outcome, Lost) and outcome.sent and "0.3 s" in outcome.message
    assert asyncio.get_running_loop().time() - began < 2


@pytest.mark.row("A19")
async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with serving(b"HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n") as served:
        carrier = transport(served.url)
        outcome, _ = await carrier.exchange(call("POST", body=b"{}"), Purpose.WRITE, nobody)
        await carrier.close()
    assert isinstance(outcome, Answered) and outcome.status == 307
    assert len(served.requests) == 1


async def test_a_cookie_is_never_sent_back() -> None:
    async with serving(OK.replace(b"\r\n\r\n", b"\r\nset-cookie: session=1; Path=/\r\n\r\n")) as served:
        carrier = transport(served.url)
        for _ in range(2):
            await carrier.exchange(call(), Purpose.READ, nobody)
        await carrier.close()
    assert len(served.requests) == 2 and not any(b"session" in request for request in served.requests)


def encoded(body: bytes, coding: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (coding, len(body)) + body


async def test_an_encoding_that_nobody_asked_for_is_read_within_bounds() -> None:
    for body, coding in (
        (gzip.compress(b"[1]", mtime=0), b"gzip"),
        (zlib.compress(b"[1]"), b"deflate"),
        (b"[1]", b"identity"),
    ):
        outcome = await once(encoded(body, coding))
        assert isinstance(outcome, Answered) and (outcome.body, outcome.fault) == (b"[1]", "")


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"[1]", b"br"),
        (b"[1]", b"gzip"),
        (gzip.compress(b"[1]", mtime=0)[:-4], b"gzip"),
        (gzip.compress(b"[1]", mtime=0) * 2, b"gzip"),
        (gzip.compress(gzip.compress(b"[1]", mtime=0), mtime=0), b"gzip, gzip"),
    ],
)
async def test_an_encoding_that_is_damaged_or_unknown_is_a_fault(body: bytes, coding: bytes) -> None:
    outcome = await once(encoded(body, coding))
    assert isinstance(outcome, Answered) and outcome.fault and outcome.body == b""


@pytest.mark.row("A21")
async def test_a_gzip_bomb_is_cut_at_the_budget() -> None:
    packer = zlib.compressobj(6, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    tracemalloc.start()
    outcome = await once(encoded(bomb, b"gzip"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(outcome, Answered) and outcome.fault
    assert peak < 48 << 20


@pytest.mark.parametrize(("size", "good"), [(REPLY_MAX, True), (REPLY_MAX + 1, False)])
async def test_a_body_may_have_sixteen_mebibytes_and_no_more(size: int, good: bool) -> None:
    outcome = await once(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b" " * size)
    assert isinstance(outcome, Answered)
    assert (outcome.fault == "") is good


async def test_a_mutating_method_never_leaves_a_connection_that_only_reads() -> None:
    async with serving(OK) as served:
        carrier = transport(served.url, may_write=False)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(Refused):
                await carrier.exchange(call(method), Purpose.WRITE, nobody)
        await carrier.exchange(call("POST", reads=True), Purpose.READ, nobody)
        await carrier.close()
    assert [request.split(b" ")[0] for request in served.requests] == [b"POST"]


@pytest.mark.parametrize(
    "target",
    [
        "/v1/workflow/..",
        "/v1/./x",
        "/a/../b",
        "//evil.example/x",
        "@evil.example/",
        ":1234/x",
        "/x#f",
        "/é",
        "/a b",
        "x",
    ],
)
async def test_a_path_that_would_change_on_its_way_is_not_sent(target: str) -> None:
    sent = Answers(lambda request: httpx.Response(200))
    carrier = transport("https://api.example.com", wire=sent)
    with pytest.raises(Refused):
        await carrier.exchange(call(target=target), Purpose.READ, nobody)
    assert sent.requests == []


async def test_a_path_that_would_change_is_not_sent_by_sockets_that_have_sent_before_either() -> None:
    async with serving(OK) as served:
        carrier = transport(served.url)
        await carrier.exchange(call(target="/v1/x?a=b"), Purpose.READ, nobody)
        for target in ("/v1/..", "/v1/./x", "//evil.example/x", "@evil.example/", "/x#f", "/é", "/a b", "/a\r\nb", ""):
            with pytest.raises(Refused):
                await carrier.exchange(call(target=target), Purpose.READ, nobody)
        await carrier.exchange(call(target="/v1/a%2Fb/%2E%2E?a=%20&b=/?"), Purpose.READ, nobody)
        await carrier.close()
    assert [request.split(b" ")[1] for request in served.requests] == [b"/v1/x?a=b", b"/v1/a%2Fb/%2E%2E?a=%20&b=/?"]


def test_no_client_reads_otherwise_what_is_sent_without_asking_one() -> None:
    parts = (*'/.%?#[]|^`{}\\"<> é\n\r\0\x7f@', "..", "%2e", "%2F", "%zz", "a", "B9", "-~", "!$&'()*+,;=", ":8", "//")
    carrier, chance, proved = transport("https://api.example.com"), Random(1), 0
    carrier._prove("/")
    for _ in range(20_000):
        target = "/a" + "".join(chance.choice(parts) for _ in range(chance.randint(0, 6)))
        try:
            carrier._prove(target)
        except Refused:
            continue
        proved += 1
        url = httpx.URL(f"https://api.example.com{target}")
        assert (url.raw_host, url.port, url.raw_path) == (b"api.example.com", None, target.encode("ascii"))
        assert not url.userinfo and not url.fragment
    assert proved > 1000


async def test_a_query_credential_is_added_after_the_call_was_built() -> None:
    async def by_query() -> Authorization:
        return Authorization(query="key=s%26ecret")

    sent = Answers(lambda request: httpx.Response(200))
    carrier = transport("https://api.example.com", wire=sent)
    await carrier.exchange(call(target="/x"), Purpose.READ, by_query)
    await carrier.exchange(call(target="/x?a=1"), Purpose.READ, by_query)
    assert [path for _, path in sent.sent] == ["/x?key=s%26ecret", "/x?a=1&key=s%26ecret"]


async def test_no_call_escapes_the_budget_and_one_that_was_not_sent_is_given_back() -> None:
    async with VirtualClock().running() as clock:
        budget = Budget((Window(2, 60.0),), 0.0, clock, None, "test")

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/down":
                raise httpx.ConnectError("down")
            return httpx.Response(200)

        origin = parse_server("https://api.example.com", allow_http=False)
        carrier = Transport(Connection("t"), origin, budget, may_write=False, wire=Answers(answer))
        for _ in range(5):
            await carrier.exchange(call(target="/down"), Purpose.READ, nobody)
        assert clock.elapsed == 0 and budget.left()[0].left == 2
        for _ in range(4):
            await carrier.exchange(call(target="/up"), Purpose.READ, nobody)
        assert clock.elapsed >= 60


async def test_a_429_stops_also_who_was_admitted_and_waits_for_a_connection() -> None:
    async with VirtualClock().running() as clock:
        budget = Budget((Window(100, 60.0),), 0.0, clock, None, "test")
        sent: list[float] = []

        async def answer(request: httpx.Request) -> httpx.Response:
            sent.append(clock.elapsed)
            await clock.sleep(1.0)
            return httpx.Response(429 if len(sent) == 1 else 200, headers={"retry-after": "10"})

        class Slow(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                return await answer(request)

        origin = parse_server("https://api.example.com", allow_http=False)
        carrier = Transport(Connection("t", concurrency=1), origin, budget, may_write=False, wire=Slow())

        async def one() -> None:
            outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
            assert isinstance(outcome, Answered)
            budget.note(outcome.headers, None, outcome.status)

        await asyncio.gather(one(), one())
        assert sent[0] == 0 and sent[1] >= 11


async def test_as_many_calls_at_once_as_the_connection_allows() -> None:
    running = most = 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
            return httpx.Response(200)

    carrier = transport("https://api.example.com", wire=Slow(), concurrency=3)
    await asyncio.gather(*(carrier.exchange(call(), Purpose.READ, nobody) for _ in range(12)))
    assert most == 3


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.PoolTimeout("x"), False),
        (httpx.ProxyError("x"), False),
        (httpx.UnsupportedProtocol("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.WriteTimeout("x"), True),
        (httpx.ReadError("x"), True),
        (httpx.WriteError("x"), True),
        (httpx.CloseError("x"), True),
        (httpx.RemoteProtocolError("x"), True),
        (httpx.LocalProtocolError("x"), True),
        (httpx.DecodingError("x"), True),
        (httpx.TooManyRedirects("x"), True),
        (httpx.StreamClosed(), True),
        (httpx.InvalidURL("x"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (ssl.SSLError(), True),
    ],
)
async def test_every_foreign_error_becomes_an_outcome(fault: Exception, sent: bool) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise fault

    carrier = transport("https://api.example.com", wire=Answers(fail))
    outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
    assert isinstance(outcome, Lost) and outcome.sent is sent


async def test_a_cancelled_call_ends_its_connection_and_frees_its_place() -> None:
    async def never(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(never) as served:
        carrier = transport(served.url, concurrency=1)
        task = asyncio.ensure_future(carrier.exchange(call(), Purpose.READ, nobody))
        while not served.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        second = asyncio.ensure_future(carrier.exchange(call(), Purpose.READ, nobody))
        while len(served.requests) < 2:
            await asyncio.sleep(0.005)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await carrier.close()
    assert served.connections == 2


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async def close_after(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        raise ConnectionError

    async with serving(close_after) as served:
        carrier = transport(served.url)
        for _ in range(3):
            outcome, _ = await carrier.exchange(call("POST", body=b"{}"), Purpose.WRITE, nobody)
            assert isinstance(outcome, Answered)
            await asyncio.sleep(0.02)
        await carrier.close()
    assert served.connections == 3


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {folder}/key.pem "
        f"-out {folder}/cert.pem -subj /CN=nobody -addext subjectAltName=IP:127.0.0.1".split(),
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return folder


def tls_server(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.row("A33")
async def test_tls_works_with_a_configured_certificate_and_is_refused_without(certificate: Path) -> None:
    async with serving(OK, tls_server(certificate)) as served:
        trusting = transport(served.url, ca_file=certificate / "cert.pem")
        outcome, _ = await trusting.exchange(call(), Purpose.READ, nobody)
        assert isinstance(outcome, Answered) and outcome.body == b"{}"
        await trusting.close()
        strict = transport(served.url)
        refused, _ = await strict.exchange(call(), Purpose.READ, nobody)
        assert isinstance(refused, Lost) and not refused.sent and "certificate" in refused.message
        other_name = transport(served.url.replace("127.0.0.1", "localhost"), ca_file=certificate / "cert.pem")
        refused, _ = await other_name.exchange(call(), Purpose.READ, nobody)
        assert isinstance(refused, Lost) and not refused.sent
        plain = transport(served.url.replace("https", "http"))
        lost, _ = await plain.exchange(call(), Purpose.READ, nobody)
        assert isinstance(lost, Lost)
        await plain.close()
    assert len(served.requests) == 1


async def test_tls_to_a_server_that_speaks_none_is_refused(tmp_path: Path) -> None:
    async with serving(b"hello\r\n\r\n") as served:
        carrier = transport(served.url.replace("http:", "https:"), deadline_seconds=1.0)
        outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
    assert isinstance(outcome, Lost) and not outcome.sent and served.requests == []
    with pytest.raises(ConfigError):
        transport("https://api.example.com", ca_file=tmp_path / "missing.pem")


# --- proxies


async def test_proxies_of_the_environment_are_ignored_unless_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(OK) as proxy, serving(OK) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        monkeypatch.setenv("no_proxy", "elsewhere.example")
        direct = transport(server.url)
        await direct.exchange(call(), Purpose.READ, nobody)
        await direct.close()
        assert (len(server.requests), len(proxy.requests)) == (1, 0)
        trusting = transport(server.url, trust_env=True)
        await trusting.exchange(call(), Purpose.READ, nobody)
        await trusting.close()
        assert (len(server.requests), len(proxy.requests)) == (1, 1)
        assert proxy.requests[0].startswith(b"GET http://127.0.0.1:")


async def test_a_configured_proxy_is_used_and_a_bad_one_is_a_configuration_error() -> None:
    async with serving(OK) as proxy:
        carrier = transport("http://api.example.com", proxy=proxy.url)
        outcome, _ = await carrier.exchange(call(), Purpose.READ, nobody)
        await carrier.close()
        assert isinstance(outcome, Answered) and len(proxy.requests) == 1
    with pytest.raises(ConfigError):
        transport("http://api.example.com", proxy="gopher://x")


async def test_plain_sockets_keep_no_more_connections_than_they_may() -> None:
    async with serving(OK) as served:
        carrier = transport(served.url, concurrency=4)
        assert isinstance(carrier._wire, SocketTransport)
        await asyncio.gather(*(carrier.exchange(call(), Purpose.READ, nobody) for _ in range(20)))
        assert len(carrier._wire._idle) <= 4
        await carrier.close()
        assert carrier._wire._idle == []
    assert served.connections <= 4


def test_what_was_prepared_does_not_show_its_body() -> None:
    prepared = replace(call("POST", body=b"hunter2"), refusal="")
    assert "hunter2" not in repr(prepared)
    assert "hunter2" not in repr(Answered(200, {}, b"hunter2"))
