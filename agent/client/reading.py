"""Reads of one object, of a list, of a log. Each goes the agent's way: paged, admitted by the budget, tried again.

``not found`` is raised only where the platform proves it; a list that is not whole proves nothing.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from agent.client.errors import ApiError, NotSupportedError, ResourceNotFoundError, UnreadableAnswerError, error_for
from agent.client.kinds import Scope, must_say, operation_of
from agent.client.session import Session
from agent.definitions.platform import Kind, LogRule
from agent.definitions.scope import list_words
from agent.errors import LiveError, NotFound, UsageError
from agent.json_schema import Schema
from agent.live.actions import Subject, subject_of
from agent.live.api import Listing, Reply, Row
from agent.live.log_lines import lines_as_they_come, lines_now
from agent.live.logs import LogLine
from agent.live.purpose import Purpose
from agent.live.rows import id_of, mismatch, name_of, scope_of
from agent.model.identity import Key
from agent.validate.findings import nearest, one_of


@dataclass(slots=True)
class Seen:
    """One object as it was last answered. ``whole``: all of it, not a row of a list or the answer to a write."""

    kind: Kind
    key: Key
    id: str | None
    item: Mapping[str, Any] = field(repr=False)
    whole: bool
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of a list; ``why`` says why there may be more."""

    rows: tuple[Seen, ...]
    complete: bool
    why: str


async def read_list(session: Session, kind: Kind, scope: Scope, limit: int | None) -> Listed:
    """All objects of a kind in a scope; a word that is left out is any, where the platform can list so."""
    if limit is not None and limit < 1:
        raise UsageError(f"limit={limit}: at least one row can be asked for")
    operation = operation_of(kind, "list")
    must_say(kind, operation, scope)
    with session.asking(Purpose.LIST):
        listing = await _listing(session, kind, scope, Purpose.LIST, limit)
    if listing.answer != "ok":
        raise _list_error(session, kind, listing)
    rows = [_of_row(session, kind, row) for row in listing.rows if set(scope) <= set(row.scope)]
    if limit is not None and len(rows) > limit:
        return Listed(tuple(rows[:limit]), False, "no more were asked for")
    return Listed(tuple(rows), listing.complete, listing.why)


async def read_one(session: Session, kind: Kind, scope: Scope, name: str, server_id: str | None = None) -> Seen:
    """One object, by its name or its id. Raises :class:`ResourceNotFoundError` where it is proved not to be there.

    Where nobody said where it stands and the platform's own default does not have it, the one of this name that stands
    anywhere else is meant.
    """
    try:
        return await read_there(session, kind, scope, name, server_id)
    except ResourceNotFoundError:
        found = await elsewhere(session, kind, scope, name) if server_id is None else None
        if found is None:
            raise
        return await read_there(session, kind, found.scope, name, found.id)


async def read_there(session: Session, kind: Kind, scope: Scope, name: str, server_id: str | None = None) -> Seen:
    """The same, nowhere else."""
    with session.asking(Purpose.READ):
        if kind.get is not None and (server_id if "id" in kind.get.request.path_words else name):
            return await _read(session, kind, scope, name, server_id)
        row = await find_row(session, kind, scope, name, server_id)
        if kind.get is None:
            return _of_row(session, kind, row, whole=True)
        if kind.list is not None and kind.list.holds == "full":
            return _of_row(session, kind, row, whole=True)
        return await _read(session, kind, row.scope, row.name, row.id)


async def find_row(session: Session, kind: Kind, scope: Scope, name: str, server_id: str | None = None) -> Row:
    """The one row of the kind's list that is meant. UsageError where several have the name."""
    if kind.list is None:
        raise NotSupportedError.of(kind, "get")
    must_say(kind, kind.list, scope)
    listing = await _listing(session, kind, scope, Purpose.READ, None)
    subject = f"{kind.name}/{name}"
    rows = [
        row
        for row in listing.rows
        if (row.id == server_id if server_id is not None else row.name == name) and set(scope) <= set(row.scope)
    ]
    if listing.answer != "ok" and not (rows and kind.unique):
        raise _list_error(session, kind, listing)  # what was not read may be another one of this name
    if len(rows) == 1:
        return rows[0]
    if rows:
        places = ", ".join(_told(row) for row in rows[:10])
        raise UsageError(f"{len(rows)} objects are named {subject}: {places}", fix="say id=…, or where it stands")
    if not listing.complete:
        raise ApiError(
            f"{subject} is not among the {len(listing.rows)} that were listed, and there may be more: {listing.why}",
            fix="an object that is not listed may still be there; look on the platform",
        )
    raise ResourceNotFoundError(f"{subject} is not among the {len(listing.rows)} objects of its list")


