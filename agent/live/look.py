"""One object, in whatever way its kind can be looked at: by key, by id, or as a row of its list.

Called by ``observe``, and by ``apply`` before a write, after it and in recovery, so that a kind without a by-key read
is looked at alike everywhere. Absence is told with its proof (``design/platform-definitions.md`` 7.3): a by-key read
that answered *not found*, two complete lists in a row without it, or, where the name identifies nothing, that we never
made it. Sends reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from agent.definitions.marks import content_of_run
from agent.definitions.platform import Kind
from agent.definitions.scope import list_words
from agent.live.api import ReadApi, Reply, Row
from agent.live.purpose import Purpose
from agent.model.identity import Key

Proof = Literal["get", "lists", "never-made"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look told; ``proof`` counts only when the answer is ``notFound``.

    ``unlisted``: the list was answered and is cut by nature, so that what it lacks may still be there.
    """

    reply: Reply
    proof: Proof = "get"
    unlisted: bool = False
    others: tuple[str, ...] = ()  # of a run: ids of the other listed runs of its manifest


async def look_at(
    api: ReadApi,
    kind: Kind,
    key: Key,
    server_id: str | None,
    purpose: Purpose,
    *,
    uid: str | None = None,
    content: str | None = None,
    besides: Collection[str] = (),
) -> Looked:
    """Look once. ``uid`` is our mark's, which finds an object whose name identifies nothing; of runs it finds the one
    of ``content`` where that is given, and never another one then. ``besides`` are ids of objects that are not meant,
    though they carry the same name or mark.
    """
    if kind.get is not None and (server_id is not None or "id" not in kind.get.request.path_words):
        return Looked(await api.get(kind, key, server_id, purpose))
    if kind.list is None:
        return Looked(await api.get(kind, key, server_id, purpose))
    if not kind.unique and server_id is None and kind.mark is None:
        return Looked(_not_found(kind, "never made by us"), "never-made")
    for _ in range(2):
        listing = await api.list(kind, scope_of_list(kind, key), purpose)
        row = find_row(kind, key, [row for row in listing.rows if row.id not in besides], server_id, uid, content)
        if row is not None:
            looked = await _from_row(api, kind, key, row, purpose)
            if not kind.is_run:
                return looked
            ours = (each.id for each in runs_of(key, listing.rows, server_id, uid) if each.id != row.id)
            return replace(looked, others=tuple(each for each in ours if each is not None))
        if kind.is_run and server_id is None and listing.answer == "ok":
            # No list of runs is whole. One that we never made has no mark in it, and that is all that can be known.
            return Looked(_not_found(kind, "no run with this mark"), "never-made")
        if not listing.complete:
            failed = replace(_not_found(kind, listing.why), answer=_failure(listing.answer))
            return Looked(failed, unlisted=listing.answer == "ok" and not kind.list.complete)
    return Looked(_not_found(kind, "in none of two complete lists"), "lists")


def scope_of_list(kind: Kind, key: Key) -> tuple[tuple[str, str], ...]:
    """The scope words that the kind's list names, in its request line or its headers."""
    words = list_words(kind)
    return tuple(pair for pair in key.scope if pair[0] in words)


def find_row(
    kind: Kind,
    key: Key,
    rows: Iterable[Row],
    server_id: str | None,
    uid: str | None,
    content: str | None = None,
) -> Row | None:
    """The row that is this object: by name where that is unique, else by its id, else by our mark."""
    if kind.is_run:
        return _run_of(kind, key, rows, server_id, uid, content)
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


def _run_of(
    kind: Kind, key: Key, rows: Iterable[Row], server_id: str | None, uid: str | None, content: str | None
) -> Row | None:
    """The run that we know by its id, if it was started from ``content`` where that is given; else one that was.

    Any other run of ours is an earlier one: it counts only while we know of none, neither by id nor by content.
    """
    ours = runs_of(key, rows, server_id, uid)
    known = [row for row in ours if row.id == server_id is not None]
    wanted = [row for row in ours if content is not None and content_of_run(kind, row.item) == content]
    rest = ours if content is None and server_id is None else []
    return next(iter((*(row for row in known if row in wanted), *wanted, *known, *rest)), None)


def runs_of(key: Key, rows: Iterable[Row], server_id: str | None, uid: str | None) -> list[Row]:
    """All listed runs of one manifest."""
    return [row for row in rows if row.scope == key.scope and (row.owner == uid or server_id == row.id is not None)]


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
