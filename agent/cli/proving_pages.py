"""Is a list walked as its definition says? Asked with pages of one row, by the walk that the agent itself uses.

Used by ``proving``: a second page must be another one, the end must be known, and fewer rows than were asked for must
mean that there are no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.cli.proving_calls import Asked, Calls, Pairs, Probed, told
from agent.definitions.platform import Kind, Operation
from agent.drafting import seen
from agent.drafting.seen import Finding, Verdict
from agent.live.paging import Walk
from agent.live.rows import id_of, name_of

_FLIPPED = {0: 1, 1: 0}


@dataclass(slots=True)
class PageCheck:
    """The pages of one kind's list in one scope. ``cutter`` is the parameter that cuts a list whose end is not told."""

    calls: Calls
    found: Probed
    kind: Kind
    operation: Operation
    scope: Pairs
    cutter: str | None

    async def empty(self) -> None:
        """Nothing is there, or nothing on a page with that number."""
        pages = self.operation.pages
        if pages.by == "page":
            walk = self.calls.walk(self.kind, self.operation, replace(pages, first=_FLIPPED[pages.first]), self.scope)
            other = await self.calls.page(self.kind, self.operation, self.scope, walk)
            if other.rows:
                what = f"page {pages.first} is empty and page {_FLIPPED[pages.first]} is not"
                self._note("pages", "wrong", what, {"first": _FLIPPED[pages.first]})
                return
        self._note("items", "open", "an empty list; nothing is seen")

    async def run(self, whole: Asked) -> None:
        """``whole`` is the first page as the definition asks for it, with at least one row."""
        pages, rows = self.operation.pages, whole.rows or []
        if pages.by == "none":
            await self._without_pages(whole, rows)
            return
        if pages.size is None or len(rows) < 2:
            self._note("pages", "open", "too few rows to see a second page")
            return
        problem = await self._small(rows)
        if not problem and pages.short:
            problem = await self._cut_short(len(rows))
        if problem:
            self._note("pages", "wrong", problem)
        else:
            self._note("pages", "proved", "a second page is another one")

    async def _small(self, rows: list[Any]) -> str:
        """What is wrong with two pages of one row each."""
        small = replace(self.operation.pages, ask=1)
        walk = self.calls.walk(self.kind, self.operation, small, self.scope)
        one = await self.calls.page(self.kind, self.operation, self.scope, walk)
        if one.reply.answer != "ok" or one.rows is None:
            return f"a page of one row answers {told(one.reply)}"
        if len(one.rows) != 1:
            return f"{len(one.rows)} rows came where one was asked for"
        if name_of(self.kind, one.rows[0]) != name_of(self.kind, rows[0]):
            return "a page of one row begins elsewhere than the whole list"
        if not self._advance(walk, one):
            return walk.why or f"the first of {len(rows)} pages is taken for the last"
        two = await self.calls.page(self.kind, self.operation, self.scope, walk)
        if not two.rows:
            return f"the second page answers {told(two.reply)}, and no row"
        self._advance(walk, two)
        return "" if "the total says" in walk.why else walk.why  # it was left early

    def _advance(self, walk: Walk, asked: Asked) -> bool:
        names = tuple(id_of(self.kind, row) or name_of(self.kind, row) for row in asked.rows or ())
        return walk.advance(asked.reply.body, asked.reply.headers, names)

    async def _cut_short(self, rows: int) -> str:
        """Whether a server that gives fewer rows than were asked for has more of them."""
        pages = self.operation.pages
        if pages.ask is None or rows >= pages.ask:
            return ""
        walk = self.calls.walk(self.kind, self.operation, replace(pages, short=False), self.scope)
        walk.advance(None, {}, tuple(range(rows)))
        more = await self.calls.page(self.kind, self.operation, self.scope, walk)
        return f"{pages.ask} rows were asked for, {rows} came, and there are more: ask for fewer" if more.rows else ""

    async def _without_pages(self, whole: Asked, rows: list[Any]) -> None:
        signs = [*seen.page_headers(whole.reply.headers), *seen.page_members(whole.reply.body, len(rows))]
        if signs:
            self._note("pages", "open", f"the answer speaks of pages: {', '.join(signs)}")
        elif self.operation.complete:
            self._note("pages", "open", f"{len(rows)} rows and no word of pages")
        elif len(rows) > 1 and self.cutter is not None:
            await self._find_pages(self.cutter)

    async def _find_pages(self, size: str) -> None:
        """A list that a parameter cuts: does an answer of one row tell where the next page is?"""
        asked = await self.calls.page_at(self.kind, self.operation, self.scope, ((size, "1"),))
        pages = seen.pages_told(size, asked.reply.headers, asked.reply.body, self.calls.server)
        if asked.reply.answer == "ok" and pages is not None:
            where = pages["next"]["header"] if isinstance(pages["next"], Mapping) else pages["next"]
            what = f"asked for one row, the answer tells where the next page is, in {where}"
            self._note("complete", "wrong", what, pages)

    def _note(self, word: str, verdict: Verdict, what: str, change: Any = None) -> None:
        path = ("kinds", self.kind.name, "list", word)
        self.found.note(self.kind.name, Finding(path, verdict, what, change))
