"""Requests of people to look now: written beside a running agent, taken up by it, and answered after its pass.

Called by ``operations``. A request that nobody has answered within an hour has nobody who waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from agent.model.canonical import from_json, to_json
from agent.model.request import LookRequest
from agent.store import schema
from agent.store.server import take_turns

WAITING_SECONDS = 3600.0
KEPT_SECONDS = 86_400.0

_table = schema.request
_COLUMNS = tuple(_table.c[name] for name in LookRequest.__slots__)
_NEWEST = select(func.max(_table.c.number))
_OPEN = (
    select(*_COLUMNS)
    .where(_table.c.answered_at.is_(None), _table.c.asked_at > bindparam("since"))
    .order_by(_table.c.number)
)


def put(connection: Connection, targets: Sequence[str], revision: str | None, who: str, now: float) -> tuple[int, ...]:
    """One request a target; their numbers."""
    take_turns(connection, "requests")
    first = (connection.execute(_NEWEST).scalar() or 0) + 1
    numbers = tuple(range(first, first + len(targets)))
    for number, target in zip(numbers, targets, strict=True):
        values = {"number": number, "target": target, "revision": revision, "who": who, "asked_at": now}
        connection.execute(insert(_table), values)
    return numbers


def read_open(connection: Connection, now: float) -> tuple[LookRequest, ...]:
    """Those that wait for their answer, oldest first."""
    return tuple(_request(row) for row in connection.execute(_OPEN, {"since": now - WAITING_SECONDS}))


def read(connection: Connection, numbers: Collection[int]) -> tuple[LookRequest, ...]:
    rows = connection.execute(select(*_COLUMNS).where(_table.c.number.in_(numbers)).order_by(_table.c.number))
    return tuple(_request(row) for row in rows)


def mark_seen(connection: Connection, numbers: Collection[int], now: float) -> None:
    where = (_table.c.number.in_(numbers), _table.c.seen_at.is_(None))
    connection.execute(update(_table).where(*where).values(seen_at=now))


def answer(connection: Connection, number: int, words: Mapping[str, Any], now: float) -> None:
    values = {"answer": to_json(dict(words)).decode(), "answered_at": now}
    connection.execute(update(_table).where(_table.c.number == number).values(values))


def withdraw(connection: Connection, numbers: Collection[int]) -> None:
    """Nobody waits any more."""
    connection.execute(delete(_table).where(_table.c.number.in_(numbers), _table.c.answered_at.is_(None)))


def drop(connection: Connection, before: float) -> None:
    connection.execute(delete(_table).where(_table.c.asked_at < before))


def _request(row: Any) -> LookRequest:
    values: dict[str, Any] = dict(row._mapping)
    words = values.pop("answer")
    return LookRequest(**values, answer=from_json(words) if words else None)
