"""A made-up platform, a clock whose hours pass at once, and a transport that answers from a function."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.platform import (
    AuthScheme,
    BudgetRule,
    ErrorRule,
    Kind,
    LogRule,
    Mark,
    Operation,
    Pages,
    Platform,
    Position,
    ResponseRule,
    ScopeWord,
    Window,
)
from agent.live.api import Connection, ReadApi, WriteApi, open_api
from agent.live.budget import Budget
from agent.model.identity import Key
from agent.secrets import Secret

TOKEN = "s3cret-token-of-the-tests"

PAGES = Pages(by="offset", at="offset", size="limit", ask=2, total=Position(Expression("meta.total")))

RESOURCE = Kind(
    name="Workflow",
    with_={"type": "workflow"},
    scope=(ScopeWord("workspace", "Workspace"),),
    headers={},
    key=Expression("name"),
    mark=Mark("/tags", Template("keel.${target}/${uid}"), "/tags", r"keel\.(?P<target>[^/]+)/(?P<uid>[a-z0-9]+)", True),
    list=Operation(
        "GET",
        PathTemplate("/resources?type={with.type}&workspace={workspace}"),
        items=Expression("data"),
        holds="summary",
        pages=PAGES,
    ),
    get=Operation("GET", PathTemplate("/resources/{with.type}/{name}?workspace={workspace}")),
    create=Operation(
        "POST",
        PathTemplate("/resources"),
        adds=Template({"name": "${name}", "workspace": "${workspace}"}),
        item=Expression("resource"),
    ),
    update=Operation("PUT", PathTemplate("/resources/{with.type}/{name}?workspace={workspace}")),
    delete=Operation("DELETE", PathTemplate("/resources/{with.type}/{name}?workspace={workspace}")),
    ready=Expression("status == 'active'"),
    failed=Expression("contains(['failed', 'error'], status)"),
    logs=LogRule(
        PathTemplate("/resources/{with.type}/{name}/logs?tail={args.tail}"),
        None,
        {},
        Expression("logs"),
        Expression("timestamp"),
        Expression("level"),
        Expression("message"),
        None,
        every_seconds=5.0,
    ),
)

PLATFORM = Platform(
    name="madeup",
    version="v1",
    folder="",
    digest="",
    bundled=True,
    server="https://api.example.com",
    settings={},
    base=PathTemplate("/v1"),
    auth=(AuthScheme("token", ("token",), header="Authorization", value=Template("Bearer ${secret.token}")),),
    probe=PathTemplate("/resources?limit=1"),
    request_headers={},
    request_query={},
    request_body={},
    request_bytes_max=None,
    response=ResponseRule(),
    errors=ErrorRule(
        Expression("error.code"),
        Expression("error.message"),
        {"RESOURCE_NOT_FOUND": "notFound", "RATE_LIMIT_EXCEEDED": "throttled"},
    ),
    budget=BudgetRule(
        (Window(100, 60.0), Window(1000, 3600.0)),
        header_limit="x-ratelimit-limit",
        header_remaining="x-ratelimit-remaining",
        header_reset="x-ratelimit-reset",
        retry_after=Expression("error.retry_after"),
    ),
    openapi=None,
    native=(),
    events=(),
    kinds={"Workflow": RESOURCE},
    queries={},
)

KEY = Key("target", "Workflow", (("workspace", "analytics"),), "daily")


def with_kind(kind: Kind, **words: Any) -> Platform:
    return replace(PLATFORM, kinds={kind.name: kind}, **words)


class VirtualClock:
    """Sleepers wake in order as soon as nothing else can run. Use inside ``async with clock.running()``."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.elapsed = 0.0
        self.epoch = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.epoch + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + max(seconds, 0.0), next(self._numbers), future))
        await future

    @asynccontextmanager
    async def running(self) -> AsyncIterator[VirtualClock]:
        pump = asyncio.ensure_future(self._pump())
        try:
            yield self
        finally:
            pump.cancel()

    async def _pump(self) -> None:
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            while self._sleepers:
                at, _, future = heapq.heappop(self._sleepers)
                if not future.done():
                    self.elapsed = max(self.elapsed, at)
                    future.set_result(None)
                    break


class Answers(httpx.AsyncBaseTransport):
    """Answers requests from a function and keeps them; the function may raise."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        request.extensions["body"] = b"".join([chunk async for chunk in request.stream])
        self.requests.append(request)
        return self.answer(request)

    @property
    def sent(self) -> list[tuple[str, str]]:
        return [(request.method, request.url.raw_path.decode()) for request in self.requests]


def connection(**words: Any) -> Connection:
    words.setdefault("credentials", {"token": lambda: Secret(TOKEN)})
    return Connection("target", **words)


def api_of(
    answers: httpx.AsyncBaseTransport | Callable[[httpx.Request], httpx.Response] | None,
    *,
    platform: Platform = PLATFORM,
    clock: VirtualClock | None = None,
    budget: Budget | None = None,
    writable: bool = True,
    **words: Any,
) -> Any:
    clock = clock or VirtualClock()
    wire = answers if answers is None or isinstance(answers, httpx.AsyncBaseTransport) else Answers(answers)
    api: ReadApi | WriteApi = open_api(
        platform,
        connection(**words),
        clock=clock,
        budget=budget or Budget((), 0.0, clock, None, "test", rule=platform.budget),
        random=random.Random(7),
        writable=writable,
        transport=wire,
    )
    return api
