"""Alerts that stand, and messages on their way: written with each other, so that none is told twice or forgotten.

Called by ``operations``. Facts arrive without secrets; nothing here could tell one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from agent.model.alert import Alert, Fact, Message
from agent.model.canonical import from_json, to_json
from agent.store import schema
from agent.store.engine import upsert
from agent.store.server import take_turns

WAITING_MAX = 1000
WAITING_SECONDS = 3 * 86_400.0

_alert, _outbox = schema.alert, schema.outbox
_FACT = ("type", "target", "subject", "reason", "message", "digest")
_OF = select(_alert).where(_alert.c.target == bindparam("of")).order_by(_alert.c.since, _alert.c.subject)
_NEWEST = select(func.max(_outbox.c.number))
_DUE = select(_outbox).where(_outbox.c.next_at <= bindparam("now")).order_by(_outbox.c.number).limit(bindparam("most"))


def read(connection: Connection, target: str) -> tuple[Alert, ...]:
    """What stands of a target, oldest first."""
    found = []
    for row in connection.execute(_OF, {"of": target}).mappings():
        words: dict[str, Any] = {name: row[name] for name in _FACT}
        fact = Fact(**words | {"lasting": bool(row["lasting"])})
        found.append(Alert(fact, row["since"], row["told_at"], row["told_times"]))
    return tuple(found)


def put(connection: Connection, alerts: Collection[Alert]) -> None:
    rows = [
        {name: getattr(one.fact, name) for name in _FACT}
        | {"lasting": int(one.fact.lasting), "since": one.since, "told_at": one.told_at, "told_times": one.told_times}
        for one in alerts
    ]
    if rows:
        connection.execute(upsert(connection, _alert), rows)


def remove(connection: Connection, target: str, about: Collection[tuple[str, str]]) -> None:
    for type_, subject in about:
        where = (_alert.c.target == target, _alert.c.type == type_, _alert.c.subject == subject)
        connection.execute(delete(_alert).where(*where))


def remove_targets(connection: Connection, but: Collection[str]) -> None:
    """Targets that are no longer configured have nothing that stands."""
    connection.execute(delete(_alert).where(_alert.c.target.not_in(but)))


def send(connection: Connection, messages: Sequence[Message]) -> int:
    """Put them into the outbox, whose oldest give way beyond :data:`WAITING_MAX`; how many had to."""
    if not messages:
        return 0
    take_turns(connection, "outbox")
    newest = connection.execute(_NEWEST).scalar() or 0
    rows = [
        {
            "number": newest + index,
            "id": one.id,
            "sink": one.sink,
            "event": to_json(dict(one.event)).decode(),
            "created_at": one.created_at,
            "next_at": one.next_at,
            "attempts": one.attempts,
        }
        for index, one in enumerate(messages, 1)
    ]
    connection.execute(insert(_outbox), rows)
    old = delete(_outbox).where(_outbox.c.number <= newest + len(rows) - WAITING_MAX)
    return int(connection.execute(old).rowcount)


def due(connection: Connection, now: float, most: int) -> tuple[Message, ...]:
    """What is to be sent now, oldest first."""
    rows = connection.execute(_DUE, {"now": now, "most": most}).mappings()
    return tuple(_message(row) for row in rows)


def claim(connection: Connection, message: Message, until: float) -> bool:
    """Take it for one attempt, until when nobody else does; False when somebody has."""
    where = (_outbox.c.number == message.number, _outbox.c.attempts == message.attempts)
    values = {"attempts": message.attempts + 1, "next_at": until}
    return bool(connection.execute(update(_outbox).where(*where).values(values)).rowcount)


def put_off_sink(connection: Connection, message: Message, until: float) -> None:
    """Nothing goes to the sink of this message before then, so that its messages stay in their order."""
    waits = or_(_outbox.c.next_at < until, _outbox.c.number == message.number)
    connection.execute(update(_outbox).where(_outbox.c.sink == message.sink, waits).values(next_at=until))


def done(connection: Connection, number: int) -> None:
    connection.execute(delete(_outbox).where(_outbox.c.number == number))


def drop(connection: Connection, before: float) -> None:
    connection.execute(delete(_outbox).where(_outbox.c.created_at < before))


def _message(row: Any) -> Message:
    return Message(
        row["number"],
        row["id"],
        row["sink"],
        from_json(row["event"]),
        row["created_at"],
        row["next_at"],
        row["attempts"],
    )