async def elsewhere(session: Session, kind: Kind, scope: Scope, name: str) -> Row | None:
    """The one object of this name, where a call left out a word of its scope and one list shows all of them."""
    needed = {word.word for word in kind.scope if not word.optional}
    if needed <= dict(scope).keys() or kind.list is None or kind.get is None:
        return None
    try:
        return await find_row(session, kind, scope, name)
    except LiveError:  # nowhere, or nobody can tell: then what the platform's default said stands
        return None


def subject_text(kind: Kind, key: Key) -> str:
    """``Workflow/analytics/daily-etl`` for messages."""
    return key.path if key.kind == kind.name else f"{kind.name}/{key.name}"


def seen_in(kind: Kind, key: Key, server_id: str | None, item: Any, *, whole: bool, etag: str | None = None) -> Seen:
    """What an answer says of the object that was asked for. Raises UnreadableAnswerError for another one's."""
    item = item if isinstance(item, Mapping) else {}
    key = _placed(kind, key, item)
    wrong = mismatch(kind, key, item, server_id) if item and name_of(kind, item) is not None else ""
    if wrong:
        raise UnreadableAnswerError(f"{subject_text(kind, key)}: {wrong}")
    return Seen(kind, key, id_of(kind, item) or server_id, copy.deepcopy(dict(item)), whole, etag)


async def read_logs(session: Session, seen: Seen, words: Mapping[str, Any], tail: int | None) -> tuple[LogLine, ...]:
    """The lines that the platform tells now, oldest first."""
    rule, args, last = _log_words(seen.kind, words, tail)
    with session.asking(Purpose.LOGS):
        return (await _lines(session, seen, rule, args, last))[1]


async def follow_logs(
    session: Session, seen: Seen, words: Mapping[str, Any], tail: int | None
) -> AsyncGenerator[LogLine, None]:
    """Lines as they come, until the caller stops or the platform ends the log."""
    rule, args, last = _log_words(seen.kind, words, tail)
    with session.asking(Purpose.LOGS):
        if rule.request is None or _is_placed(seen):
            subject = await _subject(session, seen, rule)
        else:  # a log that is not where the platform looks by itself is looked for before it is followed
            subject, _ = await _lines(session, seen, rule, {**args, "tail": 1} if "tail" in rule.args else args, 1)
        lines = lines_as_they_come(session.api, subject, rule, args, session.clock, random=session.random, last=last)
        async with aclosing(lines) as each:
            async for line in each:
                yield line


async def _read(session: Session, kind: Kind, scope: Scope, name: str, server_id: str | None) -> Seen:
    operation = kind.get
    assert operation is not None
    must_say(kind, operation, scope)
    key = Key(session.target, kind.name, scope, name)
    prepared = session.api.built(lambda requests: requests.reading_of(kind, operation, key, server_id))
    reply = await session.api.fetch(prepared, Purpose.READ)
    subject = subject_text(kind, key)
    if reply.answer != "ok":
        error = error_for(reply, subject)
        guess = operation.unverified or kind.unverified
        if isinstance(error, ResourceNotFoundError) and guess is not None:
            error.why = f"the path is a guess ({guess}), so that this proves nothing"
            error.add_note(error.why)
        raise error
    if not isinstance(reply.item, Mapping):
        raise UnreadableAnswerError(f"{subject}: an answer that is no object")
    name = name or name_of(kind, reply.item) or ""
    seen = seen_in(kind, key._replace(name=name), server_id, reply.item, whole=True, etag=reply.headers.get("etag"))
    if name_of(kind, reply.item) is None:
        wrong = mismatch(kind, seen.key, reply.item)
        if wrong:
            raise UnreadableAnswerError(f"{subject}: {wrong}")
    return seen


