"""How calls prove who we are: every scheme, tokens that expire, and credentials that change (A36, C1, C3)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.platform import AuthScheme, Login, Platform, Window
from agent.errors import ConfigError
from agent.live.api import open_api
from agent.live.budget import Budget
from agent.secrets import Secret
from tests.unit.live.made_up import KEY, PLATFORM, RESOURCE, Answers, VirtualClock, api_of, connection

LOGIN = Login(
    PathTemplate("/auth/login"),
    "POST",
    "json",
    Template({"email": "${secret.email}", "password": "${secret.password}"}),
    Expression("access_token"),
    lasts=Expression("expires_in"),
)
USER = AuthScheme("user", ("email", "password"), header="Authorization", value=Template("Bearer ${token}"), login=LOGIN)
CREDENTIALS = {"email": lambda: Secret("me@example.com"), "password": lambda: Secret("hunter2hunter2")}
DAILY = {"name": "daily", "workspace": "analytics"}


def platform(*schemes: AuthScheme) -> Platform:
    return replace(PLATFORM, auth=schemes)


def error(status: int, code: str = "AUTH") -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": f"said {code}"}})


class Portal:
    """A login that hands out numbered tokens, and an API that knows which of them are good."""

    def __init__(self, lasts: Any = 100) -> None:
        self.logins = 0
        self.good: set[str] = set()
        self.lasts = lasts
        self.refuses: httpx.Response | None = None
        self.seen: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/auth/login":
            if self.refuses is not None:
                self.logins += 1
                return self.refuses
            assert json.loads(request.extensions["body"])["password"] == "hunter2hunter2"
            assert "authorization" not in request.headers
            self.logins += 1
            self.good = {f"token-{self.logins}"}
            return httpx.Response(200, json={"access_token": f"token-{self.logins}", "expires_in": self.lasts})
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        return httpx.Response(200, json=DAILY) if token in self.good else error(401)


def logged_in(portal: Callable[[httpx.Request], httpx.Response], clock: VirtualClock, **words: Any) -> Any:
    return api_of(portal, platform=platform(USER), clock=clock, credentials=CREDENTIALS, **words)


@pytest.mark.parametrize(
    ("scheme", "header", "value"),
    [
        (
            AuthScheme("a", ("token",), header="Private-Token", value=Template("${secret.token}")),
            "private-token",
            "t&k",
        ),
        (
            AuthScheme("b", ("token",), header="Authorization", value=Template("token ${secret.token}")),
            "authorization",
            "token t&k",
        ),
        (AuthScheme("c", ("token",), cookie="session", value=Template("${secret.token}")), "cookie", "session=t&k"),
        (
            AuthScheme("d", ("token",), basic=(Template("user"), Template("${secret.token}"))),
            "authorization",
            "Basic dXNlcjp0Jms=",
        ),
    ],
)
async def test_each_scheme_puts_the_credential_where_it_says(scheme: AuthScheme, header: str, value: str) -> None:
    wire = Answers(lambda request: httpx.Response(200, json=DAILY))
    api = api_of(wire, platform=platform(scheme), credentials={"token": lambda: Secret("t&k")})
    assert (await api.get(RESOURCE, KEY)).answer == "ok"
    assert wire.requests[0].headers[header] == value


async def test_a_credential_in_the_query_is_encoded() -> None:
    wire = Answers(lambda request: httpx.Response(200, json=DAILY))
    scheme = AuthScheme("q", ("token",), query="api_key", value=Template("${secret.token}"))
    api = api_of(wire, platform=platform(scheme), credentials={"token": lambda: Secret("t&k")})
    await api.get(RESOURCE, KEY)
    assert wire.sent[0][1].endswith("?workspace=analytics&api_key=t%26k")


def test_the_first_scheme_whose_secrets_are_there_is_used_and_none_is_a_configuration_error() -> None:
    service = AuthScheme("service", ("apiKey",), header="X-API-Key", value=Template("${secret.apiKey}"))
    api_of(lambda request: error(401), platform=platform(service, USER), credentials=CREDENTIALS)
    with pytest.raises(ConfigError, match="credential") as caught:
        api_of(lambda request: error(401), platform=platform(service, USER), credentials={})
    assert "apiKey or email+password" in (caught.value.fix or "")


async def test_a_platform_without_schemes_needs_no_credential() -> None:
    wire = Answers(lambda request: httpx.Response(200, json=DAILY))
    assert (await api_of(wire, platform=platform(), credentials={}).get(RESOURCE, KEY)).answer == "ok"
    assert "authorization" not in wire.requests[0].headers


@pytest.mark.row("C3")
async def test_a_rotated_token_is_read_again_after_a_401_and_the_call_is_sent_once_more() -> None:
    values = iter(["old", "new", "new", "new"])
    api = api_of(
        Answers(
            lambda r: httpx.Response(200, json=DAILY) if r.headers["authorization"] == "Bearer new" else error(401)
        ),
        credentials={"token": lambda: Secret(next(values))},
    )
    assert (await api.get(RESOURCE, KEY)).answer == "ok"
    assert api.calls == {"read": 2}


async def test_an_unchanged_token_is_not_sent_again_after_a_401() -> None:
    api = api_of(lambda request: error(401))
    reply = await api.get(RESOURCE, KEY)
    assert (reply.answer, reply.landed, reply.code) == ("unauthenticated", "no", "AUTH")
    assert api.calls == {"read": 1}


class Gate:
    """Knows one token and answers after a moment, so that calls are under way together."""

    def __init__(self) -> None:
        self.good = "first"
        self.seen: list[str] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        for _ in range(5):
            await asyncio.sleep(0)
        return httpx.Response(200, json=DAILY) if token == self.good else error(401)


class Slow(httpx.AsyncBaseTransport):
    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.gate.handle(request)


class Kept:
    """A reference whose file somebody replaces; it counts how often it was read after a refusal."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.forgotten = 0

    def __call__(self) -> Secret:
        return Secret(self.value)

    def forget(self) -> None:
        self.forgotten += 1


