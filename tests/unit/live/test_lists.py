"""A list that is known comes back unread while every page of it is what it was; otherwise it is read as any other."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.live.made_up import RESOURCE, Answers, api_of
from tests.unit.live.test_api import SCOPE, answered, row

NAMES = "abcde"  # three pages


class _Server(Answers):
    """Pages of two rows; ``head`` are headers that each answer has."""

    def __init__(self) -> None:
        super().__init__(self._page)
        self.rows: list[Any] = [row(name) for name in NAMES]
        self.head: dict[str, str] = {}
        self.fault: tuple[str, httpx.Response] | None = None

    def _page(self, request: httpx.Request) -> httpx.Response:
        offset = request.url.params["offset"]
        if self.fault is not None and offset == self.fault[0]:
            return self.fault[1]
        start = int(offset)
        body = {"data": self.rows[start : start + 2], "meta": {"total": len(self.rows)}}
        return httpx.Response(200, json=body, headers=self.head)


async def test_a_list_that_is_what_it_was_has_its_pages_and_no_rows() -> None:
    api = api_of(wire := _Server())
    first = await api.list(RESOURCE, SCOPE)
    again = await api.list(RESOURCE, SCOPE, known=first.sealed)
    assert (first.unchanged, [each.name for each in first.rows]) == (False, [*NAMES])
    assert (again.unchanged, again.rows, again.complete, again.answer, again.pages) == (True, (), True, "ok", 3)
    assert again.sealed == first.sealed
    assert wire.sent[:3] == wire.sent[3:]


@pytest.mark.parametrize("place", range(5))
async def test_a_row_that_is_another_one_brings_all_rows_for_the_same_calls(place: int) -> None:
    api = api_of(wire := _Server())
    known = (await api.list(RESOURCE, SCOPE)).sealed
    wire.rows[place] = row(NAMES[place], status="error")
    asked = len(wire.sent)
    told = await api.list(RESOURCE, SCOPE, known=known)
    assert wire.sent[asked:] == wire.sent[:asked]
    anew = await api.list(RESOURCE, SCOPE)
    assert told == anew
    assert [each.name for each in told.rows if each.health == "failed"] == [NAMES[place]]


async def test_a_list_that_grew_or_shrank_is_walked_to_its_new_end() -> None:
    api = api_of(wire := _Server())
    known = (await api.list(RESOURCE, SCOPE)).sealed
    for names in ("abcdef", "abc", "", "abcdefg"):
        wire.rows = [row(name) for name in names]
        told = await api.list(RESOURCE, SCOPE, known=known)
        assert ([each.name for each in told.rows], told.complete, told.unchanged) == ([*names], True, False)
        assert told == await api.list(RESOURCE, SCOPE)


@pytest.mark.parametrize("offset", ["0", "2", "4"])
@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_page_that_fails_is_no_list_that_is_what_it_was(offset: str, status: int) -> None:
    api = api_of(wire := _Server())
    known = (await api.list(RESOURCE, SCOPE)).sealed
    wire.fault = offset, answered(status, {"message": "no"})
    told = await api.list(RESOURCE, SCOPE, known=known)
    assert (told.unchanged, told.complete) == (False, False)
    assert [each.name for each in told.rows] == [*NAMES[: int(offset)]]


async def test_the_same_bytes_of_another_type_are_another_answer() -> None:
    api = api_of(wire := _Server())
    known = (await api.list(RESOURCE, SCOPE)).sealed
    wire.head = {"content-type": "text/html"}
    told = await api.list(RESOURCE, SCOPE, known=known)
    assert (told.unchanged, told.complete, told.answer) == (False, False, "broken")


async def test_what_is_known_of_another_request_is_no_help() -> None:
    api = api_of(wire := _Server())
    known = (await api.list(RESOURCE, SCOPE)).sealed
    asked = len(wire.sent)
    told = await api.list(RESOURCE, SCOPE, known=(("/v1/elsewhere", known[0][1]), *known[1:]))
    assert (told.unchanged, [each.name for each in told.rows]) == (False, [*NAMES])
    assert wire.sent[asked:] == wire.sent[:asked]
