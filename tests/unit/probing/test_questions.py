"""A list is asked whether it honours a page size, an ETag and a filter; and what it holds is held to the definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from agent.definitions.expressions import Expression
from agent.definitions.platform import BudgetRule, FieldRule, Pages, Position, Window
from agent.probing import answers, contents
from agent.probing.questions import Sized, ask_again, ask_filter, ask_size, filters_of
from agent.probing.samples import redacted
from agent.probing.walk import Walked, walk
from tests.unit.live.made_up import PLATFORM, RESOURCE, Answers, api_of, with_kind
from tests.unit.live.test_sandbox import SCOPE, WORKFLOW, create, sandbox

PAGES = Pages("offset", "offset", "limit", ask=4, total=Position(Expression("meta.total")))
KIND = replace(RESOURCE, list=replace(RESOURCE.list, pages=PAGES))  # type: ignore[type-var, arg-type]


def a_list(count: int, most: int = 10_000, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    """A platform with so many rows that serves so many at once, and filters by the workspace."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "if-none-match" in request.headers and headers.get("etag") == request.headers["if-none-match"]:
            return httpx.Response(304)
        words = request.url.params
        rows = [{"name": f"w{number}", "workspace": "analytics"} for number in range(count)]
        rows = [row for row in rows if row["workspace"] == words["workspace"]]
        start, size = int(words.get("offset", 0)), min(int(words.get("limit", most)), most)
        body = {"data": rows[start : start + size], "meta": {"total": len(rows)}}
        return httpx.Response(200, json=body, headers=headers)

    return answer


async def walked(answer: Callable[[httpx.Request], httpx.Response], **words: Any) -> tuple[Any, Walked, Answers]:
    wire = Answers(answer)
    api = api_of(wire, platform=with_kind(KIND), writable=False)
    return api, await walk(api, KIND, SCOPE, **words), wire


async def test_a_walk_ends_with_the_list_or_after_some_pages_and_tells_which() -> None:
    _, whole, wire = await walked(a_list(6))
    assert (len(whole.pages), len(whole.rows), whole.more, whole.why, whole.answered) == (2, 6, False, "", True)
    _, part, wire = await walked(a_list(100), pages_max=2)
    assert (len(part.pages), part.more, len(wire.sent)) == (2, True, 2)
    assert [line for line, _ in wire.sent] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("count", "most", "found"),
    [
        (0, 9, Sized("unknown", 4, 0)),
        (1, 9, Sized("unknown", 4, 1)),
        (3, 9, Sized("honoured", 4, 3)),
        (9, 10_000, Sized("honoured", 4, 9)),
        (300, 250, Sized("honoured", 4, 250, capped=250)),
        (9, 2, Sized("ignored", 4, 2, capped=2)),
    ],
)
async def test_a_page_size_is_honoured_up_to_where_it_is_capped(count: int, most: int, found: Sized) -> None:
    api, seen, wire = await walked(a_list(count, most))
    before = len(wire.sent)
    assert await ask_size(api, seen) == found
    assert len(wire.sent) - before <= 1


async def test_a_size_that_is_ignored_or_refused_is_told() -> None:
    def whole(request: httpx.Request) -> httpx.Response:
        return a_list(3)(httpx.Request("GET", request.url.copy_remove_param("limit")))

    api, seen, _ = await walked(whole)
    assert await ask_size(api, seen) == Sized("ignored", 4, 3)

    def strict(request: httpx.Request) -> httpx.Response:
        if int(request.url.params["limit"]) > 100:
            return httpx.Response(400, json={"error": {"code": "INVALID", "message": "limit"}})
        return a_list(9)(request)

    api, seen, _ = await walked(strict)
    assert await ask_size(api, seen) == Sized("honoured", 4, 4, refused=1000)


async def test_an_etag_is_honoured_ignored_or_not_there() -> None:
    for headers, found in (({}, "none"), ({"etag": '"1"'}, "honoured")):
        api, seen, _ = await walked(a_list(3, **headers))
        assert await ask_again(api, seen) == found

    numbers = iter(range(9))
    api, seen, _ = await walked(lambda request: a_list(3, etag=f'"{next(numbers)}"')(request))
    assert await ask_again(api, seen) == "ignored"


async def test_a_filter_is_honoured_or_ignored() -> None:
    assert filters_of((await walked(a_list(2)))[1]) == ("workspace",)
    for answer, found in ((a_list(2), "honoured"), (a_list(0), "unknown"), (unfiltered, "ignored")):
        api, seen, _ = await walked(answer)
        assert await ask_filter(api, seen, "workspace") == found