def writes(api: Any, count: int) -> list[Any]:
    return [api.send(api.prepare("delete", RESOURCE, KEY, None, None)) for _ in range(count)]


@pytest.mark.row("C1")
async def test_c1_writes_pause_after_a_401_and_the_reference_is_read_once_more() -> None:
    gate, kept = Gate(), Kept("first")
    api = api_of(Slow(gate), credentials={"token": kept})
    assert [(await one).answer for one in writes(api, 2)] == ["ok", "ok"]
    gate.good, kept.value = "second", "second"
    replies = await asyncio.gather(*writes(api, 6))
    assert [reply.answer for reply in replies] == ["ok"] * 6
    assert kept.forgotten == 1
    # Who was under way with the old one was tried once more; the others waited and never sent it.
    refused = gate.seen[2:].index("second")
    assert 1 <= refused <= 6
    assert gate.seen[2 + refused :] == ["second"] * 6


async def test_c1_writes_that_come_while_the_reference_is_read_wait_and_use_what_it_yields() -> None:
    gate, kept = Gate(), Kept("first")
    api = api_of(Slow(gate), credentials={"token": kept})
    gate.good = "second"
    first = asyncio.ensure_future(writes(api, 1)[0])
    while not gate.seen:
        await asyncio.sleep(0)
    kept.value = "second"
    assert (await first).answer == "ok"
    assert [(await one).answer for one in writes(api, 3)] == ["ok"] * 3
    assert gate.seen == ["first", "second", "second", "second", "second"]


async def test_c1_after_a_refusal_for_good_no_other_write_is_sent_until_the_credential_changes() -> None:
    clock = VirtualClock()
    gate, kept = Gate(), Kept("first")
    api = api_of(Slow(gate), credentials={"token": kept}, clock=clock)
    gate.good = "second"
    assert not api.refuses_writes
    replies = [await one for one in writes(api, 4)]
    assert [(reply.answer, reply.landed) for reply in replies] == [("unauthenticated", "no")] * 4
    assert gate.seen == ["first"]
    assert api.refuses_writes
    clock.elapsed += 11
    kept.value = "second"
    assert [(await one).answer for one in writes(api, 2)] == ["ok", "ok"]
    assert not api.refuses_writes


