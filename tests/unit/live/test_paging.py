"""A list is complete only when the API says so and nothing contradicts it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.definitions.expressions import Expression
from agent.definitions.platform import Pages, Position
from agent.live.paging import PAGES_MAX, Walk

TOTAL = Position(Expression("total"))
OFFSET = Pages(by="offset", at="offset", size="limit", ask=3, total=TOTAL)
PAGE = Pages(by="page", at="page", size="per_page", ask=3, first=1)
Server = Callable[[Walk], tuple[dict[str, Any], dict[str, str]]]


def walked(pages: Pages, server: Server, limit: int = PAGES_MAX + 5) -> tuple[list[Any], Walk, int]:
    walk, rows, count, more = Walk(pages, "https://api.example.com", "/v1/things"), [], 0, True
    while more:
        assert count < limit, "the walk does not end"
        body, headers = server(walk)
        rows += body["rows"]
        more = walk.advance(body, headers, body["rows"])
        count += 1
    return rows, walk, count


def asked(walk: Walk) -> dict[str, str]:
    return {name: str(value) for name, value in walk.position}


def by_offset(things: list[Any], size: int, total: Any = None) -> Server:
    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        start = int(asked(walk)["offset"])
        return {"rows": things[start : start + size], "total": len(things) if total is None else total}, {}

    return server


def by_page(things: list[Any], size: int, more: Callable[[int, int], dict[str, Any]]) -> Server:
    last = max(1, -(-len(things) // size))

    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        page = int(asked(walk)["page"])
        told = more(page, last)
        rows = things[(page - 1) * size : page * size]
        return {"rows": rows, **told.get("body", {})}, told.get("headers", {})

    return server


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 100])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_offsets_advance_by_the_rows_that_came(count: int, size: int) -> None:
    rows, walk, _ = walked(OFFSET, by_offset(list(range(count)), size))
    assert rows == list(range(count))
    assert walk.complete, walk.why


@pytest.mark.parametrize("total", [-1, "45", None, 10**12, 2, True, 4.5])
def test_a_total_that_is_no_count_or_does_not_fit_leaves_the_list_incomplete(total: Any) -> None:
    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        start = int(asked(walk)["offset"])
        return {"rows": list(range(5))[start : start + 3], "total": total}, {}

    _, walk, count = walked(OFFSET, server)
    assert not walk.complete
    assert count <= 3


def test_an_ignored_offset_is_noticed_on_the_second_page() -> None:
    _, walk, count = walked(OFFSET, lambda walk: ({"rows": [1, 2, 3], "total": 9}, {}))
    assert not walk.complete and "ignored" in walk.why
    assert count == 2


def test_a_total_that_moves_while_pages_are_read_leaves_the_list_incomplete() -> None:
    totals = iter([6, 5])
    _, walk, _ = walked(
        OFFSET, lambda walk: ({"rows": [int(asked(walk)["offset"]) + n for n in range(3)], "total": next(totals)}, {})
    )
    assert not walk.complete


@pytest.mark.row("A24")
def test_an_object_that_comes_twice_leaves_the_list_incomplete() -> None:
    pages = iter([[1, 2, 3], [3, 4, 5], [6]])
    _, walk, _ = walked(OFFSET, lambda walk: ({"rows": next(pages, []), "total": 6}, {}))
    assert not walk.complete


@pytest.mark.row("A17")
def test_a_short_page_before_the_total_is_reached_leaves_the_list_incomplete() -> None:
    _, walk, _ = walked(OFFSET, by_offset(list(range(4)), 3, total=45))
    assert not walk.complete


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            {"next": Position(header="x-next-page")},
            lambda page, last: {"headers": {"x-next-page": str(page + 1) if page < last else ""}},
        ),
        (
            {"next": Position(Expression("next"))},
            lambda page, last: {"body": {"next": page + 1 if page < last else None}},
        ),
        ({"more": Position(Expression("more"))}, lambda page, last: {"body": {"more": page < last}}),
        ({"pages": Position(Expression("pages"))}, lambda page, last: {"body": {"pages": last}}),
        ({"short": True}, lambda page, last: {}),
        ({}, lambda page, last: {}),
    ],
)
def test_pages_end_where_the_platform_says_so(count: int, words: dict[str, Any], told: Any) -> None:
    things = list(range(count))
    rows, walk, _ = walked(replace(PAGE, **words), by_page(things, 3, told))
    assert rows == things
    assert walk.complete, walk.why


@pytest.mark.row("A24")
def test_pages_that_never_end_are_cut_at_the_limit() -> None:
    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        page = int(asked(walk)["page"])
        return {"rows": [page], "more": True}, {}

    _, walk, count = walked(replace(PAGE, more=Position(Expression("more"))), server)
    assert (walk.complete, count) == (False, PAGES_MAX)


def test_an_empty_page_that_announces_more_ends_the_walk() -> None:
    _, walk, count = walked(
        replace(PAGE, more=Position(Expression("more"))), lambda walk: ({"rows": [], "more": True}, {})
    )
    assert (walk.complete, count) == (False, 1)


def test_a_next_page_that_is_not_the_one_after_this_is_not_followed() -> None:
    _, walk, count = walked(
        replace(PAGE, next=Position(header="n")), lambda walk: ({"rows": [asked(walk)["page"]]}, {"n": "1"})
    )
    assert (walk.complete, count) == (False, 1)


def test_the_sign_of_the_end_must_agree_with_the_total() -> None:
    pages = replace(PAGE, more=Position(Expression("more")), total=TOTAL)
    _, walk, _ = walked(pages, lambda walk: ({"rows": [1, 2], "more": False, "total": 5}, {}))
    assert not walk.complete and "5" in walk.why


CURSOR = Pages(by="cursor", at="after", size="n", ask=2, next=Position(Expression("next")))


def test_cursors_are_handed_back_until_there_is_none() -> None:
    pages = {None: ([1, 2], "b"), "b": ([3], "c"), "c": ([4], None)}

    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        rows, following = pages[asked(walk).get("after")]
        return {"rows": rows, "next": following}, {}

    rows, walk, _ = walked(CURSOR, server)
    assert rows == [1, 2, 3, 4] and walk.complete


def test_a_cursor_that_comes_again_ends_the_walk() -> None:
    numbers = iter(range(100))
    _, walk, count = walked(CURSOR, lambda walk: ({"rows": [next(numbers)], "next": "same"}, {}))
    assert (walk.complete, count) == (False, 2)


LINK = Pages(by="link", next=Position(header="link"))


@pytest.mark.parametrize(
    "link",
    [
        '<https://api.example.com/v1/things?page=2>; rel="next"',
        "<https://api.example.com:443/v1/things?page=2>; rel=next",
        '<https://api.example.com/x>; rel="prev", </v1/things?page=2>; rel="last next"',
        "<?page=2>; rel=next",
        "/v1/things?page=2",
    ],
)
def test_a_next_link_on_our_own_path_is_followed(link: str) -> None:
    answers = iter([({"rows": [1]}, {"link": link}), ({"rows": [2]}, {})])
    targets: list[str | None] = []

    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        targets.append(walk.target)
        return next(answers)

    rows, walk, _ = walked(LINK, server)
    assert rows == [1, 2] and walk.complete
    assert targets == [None, "/v1/things?page=2"]


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/v1/things?page=2",
        "https://evil.example/v1/things",
        "http://api.example.com/v1/things",
        "https://api.example.com:8443/v1/things",
        "https://user@api.example.com/v1/things",
        "https://api.example.com@evil.example/v1/things",
        "//evil.example/v1/things",
        "/v1/other?page=2",
        "/v1/things/../secrets",
        "https://[bad/v1/things",
        "/v1/things?a=\r\nX: y",
    ],
)
@pytest.mark.row("A24")
def test_a_next_link_anywhere_else_is_not_followed(link: str) -> None:
    _, walk, count = walked(
        replace(LINK, next=Position(Expression("next"))), lambda walk: ({"rows": [1], "next": link}, {})
    )
    assert (walk.complete, count) == (False, 1)


def test_a_list_without_pages_is_one_answer_and_its_total_still_counts() -> None:
    assert walked(Pages(), lambda walk: ({"rows": [1, 2]}, {}))[1].complete
    assert not walked(Pages(total=TOTAL), lambda walk: ({"rows": [1, 2], "total": 3}, {}))[1].complete


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.row("A23")
def test_a_list_that_shifts_while_it_is_read_is_complete_only_if_nothing_is_missing(seed: int) -> None:
    chance = random.Random(seed)
    things = list(range(chance.randint(0, 12)))
    steady = set(things)
    fresh = iter(range(1000, 2000))

    def server(walk: Walk) -> tuple[dict[str, Any], dict[str, str]]:
        start = int(asked(walk)["offset"])
        answer = {"rows": things[start : start + 3], "total": len(things)}
        if things and chance.random() < 0.3:
            steady.discard(things.pop(chance.randrange(len(things))))
        if chance.random() < 0.2:
            things.insert(chance.randint(0, len(things)), next(fresh))
        return answer, {}

    rows, walk, _ = walked(OFFSET, server)
    if len(set(rows)) < len(steady & set(rows)) or not steady <= set(rows):
        # A row that was there all the time and did not come: only a swap of equal size can hide that from any reader.
        assert not walk.complete or len(rows) == len(set(rows)) == walk._total
