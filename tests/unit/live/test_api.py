"""list, get, prepare, send: answers instead of exceptions, complete lists, and writes that are sent once."""

from __future__ import annotations

import itertools
import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from agent.definitions.expressions import Expression, PathTemplate
from agent.definitions.platform import Exists, Operation, ScopeWord, Window
from agent.errors import Forbidden, LiveError, Unintelligible
from agent.live.api import ReadApi, WriteApi
from agent.live.budget import Budget
from agent.live.purpose import Purpose
from agent.model.identity import uid_of
from tests.unit.live.made_up import KEY, PLATFORM, RESOURCE, TOKEN, Answers, VirtualClock, api_of, with_kind

SCOPE = (("workspace", "analytics"),)
DAILY = {"name": "daily", "workspace": "analytics", "status": "active"}


def answered(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    if isinstance(body, bytes):
        return httpx.Response(status, content=body, headers={"content-type": "application/json", **headers})
    return httpx.Response(status, json=body, headers=headers)


def refusal(status: int, code: str = "CODE") -> httpx.Response:
    return answered(status, {"error": {"code": code, "message": "why"}})


def paged(rows: list[Any], size: int = 2) -> Answers:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["offset"])
        return answered(200, {"data": rows[start : start + size], "meta": {"total": len(rows)}})

    return Answers(answer)


def row(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "workspace": "analytics", "status": "active", **members}


# --- what cannot be done


def test_a_read_api_has_no_method_that_changes_anything() -> None:
    public = {name for name in dir(ReadApi) if not name.startswith("_")}
    told = {"answers", "authorizer", "calls", "refuses_writes", "server", "took"}
    assert public == told | {"built", "close", "fetch", "get", "list", "logs", "prove_credential"}
    assert {name for name in dir(WriteApi) if not name.startswith("_")} - public == {"prepare", "send"}
    assert type(api_of(lambda request: answered(), writable=False)) is ReadApi


async def test_a_mutating_call_is_refused_by_the_transport_of_a_reader() -> None:
    wire = Answers(lambda request: answered())
    reader = api_of(wire, writable=False)
    prepared = api_of(wire).prepare("delete", RESOURCE, KEY, None, None)
    reply = await WriteApi.send(reader, prepared)
    assert (reply.answer, reply.landed, wire.requests) == ("invalid", "no", [])


async def test_a_list_that_posts_without_saying_that_it_reads_is_not_sent_by_a_reader() -> None:
    wire = Answers(lambda request: answered(200, []))
    for reads in (False, True):
        kind = replace(RESOURCE, list=Operation("POST", PathTemplate("/ls"), reads=reads))
        api = api_of(wire, platform=with_kind(kind), writable=False)
        listing = await api.list(kind, SCOPE)
        assert listing.complete is reads
    assert wire.sent == [("POST", "/v1/ls")]


# --- list


async def test_a_list_is_walked_to_its_end_and_its_rows_are_typed() -> None:
    key = KEY._replace(name="b")
    wire = paged([row("a"), row("b", tags=[f"keel.target/{uid_of('madeup', key)}"]), row("c", status="error")])
    api = api_of(wire)
    listing = await api.list(RESOURCE, SCOPE, Purpose.READY)
    assert (listing.complete, listing.why, listing.answer) == (True, "", "ok")
    assert [(r.name, r.scope, r.health) for r in listing.rows] == [
        ("a", SCOPE, "ready"),
        ("b", SCOPE, "ready"),
        ("c", SCOPE, "failed"),
    ]
    assert listing.rows[1].owner == uid_of("madeup", key)
    assert listing.rows[0].item == row("a")
    assert wire.sent == [
        ("GET", "/v1/resources?type=workflow&workspace=analytics&limit=2&offset=0"),
        ("GET", "/v1/resources?type=workflow&workspace=analytics&limit=2&offset=2"),
    ]
    assert api.calls == {"ready": 2}


@pytest.mark.parametrize(
    "body", [{"data": None, "meta": {"total": 0}}, {}, None, [], {"data": {}, "meta": {"total": 0}}, {"data": "x"}]
)
@pytest.mark.row("A35")
async def test_null_or_another_shape_is_never_an_empty_list(body: Any) -> None:
    listing = await api_of(lambda request: answered(200, body)).list(RESOURCE, SCOPE)
    assert (listing.rows, listing.complete, listing.answer) == ((), False, "broken")


async def test_an_empty_list_is_complete() -> None:
    listing = await api_of(paged([])).list(RESOURCE, SCOPE)
    assert (listing.rows, listing.complete) == ((), True)