def unfiltered(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": [{"name": "a", "workspace": "analytics"}], "meta": {"total": 1}})


async def test_the_emulator_is_seen_as_it_is_also_where_it_misbehaves() -> None:
    async with sandbox() as (api, world, _):
        for name in ("a", "b", "c"):
            await create(api, name)
        seen = await walk(api, WORKFLOW, SCOPE)
        assert seen.answered and seen.why == "" and len(seen.rows) == 3
        assert await ask_filter(api, seen, "workspace") == "honoured"
        sized = await ask_size(api, seen)
        assert sized is not None and sized.honoured == "honoured"
        for fault, told in (
            ("wrong-total", "although more were announced"),
            ("null-rows", "no list"),
            ("forbidden", ""),
        ):
            world.faults.replace([{"fault": fault}])
            assert told in (await walk(api, WORKFLOW, SCOPE)).why
        world.faults.replace([{"fault": "filter-ignored"}])
        assert await ask_filter(api, seen, "workspace") == "ignored"


def test_the_content_is_held_to_the_definition() -> None:
    kind = replace(
        KIND,
        id=Expression("uid"),
        schema={"type": "object", "properties": {"spec": {}}, "additionalProperties": False},
        schema_path="acme/workflow.schema.json",
        fields=(FieldRule("/spec/key", secret=True, mask=r"^\*+$"), FieldRule("/labels", read_only=True)),
    )
    items = [
        {"name": "a", "status": "active", "labels": 1, "spec": {"key": "***"}},
        {"name": "b", "status": "suspended", "owner": "ann", "spec": {"key": "open-sesame"}},
    ]
    assert contents.strange_states(kind, items) == ["status=suspended"]
    assert contents.unknown_members(kind, items) == ["owner"]
    assert contents.never_seen(kind, items) == ["uid"]
    assert contents.bare_secrets(kind, items) == ["/spec/key"]
    assert contents.fruitless(with_kind(kind), kind, "list", {"data": items}) == ["id", "list.pages.total"]
    assert contents.fruitless(with_kind(kind), kind, "list", {"data": []}) == []


def test_a_sample_has_form_and_no_secret() -> None:
    kind = replace(KIND, fields=(FieldRule("/spec/pin", secret=True),))
    row = {"name": "a", "mail": "ann@acme.example", "spec": {"pin": 4711, "apiToken": "canary-1"}, "note": "x" * 999}
    found = redacted(kind, {"data": [row] * 9, "sum": "canary-2"}, lambda text: text.replace("canary-2", "***"), None)
    assert "canary" not in str(found) and "ann@" not in str(found) and "4711" not in str(found)
    assert (
        found["data"][0]["spec"] == {"pin": "(secret)", "apiToken": "(secret)"} and len(found["data"][0]["note"]) < 300
    )
    rows = [dict(row, name=str(number)) for number in range(9)]
    short = redacted(kind, {"data": rows}, str, Expression("data"))
    assert [each["name"] for each in short["data"]] == ["0", "1", "2"]


def test_clocks_are_compared_with_the_second_that_is_told() -> None:
    date = {"date": "Tue, 14 Nov 2023 22:13:20 GMT"}  # 1_700_000_000
    found = answers.clock(date, 1_700_000_000.2, 1_700_000_000.9)
    assert found is not None and (found.state, found.facts) == ("ok", {"clock_ahead_seconds": 0.0})
    for ours, side in ((1_700_000_400.0, "6 min ahead of"), (1_699_999_000.0, "16 min behind")):
        found = answers.clock(date, ours, ours + 0.1)
        assert found is not None and found.state == "warn" and side in found.said
    assert answers.clock({"date": "soon"}, 0, 0) is None and answers.clock({}, 0, 0) is None


def test_a_token_ends_by_its_own_word_or_by_a_header() -> None:
    now = 1_700_000_000.0
    for header, text in (
        ("github-authentication-token-expiration", "2023-11-16 22:13:20 UTC"),
        ("x-token-expires-at", "2023-11-16T22:13:20Z"),
    ):
        assert answers.expiry_told({header: text}, now) == now + 2 * 86_400
    assert answers.expiry_told({"expires": "Thu, 16 Nov 2023 22:13:20 GMT"}, now) is None, (
        "of the answer, not the token"
    )
    states = [answers.expiry("T", ends, now).state for ends in (None, now + 1e7, now + 1e5, now - 60)]
    assert states == ["ok", "ok", "warn", "bad"]
    assert answers.expiry("T", now - 60, now).said == "T has ended 1 min ago"


def test_a_limit_below_the_windows_is_told_with_the_budget_to_write() -> None:
    rule = BudgetRule((Window(100, 60.0), Window(1000, 3600.0)), header_limit="x-limit", header_remaining="x-left")
    found = answers.limits(rule, rule.windows, {"x-limit": "50", "x-left": "49"}, 0.0, "shop")
    assert (found.state, found.fix) == ("warn", "targets.shop.budget: [{requests: 50, every: 1m}]")
    assert answers.limits(rule, rule.windows, {"x-limit": "100"}, 0.0, "shop").state == "ok"
    assert answers.limits(rule, rule.windows, {}, 0.0, "shop").state == "warn"
    assert answers.limits(rule, rule.windows, {"x-limit": "many"}, 0.0, "shop").state == "warn"
    assert answers.limits(PLATFORM.budget, (), {}, 0.0, "shop").said.endswith("kept: none")
