"""Logs over a WebSocket: told once, over lost connections, and every end is a sentence."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from agent.clock import SystemClock
from agent.definitions.load import load_folder
from agent.definitions.platform import Kind, Platform
from agent.errors import Forbidden, LiveError, PlatformFault, RateLimited, Unauthorized, Unintelligible, Unreachable
from agent.live.following import Patience, follow_stream, last_then_all, read_stream
from agent.live.logs import LogLine
from agent.live.streams import FRAME_MAX
from agent.model.identity import Key
from agent.secrets import Secret
from tests.unit.live.made_up import TOKEN, VirtualClock, api_of
from tests.unit.live.served import served

DEFINITIONS = Path(__file__).parents[2] / "platforms" / "definitions"
PLATFORM: Platform = load_folder(DEFINITIONS / "datachain-studio", bundled=True, search=[DEFINITIONS])
JOB: Kind = PLATFORM.kinds["Job"]
KEY = Key("target", "Job", (), "nightly")
FAST = Patience(quiet=0.2, idle=2.0, losses=3, backoff=0.001, backoff_max=0.002)

Handler = Callable[[WebSocket], Awaitable[None]]


class Clock(VirtualClock):
    """Waits that end at once; the network keeps its own time."""

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


def log(text: str, at: str = "2024-01-15T10:30:00Z") -> str:
    return json.dumps({"type": "log", "timestamp": at, "level": "INFO", "message": text, "worker_id": "w1"})


def status(word: str) -> str:
    return json.dumps({"type": "status", "status": word})


def route(*scripts: Handler) -> BaseRoute:
    """Connection after connection, the next script; the last one again and again."""
    left = list(scripts)

    async def answer(socket: WebSocket) -> None:
        script = left.pop(0) if len(left) > 1 else left[0]
        await socket.accept()
        await script(socket)

    return WebSocketRoute("/api/logs/follow/", answer)


def sends(*frames: str | bytes, code: int | None = 1000) -> Handler:
    """Send these and close; without a code the connection stays open and silent."""

    async def script(socket: WebSocket) -> None:
        for frame in frames:
            await (socket.send_text(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        if code is None:
            await socket.receive()
        else:
            await socket.close(code)

    return script


def api_at(origin: str, **words: Any) -> Any:
    words.setdefault("platform", PLATFORM)
    return api_of(
        None, clock=Clock(), server=origin, allow_http=True, settings={"team": "blue"}, writable=False, **words
    )


async def followed(origin: str, patience: Patience = FAST, kind: Kind = JOB, **words: Any) -> list[LogLine]:
    api = api_at(origin, **words)
    told = []
    lines = follow_stream(api, kind, KEY, "7", {}, Clock(), random=random.Random(1), patience=patience)
    try:
        async with aclosing(lines) as each:
            async for line in each:
                told.append(line)
    finally:
        await api.close()
    return told


async def read(origin: str, **words: Any) -> tuple[LogLine, ...]:
    api = api_at(origin, **words)
    try:
        return await read_stream(api, JOB, KEY, "7", {}, patience=FAST)
    finally:
        await api.close()


def texts(lines: Any) -> list[str]:
    return [line.text for line in lines]


async def test_frames_become_lines_and_changes_of_state() -> None:
    frames = (log("a"), status("running"), status("running"), json.dumps({"logs": [{"message": "b"}, "c"]}))
    async with served(route(sends(*frames, json.dumps({"job": {"status": "COMPLETE"}})))) as origin:
        assert await followed(origin) == [
            LogLine("2024-01-15T10:30:00Z", "INFO", "a", "w1"),
            LogLine("", "STATUS", "running", ""),
            LogLine("", "", "b", ""),
            LogLine("", "", "c", ""),
            LogLine("", "STATUS", "COMPLETE", ""),
        ]


async def test_the_handshake_has_the_credential_the_query_and_no_extension() -> None:
    seen: list[WebSocket] = []

    async def script(socket: WebSocket) -> None:
        seen.append(socket)
        await socket.close(1000)

    async with served(route(script)) as origin:
        await followed(origin)
    (socket,) = seen
    assert dict(socket.query_params) == {"job_id": "7", "team_name": "blue"}
    assert socket.headers["authorization"] == f"token {TOKEN}"
    assert socket.headers["user-agent"].startswith("datakeel/")
    assert "sec-websocket-extensions" not in socket.headers


@pytest.mark.row("A38")
async def test_a_lost_stream_goes_on_and_repeats_no_line() -> None:
    scripts = (
        sends(log("a", "1"), log("b", "2"), code=1011),
        sends(log("a", "1"), log("b", "2"), log("b", "2"), log("c", "3"), code=1012),
        sends(log("d", "4")),
    )
    async with served(route(*scripts)) as origin:
        assert texts(await followed(origin)) == ["a", "b", "b", "c", "d"]


async def lines_of(*pieces: float | str | Exception) -> AsyncGenerator[LogLine, None]:
    """Lines, and between them seconds in which nothing comes."""
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        if isinstance(piece, str):
            yield LogLine("", "", piece, "")
        else:
            await asyncio.sleep(piece)


async def test_the_last_lines_of_what_is_there_and_then_all_that_follow() -> None:
    told = [line async for line in last_then_all(lines_of("a", "b", "c", 0.3, "d", "e", "f"), 2, quiet=0.1)]
    assert texts(told) == ["b", "c", "d", "e", "f"]
    assert texts([line async for line in last_then_all(lines_of("a", "b", "c"), 1, quiet=0.1)]) == ["c"]
    assert texts([line async for line in last_then_all(lines_of("a", 0.3, "b"), 0, quiet=0.1)]) == ["b"]


async def test_what_is_held_back_is_told_before_an_end_that_is_an_error() -> None:
    told = []
    with pytest.raises(PlatformFault):
        async for line in last_then_all(lines_of("a", "b", PlatformFault("gone")), 1, quiet=0.1):
            told.append(line)
    assert texts(told) == ["b"]


async def test_holding_back_can_be_stopped_in_the_middle() -> None:
    source = lines_of("a", 0.2, "b", 60.0)
    async with aclosing(last_then_all(source, 1, quiet=0.1)) as lines:
        async for line in lines:
            if line.text == "b":
                break
    assert [line async for line in source] == []


async def test_a_lost_stream_repeats_no_state_and_tells_one_that_comes_again() -> None:
    begun = (status("created"), status("running"), status("running"))
    scripts = (
        sends(*begun, code=1011),
        sends(*begun, status("waiting"), code=1011),
        sends(status("waiting"), status("running"), status("waiting"), status("complete")),  # not from its beginning
    )
    async with served(route(*scripts)) as origin:
        assert texts(await followed(origin)) == ["created", "running", "waiting", "waiting", "complete"]


async def test_lines_without_a_time_are_left_out_only_until_a_new_one_comes() -> None:
    def bare(*lines: str) -> str:
        return json.dumps({"logs": list(lines)})

    scripts = (sends(bare("try", "try"), code=1011), sends(bare("try", "try", "new", "try")))
    async with served(route(*scripts)) as origin:
        assert texts(await followed(origin)) == ["try", "try", "new", "try"]


async def test_a_stream_that_is_lost_again_and_again_ends_with_a_sentence() -> None:
    attempts = 0

    async def script(socket: WebSocket) -> None:
        nonlocal attempts
        attempts += 1
        await socket.send_text(log("a"))
        await socket.close(1011)

    async with served(route(script)) as origin:
        with pytest.raises(PlatformFault, match="closed with code 1011; it was lost 4 times in a row"):
            await followed(origin)
    assert attempts == 4


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"\x00", "binary frame"),
        ("not JSON", "cannot be read"),
        ('{"a": 1, "a": 2}', "cannot be read"),
        ("x" * (FRAME_MAX + 1), "more than 1 MiB"),
    ],
)
async def test_a_frame_that_cannot_be_taken_ends_the_stream(frame: str | bytes, why: str) -> None:
    async with served(route(sends(log("a"), frame, code=None))) as origin:
        with pytest.raises(Unintelligible, match=why):
            await followed(origin)


async def test_a_frame_of_the_largest_size_is_taken() -> None:
    frame = log("x")
    padded = frame[:-1] + " " * (FRAME_MAX - len(frame)) + "}"
    assert len(padded) == FRAME_MAX
    async with served(route(sends(padded))) as origin:
        assert texts(await followed(origin)) == ["x"]


async def test_a_frame_without_lines_and_without_a_state_ends_the_stream() -> None:
    assert JOB.logs is not None
    kind = replace(JOB, logs=replace(JOB.logs, lines=PLATFORM.kinds["ComputeCluster"].key, status=None))
    async with served(route(sends(log("a")))) as origin:
        with pytest.raises(Unintelligible, match="without a list"):
            await followed(origin, kind=kind)


async def test_a_stream_that_says_nothing_ends() -> None:
    async with served(route(sends(code=None))) as origin:
        with pytest.raises(LiveError, match=r"brought nothing for 0\.1 s") as caught:
            await followed(origin, replace(FAST, idle=0.1))
        assert caught.value.error_code == "stream-ended"


@pytest.mark.row("A38")
async def test_a_flood_ends_the_stream_and_what_fits_does_not() -> None:
    frame = json.dumps({"logs": [f"line {number}" for number in range(50)]})
    async with served(route(sends(frame, frame.replace("line", "more"), code=None))) as origin:
        with pytest.raises(LiveError, match="more than 99 lines"):
            await followed(origin, replace(FAST, flood=99))
    async with served(route(sends(frame, frame.replace("line", "more")))) as origin:
        assert len(await followed(origin, replace(FAST, flood=100))) == 100


async def test_a_single_reading_ends_when_the_stream_is_quiet_or_closed() -> None:
    async with served(route(sends(log("a"), log("b"), code=None), sends(log("c")))) as origin:
        assert texts(await read(origin)) == ["a", "b"]
        assert texts(await read(origin)) == ["c"]


async def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []

    async def redirect(socket: WebSocket) -> None:
        await socket.send_denial_response(RedirectResponse(f"http://127.0.0.1:{socket.url.port}/elsewhere"))

    async def other(socket: WebSocket) -> None:
        elsewhere.append("called")
        await socket.accept()

    routes = (WebSocketRoute("/api/logs/follow/", redirect), WebSocketRoute("/elsewhere", other))
    async with served(*routes) as origin:
        with pytest.raises(PlatformFault, match="redirect"):
            await followed(origin)
    assert elsewhere == []


@pytest.mark.parametrize(
    ("code", "error"),
    [(403, Forbidden), (429, RateLimited), (503, PlatformFault), (200, PlatformFault), (401, Unauthorized)],
)
async def test_a_refused_handshake_is_judged_like_any_answer(code: int, error: type[LiveError]) -> None:
    async def refuse(socket: WebSocket) -> None:
        await socket.send_denial_response(JSONResponse({"message": "no"}, code))

    async with served(WebSocketRoute("/api/logs/follow/", refuse)) as origin:
        with pytest.raises(error):
            await followed(origin)


async def test_a_credential_that_was_renewed_is_tried_once_more() -> None:
    tokens = iter(["old", "new", "new", "new"])
    seen: list[str] = []

    async def answer(socket: WebSocket) -> None:
        seen.append(socket.headers["authorization"])
        if seen[-1] != "token new":
            await socket.send_denial_response(PlainTextResponse("no", 401))
            return
        await socket.accept()
        await socket.close(1000)

    async with served(WebSocketRoute("/api/logs/follow/", answer)) as origin:
        await followed(origin, credentials={"token": lambda: Secret(next(tokens))})
    assert seen == ["token old", "token new"]


async def test_nobody_listening_is_told_at_once_and_a_proxy_is_not_passed_by() -> None:
    async with served() as origin:
        pass
    with pytest.raises(Unreachable):
        await followed(origin)
    with pytest.raises(LiveError, match="proxy"):
        await followed(origin, proxy="http://127.0.0.1:1")


async def test_secrets_are_scrubbed_and_control_characters_taken_out() -> None:
    async with served(route(sends(log(f"x {TOKEN} \u001b[2J")))) as origin:
        (line,) = await followed(origin)
    assert TOKEN not in line.text and "\x1b" not in line.text


async def test_an_opening_counts_as_a_call_and_waits_for_the_budget() -> None:
    async with served(route(sends(log("a")))) as origin:
        api = api_at(origin)
        await read_stream(api, JOB, KEY, "7", {}, patience=FAST)
        assert api.calls == {"logs": 1}
        await api.close()


async def test_a_kind_without_such_a_log_says_so() -> None:
    api = api_at("http://127.0.0.1:9")
    with pytest.raises(LiveError, match="no log"):
        await read_stream(api, PLATFORM.kinds["ComputeCluster"], KEY, None, {})
    with pytest.raises(LiveError, match="id"):
        await read_stream(api, replace(JOB, logs=_in_path()), KEY, None, {})


def _in_path() -> Any:
    from agent.definitions.expressions import PathTemplate

    assert JOB.logs is not None
    return replace(JOB.logs, websocket=PathTemplate("/logs/{id}"))


async def test_following_can_be_stopped_in_the_middle() -> None:
    async with served(route(sends(log("a"), code=None))) as origin:
        api = api_at(origin)
        lines = follow_stream(api, JOB, KEY, "7", {}, SystemClock(), random=random.Random(1), patience=FAST)
        async with asyncio.timeout(5):
            assert (await anext(lines)).text == "a"
            await lines.aclose()
        await api.close()