async def test_rows_of_another_scope_are_ignored_and_still_counted() -> None:
    listing = await api_of(paged([row("a"), row("b", workspace="other"), row("c")])).list(RESOURCE, SCOPE)
    assert [r.name for r in listing.rows] == ["a", "c"]
    assert listing.complete


@pytest.mark.parametrize("bad", [{"workspace": "analytics"}, "text", None, {"name": 5.5, "workspace": "analytics"}])
async def test_a_row_that_cannot_be_told_leaves_the_list_incomplete(bad: Any) -> None:
    listing = await api_of(paged([row("a"), bad])).list(RESOURCE, SCOPE)
    assert [r.name for r in listing.rows] == ["a"]
    assert not listing.complete


async def test_a_row_that_comes_twice_is_one_row_of_an_incomplete_list() -> None:
    listing = await api_of(paged([row("a"), row("b"), row("a")])).list(RESOURCE, SCOPE)
    assert [r.name for r in listing.rows] == ["a", "b"]
    assert not listing.complete


async def test_a_page_that_fails_keeps_the_rows_before_it_and_says_why() -> None:
    rows = [row("a"), row("b"), row("c")]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["offset"] != "0":
            return refusal(403, "DENIED")
        return answered(200, {"data": rows[:2], "meta": {"total": 3}})

    listing = await api_of(answer).list(RESOURCE, SCOPE)
    assert [r.name for r in listing.rows] == ["a", "b"]
    assert (listing.complete, listing.answer, listing.why) == (False, "denied", "why")


async def test_a_list_that_is_cut_by_nature_is_never_complete() -> None:
    kind = replace(RESOURCE, list=replace(RESOURCE.list, complete=False))  # type: ignore[type-var]
    assert not (await api_of(paged([row("a")]), platform=with_kind(kind)).list(kind, SCOPE)).complete


async def test_a_kind_without_a_list_or_with_a_missing_scope_sends_nothing() -> None:
    wire = paged([])
    api = api_of(wire)
    assert not (await api.list(replace(RESOURCE, list=None), SCOPE)).complete
    kind = replace(RESOURCE, list=Operation("GET", PathTemplate("/w/{workspace}/x")), name="Other")
    assert (await api.list(kind, ())).answer == "invalid"
    assert wire.requests == []


async def test_two_objects_of_one_name_are_two_rows_where_names_identify_nothing() -> None:
    kind = replace(RESOURCE, unique=False, id=Expression("id"))
    listing = await api_of(paged([row("a", id=1), row("a", id=2)]), platform=with_kind(kind)).list(kind, SCOPE)
    assert [(r.name, r.id) for r in listing.rows] == [("a", "1"), ("a", "2")]
    assert listing.complete


async def test_rows_bring_their_own_scope_where_the_list_does_not_ask_for_it() -> None:
    kind = replace(
        RESOURCE,
        scope=(ScopeWord("workspace", optional=True),),
        list=Operation("GET", PathTemplate("/all"), items=Expression("data")),
    )
    rows = {"data": [{"name": "a", "workspace": "w"}, {"name": "a"}]}
    listing = await api_of(lambda request: answered(200, rows), platform=with_kind(kind)).list(kind, ())
    assert [r.scope for r in listing.rows] == [(("workspace", "w"),), ()]
    assert listing.complete


# --- get


async def test_a_get_returns_the_object_with_exact_numbers() -> None:
    api = api_of(lambda request: answered(200, b'{"name": "daily", "fraction": 1.10, "big": 123456789012345678901}'))
    reply = await api.get(RESOURCE, KEY)
    assert (reply.answer, reply.landed) == ("ok", "yes")
    assert str(reply.item["fraction"]) == "1.10" and type(reply.item["fraction"]) is Decimal
    assert reply.item["big"] == 123456789012345678901


@pytest.mark.parametrize(
    "body", [{"name": "other"}, {"name": "daily", "workspace": "other"}, [], None, "daily", [{"name": "daily"}]]
)
@pytest.mark.row("A20")
async def test_an_answer_about_another_object_is_broken(body: Any) -> None:
    reply = await api_of(lambda request: answered(200, body)).get(RESOURCE, KEY)
    assert (reply.answer, reply.landed) == ("broken", "no")