async def test_c1_a_refusal_is_forgotten_after_a_while_since_a_platform_may_have_been_wrong() -> None:
    clock = VirtualClock()
    gate, kept = Gate(), Kept("first")
    api = api_of(Slow(gate), credentials={"token": kept}, clock=clock)
    gate.good = ""
    assert [(await one).answer for one in writes(api, 2)] == ["unauthenticated"] * 2
    gate.good = "first"
    assert [(await one).answer for one in writes(api, 1)] == ["unauthenticated"]
    clock.elapsed += 61
    assert [(await one).answer for one in writes(api, 1)] == ["ok"]


async def test_c6_a_command_is_waited_for_beside_the_loop() -> None:
    import threading

    where: list[int] = []

    class Command(Kept):
        waits = True

        def __call__(self) -> Secret:
            where.append(threading.get_ident())
            self.waits = False
            return Secret(self.value)

    api = api_of(Slow(Gate()), credentials={"token": Command("first")})
    assert (await api.get(RESOURCE, KEY)).answer == "ok"
    assert where[0] != threading.get_ident()


async def test_a_credential_that_cannot_be_read_is_an_answer_and_nothing_is_sent() -> None:
    def missing() -> Secret:
        raise ConfigError("the environment variable T is not set")

    api = api_of(lambda request: error(500), credentials={"token": missing})
    reply = await api.send(api.prepare("delete", RESOURCE, KEY, None, None))
    assert (reply.answer, reply.landed, api.calls.total()) == ("unauthenticated", "no", 0)
    assert "T is not set" in reply.message


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "", "ü", "a\x00"])
async def test_a_credential_that_no_header_may_hold_is_not_sent(value: str) -> None:
    api = api_of(lambda request: error(500), credentials={"token": lambda: Secret(value)})
    scheme = AuthScheme("t", ("token",), header="x", value=Template("${secret.token}"))
    api = api_of(lambda request: error(500), platform=platform(scheme), credentials={"token": lambda: Secret(value)})
    assert (await api.get(RESOURCE, KEY)).answer == "unauthenticated"
    assert api.calls.total() == 0


async def test_one_login_serves_many_calls_at_once() -> None:
    portal = Portal()
    async with VirtualClock().running() as clock:
        api = logged_in(portal, clock, concurrency=3)
        replies = await asyncio.gather(*(api.get(RESOURCE, KEY) for _ in range(12)))
    assert {reply.answer for reply in replies} == {"ok"}
    assert portal.logins == 1
    assert api.calls == {"login": 1, "read": 12}


async def test_a_token_is_renewed_at_eighty_percent_of_its_life() -> None:
    portal = Portal(lasts=100)
    async with VirtualClock().running() as clock:
        api = logged_in(portal, clock)
        await api.get(RESOURCE, KEY)
        clock.elapsed += 79.9
        await api.get(RESOURCE, KEY)
        assert portal.logins == 1
        clock.elapsed += 0.2
        await api.get(RESOURCE, KEY)
        assert portal.logins == 2


@pytest.mark.parametrize("until", [1_700_000_100, 1_700_000_100_000, "2023-11-14T22:15:00Z", "2023-11-14T22:15:00"])
async def test_a_token_may_say_until_when_it_is_good(until: Any) -> None:
    portal = Portal(lasts=until)
    login = replace(LOGIN, lasts=None, until=Expression("expires_in"))
    async with VirtualClock().running() as clock:
        api = api_of(portal, platform=platform(replace(USER, login=login)), clock=clock, credentials=CREDENTIALS)
        await api.get(RESOURCE, KEY)
        clock.elapsed += 75
        await api.get(RESOURCE, KEY)
        clock.elapsed += 10
        await api.get(RESOURCE, KEY)
    assert portal.logins == 2