async def _listing(session: Session, kind: Kind, scope: Scope, purpose: Purpose, limit: int | None) -> Listing:
    words = list_words(kind)
    asked = tuple(pair for pair in scope if pair[0] in words)
    # Rows of another scope are left out afterwards, so that a limit of rows is no limit of pages then.
    most = limit if len(asked) == len(scope) else None
    return await session.api.list(kind, asked, purpose, anywhere=True, most=most)


async def _subject(session: Session, seen: Seen, rule: LogRule) -> Subject:
    if seen.id is None and seen.kind.id is not None and any(word == "id" for word in _words(rule)):
        row = await find_row(session, seen.kind, seen.key.scope, seen.key.name)
        seen = replace(seen, id=row.id)
    return await subject_of(session.api, seen.kind, seen.key, rule, seen.id)


async def _lines(
    session: Session, seen: Seen, rule: LogRule, args: Mapping[str, Any], last: int | None
) -> tuple[Subject, tuple[LogLine, ...]]:
    """The lines, and whose they are in the end: see :func:`elsewhere`."""
    subject = await _subject(session, seen, rule)
    try:
        return subject, await lines_now(session.api, subject, rule, args, last)
    except NotFound:
        found = await elsewhere(session, seen.kind, seen.key.scope, seen.key.name) if seen.id is None else None
        if found is None:
            raise
    there = replace(seen, key=seen.key._replace(scope=found.scope), id=found.id)
    subject = await _subject(session, there, rule)
    return subject, await lines_now(session.api, subject, rule, args, last)


def _is_placed(seen: Seen) -> bool:
    return {word.word for word in seen.kind.scope if not word.optional} <= dict(seen.key.scope).keys()


def _words(rule: LogRule) -> tuple[str, ...]:
    return tuple(word for line in (rule.request, rule.websocket) if line is not None for word in line.words)


def _log_words(kind: Kind, words: Mapping[str, Any], tail: int | None) -> tuple[LogRule, dict[str, Any], int | None]:
    """The rule, its arguments by their declaration, and how many lines are to be kept where it cannot be told so."""
    rule = kind.logs
    if rule is None:
        raise NotSupportedError.of(kind, "logs")
    args = {name: value for name, value in words.items() if value is not None}
    if tail is not None and "tail" in rule.args:
        args, tail = {**args, "tail": tail}, None
    unknown = next((name for name in args if name not in rule.args), None)
    if unknown is not None:
        fix = nearest(unknown, rule.args) or (one_of(rule.args) if rule.args else None)
        raise NotSupportedError(f"the logs of {kind.name} take no `{unknown}` on this platform", fix=fix)
    checked = Schema({"type": "object", "properties": dict(rule.args)}, "args")
    if not checked.is_valid(args):
        fault = checked.violations(args)[0]
        raise UsageError(f"the logs of {kind.name}: {fault.what}", got=fault.got, fix=fault.fix)
    return rule, args, tail


def _of_row(session: Session, kind: Kind, row: Row, *, whole: bool = False) -> Seen:
    key = Key(session.target, kind.name, row.scope, row.name)
    holds_all = kind.list is not None and kind.list.holds == "full" and kind.get is None
    return Seen(kind, key, row.id, copy.deepcopy(dict(row.item)), whole or holds_all)


def _placed(kind: Kind, key: Key, item: Mapping[str, Any]) -> Key:
    """The key with the scope words that nobody said and the object does."""
    told, known = scope_of(kind, item), dict(key.scope)
    scope = tuple(
        (word.word, value) for word in kind.scope if (value := known.get(word.word) or told.get(word.word)) is not None
    )
    return key._replace(scope=scope)


def _list_error(session: Session, kind: Kind, listing: Listing) -> LiveError:
    """Why a list was not answered."""
    operation = kind.list
    assert operation is not None
    reply = listing.failed or Reply(
        listing.answer, "no", None, None, None, "", listing.why, {}, operation.request.source, operation.method
    )
    return error_for(reply, f"the list of {kind.name}")


def _told(row: Row) -> str:
    return "/".join([*(name for _, name in row.scope), row.id or row.name])
