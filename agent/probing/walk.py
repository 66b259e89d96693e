"""A list, page by page, with the answers as they came: ``live/api`` walks it for its rows, this for its form.

Used by ``doctor`` and ``probe``. Each page is one call of the lowest rank; a walk ends after some pages however long
the list is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.definitions.platform import Kind, Pages
from agent.definitions.scope import list_words
from agent.live.answers import Reply
from agent.live.api import ReadApi
from agent.live.paging import Walk
from agent.live.purpose import Purpose
from agent.live.rendering import Position
from agent.live.requests import Prepared
from agent.live.rows import id_of, identity_of

Scope = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the call, the whole answer, and its rows, which are None where no list came."""

    call: Prepared
    reply: Reply
    rows: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Walked:
    """A list as far as it was walked. ``more``: the API announced pages after the last one.

    ``why`` says what is odd about it (``live/paging``), empty where nothing is.
    """

    kind: Kind
    scope: Scope
    pages: tuple[Page, ...]
    more: bool
    why: str

    @property
    def first(self) -> Reply:
        return self.pages[0].reply

    @property
    def rows(self) -> tuple[Any, ...]:
        return tuple(row for page in self.pages for row in page.rows or ())

    @property
    def answered(self) -> bool:
        """Whether every page that was asked for came, with a list in it."""
        return all(page.reply.answer == "ok" and page.rows is not None for page in self.pages)


async def walk(api: ReadApi, kind: Kind, scope: Scope, pages_max: int = 3) -> Walked:
    """The first pages of a kind's list in a scope; it must have one. Raises nothing for what a platform does."""
    operation = kind.list
    assert operation is not None
    call = api.built(lambda requests: requests.listing(kind, operation, scope))
    walked = Walk(operation.pages, api.server, call.path)
    pages: list[Page] = []
    more = True
    while more and len(pages) < pages_max:
        position, target = walked.position, walked.target
        call = _placed(api, kind, scope, position, target)
        reply = await api.fetch(call, Purpose.IMPORT)
        rows = rows_of(api, kind, reply)
        pages.append(Page(call, reply, rows))
        if rows is None:
            return Walked(kind, scope, tuple(pages), False, reply.message or "no list where one is due")
        more = walked.advance(reply.body, reply.headers, [_identity(kind, row, scope) for row in rows])
    return Walked(kind, scope, tuple(pages), more, walked.why)


async def page_of(api: ReadApi, kind: Kind, scope: Scope, size: int) -> Page:
    """The first page, asked for with another size than the definition's."""
    operation = kind.list
    assert operation is not None
    pages: Pages = replace(operation.pages, ask=size)
    call = _placed(api, kind, scope, Walk(pages, api.server, "").position, None)
    reply = await api.fetch(call, Purpose.IMPORT)
    return Page(call, reply, rows_of(api, kind, reply))


def rows_of(api: ReadApi, kind: Kind, reply: Reply) -> tuple[Any, ...] | None:
    """The rows of a page, as the definition finds them; None where there is no list."""
    assert kind.list is not None
    if reply.answer != "ok":
        return None
    expression = kind.list.items or api.platform.response.items
    found = reply.body if expression is None else expression.search(reply.body)
    return tuple(found) if isinstance(found, list) else None


def _placed(api: ReadApi, kind: Kind, scope: Scope, position: Position, target: str | None) -> Prepared:
    operation = kind.list
    assert operation is not None
    return api.built(lambda requests: requests.page(requests.listing(kind, operation, scope), position, target))


def _identity(kind: Kind, row: Any, scope: Scope) -> Hashable:
    """What tells a row from all others, as ``live/api`` does; None where nothing does."""
    if not isinstance(row, Mapping):
        return None
    server_id = id_of(kind, row)
    if server_id is not None:
        return server_id
    identity = identity_of(kind, row, dict(scope), list_words(kind))
    return (identity[1], identity[0]) if isinstance(identity, tuple) and kind.unique else None