async def test_absence_comes_only_in_the_platforms_own_words() -> None:
    assert (await api_of(lambda r: refusal(404, "RESOURCE_NOT_FOUND")).get(RESOURCE, KEY)).answer == "notFound"
    page = httpx.Response(404, text="<html>no such page</html>")
    assert (await api_of(lambda r: page).get(RESOURCE, KEY)).answer == "broken"
    assert (await api_of(lambda r: refusal(403)).get(RESOURCE, KEY)).answer == "denied"


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b"])
async def test_an_unsafe_name_is_an_answer_and_nothing_is_sent(name: str) -> None:
    wire = Answers(lambda request: answered(200, DAILY))
    api = api_of(wire)
    key = KEY._replace(name=name)
    assert (await api.get(RESOURCE, key)).answer == "invalid"
    for verb in ("update", "delete"):
        prepared = api.prepare(verb, RESOURCE, key, None, {})
        assert prepared.refusal
        reply = await api.send(prepared)
        assert (reply.answer, reply.landed) == ("invalid", "no")
    assert wire.requests == []


# --- retries


@pytest.mark.parametrize("fault", [httpx.ReadError("x"), httpx.ConnectError("x"), 500, 503, 408])
async def test_a_read_is_tried_three_times_and_a_write_once(fault: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(fault, Exception):
            raise fault
        return httpx.Response(fault)

    async with VirtualClock().running() as clock:
        wire = Answers(answer)
        api = api_of(wire, clock=clock)
        reply = await api.get(RESOURCE, KEY)
        assert reply.answer == ("unreachable" if isinstance(fault, httpx.ConnectError) else "broken")
        assert len(wire.requests) == 3
        for verb in ("create", "update", "delete"):
            wire.requests.clear()
            reply = await api.send(api.prepare(verb, RESOURCE, KEY, None, {} if verb != "delete" else None))
            assert reply.landed == ("no" if isinstance(fault, httpx.ConnectError) else "unknown")
            assert len(wire.requests) == 1


async def test_a_read_that_works_at_last_is_a_good_read() -> None:
    answers = iter([httpx.Response(502), httpx.Response(504), answered(200, DAILY)])
    async with VirtualClock().running() as clock:
        assert (await api_of(lambda request: next(answers), clock=clock).get(RESOURCE, KEY)).answer == "ok"


async def test_what_would_come_out_the_same_is_not_tried_again() -> None:
    for response in (
        httpx.Response(200, text="<html>"),
        httpx.Response(302, headers={"location": "/x"}),
        refusal(404),
        httpx.Response(404, text="proxy"),
        answered(200, {"name": "other"}),
    ):
        wire = Answers(lambda request, response=response: response)  # type: ignore[misc]
        await api_of(wire).get(RESOURCE, KEY)
        assert len(wire.requests) == 1


@pytest.mark.row("A14")
async def test_in_an_outage_calls_end_after_a_few_and_one_in_a_while_finds_out_whether_it_is_over() -> None:
    async with VirtualClock().running() as clock:
        wire = Answers(lambda request: httpx.Response(503))
        api = api_of(wire, clock=clock)
        for _ in range(200):
            reply = await api.get(RESOURCE, KEY)
        assert len(wire.requests) == 6
        assert reply.answer == "broken" and reply.message.endswith("(not asked again yet)")
        write = await api.send(api.prepare("update", RESOURCE, KEY, None, {}))
        assert (write.answer, write.landed, len(wire.requests)) == ("unreachable", "no", 6)
        for _ in range(100):
            await clock.sleep(3.0)
            await api.get(RESOURCE, KEY)
        assert 106 <= len(wire.requests) <= 106 + 20
        wire.answer = lambda request: answered(200, DAILY)
        await clock.sleep(3.0)
        assert [(await api.get(RESOURCE, KEY)).answer for _ in range(3)] == ["ok"] * 3


async def test_reads_that_fail_one_in_three_are_repeated_within_the_share_of_repeats() -> None:
    async with VirtualClock().running() as clock:
        turns = itertools.count()
        wire = Answers(lambda request: httpx.Response(503) if next(turns) % 3 == 0 else answered(200, DAILY))
        api = api_of(wire, clock=clock)
        for _ in range(300):
            await api.get(RESOURCE, KEY)
    assert 300 <= len(wire.requests) <= 300 + 10 + 30


async def test_a_throttled_read_waits_as_told_and_a_throttled_write_is_left_to_its_caller() -> None:
    answers = iter([answered(429, {"error": {"retry_after": 60}}), answered(200, DAILY), refusal(429)])
    async with VirtualClock().running() as clock:
        api = api_of(lambda request: next(answers), clock=clock)
        assert (await api.get(RESOURCE, KEY)).answer == "ok"
        assert 60 <= clock.elapsed <= 70
        reply = await api.send(api.prepare("delete", RESOURCE, KEY, None, None))
        assert (reply.answer, reply.landed) == ("throttled", "no")


# --- writes


async def test_a_create_is_sent_with_its_body_and_its_answer_is_checked() -> None:
    wire = Answers(lambda request: answered(201, {"message": "created", "resource": DAILY}))
    api = api_of(wire)
    prepared = api.prepare("create", RESOURCE, KEY, None, {"version": "v1", "n": Decimal("1.10")})
    reply = await api.send(prepared)
    assert (reply.answer, reply.landed, reply.item) == ("ok", "yes", DAILY)
    assert wire.requests[0].extensions["body"] == b'{"version":"v1","n":1.10,"name":"daily","workspace":"analytics"}'
    assert (prepared.method, prepared.path, prepared.template) == ("POST", "/v1/resources", "/resources")
    assert api.calls == {"write": 1}


@pytest.mark.parametrize(
    ("body", "landed"),
    [
        ({"resource": {"name": "other"}}, "unknown"),
        ({"resource": {"name": "daily", "workspace": "other"}}, "unknown"),
        ({"resource": {"id": 5}}, "yes"),
        ({"message": "created"}, "unknown"),
        ({"error": {"code": "QUOTA"}}, "no"),
    ],
)
@pytest.mark.row("A20")
async def test_an_answer_to_a_create_must_be_about_it(body: Any, landed: str) -> None:
    api = api_of(lambda request: answered(201, body))
    assert (await api.send(api.prepare("create", RESOURCE, KEY, None, {}))).landed == landed


async def test_a_create_that_finds_its_name_taken_says_exists() -> None:
    api = api_of(lambda request: refusal(409))
    assert (await api.send(api.prepare("create", RESOURCE, KEY, None, {}))).answer == "exists"
    assert (await api.send(api.prepare("update", RESOURCE, KEY, None, {}))).answer == "conflict"
    kind = replace(RESOURCE, create=replace(RESOURCE.create, exists=Exists(frozenset({422}))))  # type: ignore[type-var]
    api = api_of(lambda request: refusal(422), platform=with_kind(kind))
    assert (await api.send(api.prepare("create", kind, KEY, None, {}))).answer == "exists"


async def test_a_delete_without_an_answer_body_is_done() -> None:
    api = api_of(lambda request: httpx.Response(204))
    assert (await api.send(api.prepare("delete", RESOURCE, KEY, None, None))).landed == "yes"


def test_a_write_that_the_kind_does_not_have_is_an_error_of_the_caller() -> None:
    with pytest.raises(LiveError):
        api_of(lambda request: answered()).prepare("apply", RESOURCE, KEY, None, {})


# --- the rest


async def test_the_probe_proves_the_credential() -> None:
    api = api_of(lambda request: answered(200, {"data": []}))
    assert (await api.prove_credential()).answer == "ok"
    assert api.calls == {"probe": 1}
    assert (await api_of(lambda r: refusal(401)).prove_credential()).answer == "unauthenticated"
    none = api_of(lambda r: answered(), platform=replace(PLATFORM, probe=None))
    assert (await none.prove_credential()).answer == "invalid"


async def test_logs_come_as_lines_or_as_an_error() -> None:
    wire = Answers(lambda request: answered(200, {"logs": [{"timestamp": "t", "level": "INFO", "message": TOKEN}]}))
    (line,) = await api_of(wire).logs(RESOURCE, KEY, None, {"tail": 5})
    assert (line.level, line.text) == ("INFO", "***")
    assert wire.sent == [("GET", "/v1/resources/workflow/daily/logs?tail=5")]
    with pytest.raises(Forbidden):
        await api_of(lambda request: refusal(403)).logs(RESOURCE, KEY, None, {})
    with pytest.raises(Unintelligible):
        await api_of(lambda request: answered(200, {"logs": None})).logs(RESOURCE, KEY, None, {})
    with pytest.raises(LiveError):
        await api_of(wire).logs(replace(RESOURCE, logs=None), KEY, None, {})


async def test_the_budget_learns_from_every_answer() -> None:
    async with VirtualClock().running() as clock:
        budget = Budget((Window(100, 60.0),), 0.0, clock, None, "t", rule=PLATFORM.budget)
        limits = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "40", "x-ratelimit-reset": "30"}
        api = api_of(lambda request: answered(200, DAILY, **limits), clock=clock, budget=budget)
        await api.get(RESOURCE, KEY)
        assert budget.left()[0].left == 40


async def test_nothing_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api = api_of(lambda request: answered(500, {"error": {"code": "X", "message": "boom"}}))
        await api.send(api.prepare("create", RESOURCE, KEY, None, {"password": "hunter2"}))
    assert "hunter2" not in caplog.text and TOKEN not in caplog.text
    assert json.dumps(DAILY) not in caplog.text
