"""News of an open page: one word, in time, not too often, and no more streams than can be borne."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from starlette.routing import Router

from agent.server.pages.live import PAUSE_SECONDS, QUIET_SECONDS, live_route
from agent.viewing.tail import Tail
from tests.simulation.virtual_time import VirtualLoop, run


class Stream:
    """One browser at the stream; ``told`` are the events, each with the time at which it came."""

    def __init__(self, app: Any) -> None:
        self.told: list[tuple[float, str]] = []
        self.status = 0
        self._gone = asyncio.Event()
        scope = {"type": "http", "method": "GET", "path": "/live", "headers": [], "query_string": b""}
        self._task = asyncio.ensure_future(app({**scope, "asgi": {"spec_version": "2.3"}}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        text = message.get("body", b"").decode()
        self.told += [(asyncio.get_running_loop().time(), text)] if "event: changed" in text else []

    async def leave(self) -> None:
        self._gone.set()
        await self._task


def test_news_come_at_once_and_once_a_second_at_most() -> None:
    async def story() -> None:
        tail = Tail()
        app = Router([live_route("/live", tail.beyond, lambda: False)])
        stream = Stream(app)
        await asyncio.sleep(0.5)
        for _ in range(30):
            tail.take({"event": "x"})
            await asyncio.sleep(0.1)
        await asyncio.sleep(QUIET_SECONDS * 2)
        await stream.leave()
        busy = [at for at, _ in stream.told if at < 4]
        assert busy[0] < 0.6, "at once"
        assert all(later - sooner >= PAUSE_SECONDS for sooner, later in pairwise(busy))
        assert [text for _, text in stream.told][-1].endswith("id: 30\ndata: 0\n\n"), "and now and then without news"
        assert len(stream.told) <= len(busy) + 3

    run(story(), VirtualLoop())


def test_streams_are_bounded_and_given_back() -> None:
    async def story() -> None:
        tail = Tail()
        app = Router([live_route("/live", tail.beyond, lambda: False)])
        many = [Stream(app) for _ in range(50)]
        await asyncio.sleep(0.1)
        assert {stream.status for stream in many} == {200}
        late = Stream(app)
        await asyncio.sleep(0.1)
        assert late.status == 503
        for stream in (*many, late):
            await stream.leave()
        again = Stream(app)
        await asyncio.sleep(0.1)
        assert again.status == 200
        await again.leave()

    run(story(), VirtualLoop())


def test_a_stopping_agent_ends_its_streams() -> None:
    async def story() -> None:
        tail, stopping = Tail(), asyncio.Event()
        stream = Stream(Router([live_route("/live", tail.beyond, stopping.is_set)]))
        await asyncio.sleep(2)
        stopping.set()
        tail.take({"event": "the last line"})
        await asyncio.sleep(3)
        assert stream._task.done()

    run(story(), VirtualLoop())


def test_the_tail_keeps_the_newest_lines() -> None:
    tail = Tail(3)
    for number in range(5):
        tail.take({"event": str(number)})
    assert [(number, line["event"]) for number, line in tail.lines()] == [(3, "2"), (4, "3"), (5, "4")]
    assert tail.number == 5