async def test_a_token_that_died_early_is_renewed_once_even_for_many_calls() -> None:
    portal = Portal(lasts=10_000)
    async with VirtualClock().running() as clock:
        api = logged_in(portal, clock)
        await api.get(RESOURCE, KEY)
        clock.elapsed += 100
        portal.good.clear()
        replies = await asyncio.gather(*(api.get(RESOURCE, KEY) for _ in range(6)))
    assert {reply.answer for reply in replies} == {"ok"}
    assert portal.logins == 2


async def test_a_fresh_token_that_is_refused_starts_no_loop_of_logins() -> None:
    portal = Portal()
    async with VirtualClock().running() as clock:
        api = logged_in(lambda request: portal(request) if "login" in request.url.path else error(401), clock)
        for _ in range(10):
            assert (await api.get(RESOURCE, KEY)).answer == "unauthenticated"
    assert portal.logins == 1


async def test_a_refused_login_is_the_answer_of_every_call_and_is_not_repeated_for_a_while() -> None:
    portal = Portal()
    portal.refuses = error(403, "LOCKED")
    async with VirtualClock().running() as clock:
        api = logged_in(portal, clock)
        for _ in range(5):
            reply = await api.get(RESOURCE, KEY)
            assert (reply.answer, reply.landed, reply.code) == ("unauthenticated", "no", "LOCKED")
            assert reply.template == RESOURCE.get.request.source  # type: ignore[union-attr]
        assert portal.logins == 1
        clock.elapsed += 61
        portal.refuses = None
        assert (await api.get(RESOURCE, KEY)).answer == "ok"


async def test_a_login_without_a_token_leaves_a_write_unsent() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(200, json={"access_token": None})

    async with VirtualClock().running() as clock:
        api = logged_in(answer, clock)
        reply = await api.send(api.prepare("delete", RESOURCE, KEY, None, None))
    assert (reply.answer, reply.landed) == ("broken", "no")
    assert sent == ["/v1/auth/login"]


@pytest.mark.row("A36")
async def test_the_token_is_fetched_after_the_wait_for_the_budget() -> None:
    portal = Portal(lasts=100)
    async with VirtualClock().running() as clock:
        budget = Budget((Window(2, 1000.0),), 0.0, clock, None, "test")
        api = logged_in(portal, clock, budget=budget)
        await api.get(RESOURCE, KEY)
        assert (await api.get(RESOURCE, KEY)).answer == "ok"
        assert clock.elapsed > 1000
    assert portal.seen == ["token-1", "token-2"]


async def test_a_reader_may_log_in_though_a_login_is_a_post() -> None:
    portal = Portal()
    async with VirtualClock().running() as clock:
        api = logged_in(portal, clock, writable=False)
        assert (await api.get(RESOURCE, KEY)).answer == "ok"


async def test_an_echoed_credential_is_nowhere_in_a_reply() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        if "login" in request.url.path:
            return httpx.Response(200, json={"access_token": "issued-token-123456", "expires_in": 100})
        return httpx.Response(400, json={"error": {"code": "X", "message": str(request.headers.raw)}})

    async with VirtualClock().running() as clock:
        api = logged_in(echo, clock)
        reply = await api.get(RESOURCE, KEY)
    assert reply.answer == "invalid"
    assert "issued-token" not in reply.message and "***" in reply.message


async def test_the_random_of_the_caller_is_used_and_nothing_else() -> None:
    async with VirtualClock().running() as clock:
        api = open_api(
            PLATFORM,
            connection(),
            clock=clock,
            budget=Budget((), 0.0, clock, None, "t"),
            random=random.Random(1),
            writable=False,
            transport=Answers(lambda request: httpx.Response(503)),
        )
        await api.get(RESOURCE, KEY)
        expected = random.Random(1)
        assert clock.elapsed == pytest.approx(expected.uniform(0, 1) + expected.uniform(0, 2))
