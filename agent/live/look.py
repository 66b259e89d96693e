"""One object, in whatever way its kind can be looked at: by key, by id, or as a row of its list.

Called by ``observe``, and by ``apply`` before a write, after it and in recovery, so that a kind without a by-key read
is looked at alike everywhere. Absence is told with its proof (``design/platform-definitions.md`` 7.3): a by-key read
that answered *not found*, two complete lists in a row without it, or, where the name identifies nothing, that we never
made it. Sends reads only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from agent.definitions.platform import Kind
from agent.live.api import ReadApi, Reply, Row
from agent.live.purpose import Purpose
from agent.live.requests import list_words
from agent.model.identity import Key

Proof = Literal["get", "lists", "never-made"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look told; ``proof`` counts only when the answer is ``notFound``."""

    reply: Reply
    proof: Proof = "get"


async def look_at(
    api: ReadApi, kind: Kind, key: Key, server_id: str | None, purpose: Purpose, *, uid: str | None = None
) -> Looked:
    """Look once. ``uid`` is our mark's, which finds an object whose name identifies nothing."""
    if kind.get is not None and (server_id is not None or "id" not in kind.get.request.path_words):
        return Looked(await api.get(kind, key, server_id, purpose))
    if kind.list is None:
        return Looked(await api.get(kind, key, server_id, purpose))
    if not kind.unique and server_id is None and kind.mark is None:
        return Looked(_not_found(kind, "never made by us"), "never-made")
    for _ in range(2):
        listing = await api.list(kind, scope_of_list(kind, key), purpose)
        row = find_row(kind, key, listing.rows, server_id, uid)
        if row is not None:
            return await _from_row(api, kind, key, row, purpose)
        if not listing.complete:
            return Looked(replace(_not_found(kind, listing.why), answer=_failure(listing.answer)))
    return Looked(_not_found(kind, "in none of two complete lists"), "lists")


def scope_of_list(kind: Kind, key: Key) -> tuple[tuple[str, str], ...]:
    """The scope words that the kind's list names, in its request line or its headers."""
    words = list_words(kind)
    return tuple(pair for pair in key.scope if pair[0] in words)


def find_row(kind: Kind, key: Key, rows: tuple[Row, ...], server_id: str | None, uid: str | None) -> Row | None:
    """The row that is this object: by name where that is unique, else by its id, else by our mark."""
    for row in rows:
        if row.scope != key.scope:
            continue
        if kind.unique and row.name == key.name:
            return row
        if server_id is not None and row.id == server_id:
            return row
        if uid is not None and row.owner == uid:
            return row
    return None


async def _from_row(api: ReadApi, kind: Kind, key: Key, row: Row, purpose: Purpose) -> Looked:
    """A full row is the object; a summary leads to it where the kind can be read by what the row told."""
    if kind.list is not None and kind.list.holds == "summary" and kind.get is not None:
        return Looked(await api.get(kind, key, row.id, purpose))
    method = kind.list.method if kind.list is not None else "GET"
    path = kind.list.request.source if kind.list is not None else ""
    return Looked(Reply("ok", "no", 200, row.item, row.item, "", "", {}, path, method))


def _not_found(kind: Kind, message: str) -> Reply:
    path = kind.list.request.source if kind.list is not None else ""
    return Reply("notFound", "no", None, None, None, "", message, {}, path, "GET")


def _failure(answer: str) -> Literal["broken", "denied", "unauthenticated", "unreachable", "throttled"]:
    """An incomplete list as an answer: never ``ok`` and never ``notFound``."""
    if answer in ("denied", "unauthenticated", "unreachable", "throttled"):
        return answer  # type: ignore[return-value]
    return "broken"
