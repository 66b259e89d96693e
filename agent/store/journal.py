"""Intents: every mutating call is a durable row here before its first byte leaves.

Called by ``Store`` with a connection whose transaction it owns. Closing an intent and what follows from it for the
inventory is one transaction, so a crash leaves either an open intent or the whole outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from agent.errors import StoreError
from agent.model.identity import Key
from agent.model.inventory import Intent, InventoryRow
from agent.store import inventory, schema
from agent.store import rows as packing
from agent.store.engine import raw_rows

CLOSED_SECONDS = 30 * 86_400.0
CLOSED_MAX = 100_000

_table = schema.journal
_expected = schema.expected
_OPENED = tuple(column.name for column in _table.columns)[1:18]  # what is known before the call: op_id … epoch
_OPEN = insert(_table)
_EXPECT = insert(_expected)
_KEY_OF = select(_table.c.target, _table.c.kind, _table.c.scope, _table.c.name).where(
    _table.c.op_id == bindparam("of"), _table.c.closed_at.is_(None)
)
_CLOSE = update(_table).where(_table.c.op_id == bindparam("of"))
_CLOSE = _CLOSE.values({name: bindparam(f"new_{name}") for name in ("result", "note", "closed_at")})
_SENT = update(_table).where(_table.c.op_id == bindparam("of"), _table.c.closed_at.is_(None))
_SENT = _SENT.values(sent_by=bindparam("at"))
_EXPECT_NO_MORE = delete(_expected).where(_expected.c.op_id == bindparam("of"))
_OPEN_OF = (
    select(
        _table.c.number,
        *(_table.c[name] for name in _OPENED),
        _expected.c.row,
        _expected.c.applied,
        _table.c.checksum,
        _table.c.sent_by,
    )
    .outerjoin_from(_table, _expected, _expected.c.op_id == _table.c.op_id)
    .where(_table.c.target == bindparam("of"), _table.c.closed_at.is_(None))
    .order_by(_table.c.number)
)


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """A call that may have happened; ``row`` and ``applied`` are what is true if it did.

    ``sent_by``: when it had surely left, if it ever did; None while nobody has seen its sender end.
    """

    intent: Intent
    row: InventoryRow | None
    applied: Mapping[str, Any] | None
    sent_by: float | None = None


def open_intent(
    connection: Connection, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None
) -> None:
    values = (
        intent.op_id,
        intent.pass_id,
        *packing.key_values(intent.key),
        intent.action,
        intent.method,
        intent.path,
        intent.uid,
        intent.server_id,
        intent.request_hash,
        intent.base_hash,
        intent.revision,
        float(intent.opened_at),
        intent.applied_digest,
        intent.epoch,
    )
    row_body = packing.row_bytes(row) if row else None
    applied_body = packing.applied_bytes(applied) if applied is not None else None
    checksum = _checksum((*values, row_body, applied_body))
    connection.execute(_OPEN, {**dict(zip(_OPENED, values, strict=True)), "checksum": checksum})
    if row_body is not None or applied_body is not None:
        connection.execute(_EXPECT, {"op_id": intent.op_id, "row": row_body, "applied": applied_body})


def sent(connection: Connection, op_id: str, at: float) -> None:
    """The call of an open intent leaves no more after this moment."""
    connection.execute(_SENT, {"of": op_id, "at": at})


def close_intent(
    connection: Connection,
    op_id: str,
    result: str,
    *,
    row: InventoryRow | None,
    applied: Mapping[str, Any] | None,
    forget: bool,
    note: str,
    at: float,
    fence: Callable[[Connection, str], None] = lambda connection, target: None,
) -> bool:
    """False, and nothing is written, when no open intent has this id: someone closed it before.

    ``fence`` is asked whether its target may be written for, and raises when it may not.
    """
    found = connection.execute(_KEY_OF, {"of": op_id}).first()
    if found is None:
        return False
    fence(connection, found.target)
    key = Key(found.target, found.kind, packing.scope_of(found.scope), found.name)
    connection.execute(_CLOSE, {"of": op_id, "new_result": result, "new_note": note or None, "new_closed_at": at})
    connection.execute(_EXPECT_NO_MORE, {"of": op_id})
    if forget:
        inventory.forget(connection, key, at)
    if row is not None:
        inventory.write_rows(connection, (row,))
    if applied is not None:
        inventory.write_applied(connection, {row.key if row else key: applied})
    return True


def read_open_intents(connection: Connection, target: str, place: str) -> tuple[OpenIntent, ...]:
    """In the order in which they were opened. A damaged one is a :class:`StoreError`: what it sent is not known."""
    return tuple(_unpack(values, place) for values in raw_rows(connection, _OPEN_OF, {"of": target}))


def compact(connection: Connection, now: float, closed_max: int) -> None:
    """Drop closed intents that are old or beyond the newest ``closed_max``; open ones always stay."""
    closed = _table.c.closed_at.is_not(None)
    connection.execute(delete(_table).where(closed, _table.c.closed_at < now - CLOSED_SECONDS))
    edge = connection.execute(
        select(_table.c.number).where(closed).order_by(_table.c.number.desc()).offset(closed_max).limit(1)
    ).scalar()
    if edge is not None:
        connection.execute(delete(_table).where(closed, _table.c.number <= edge))


def _unpack(stored: tuple[Any, ...], place: str) -> OpenIntent:
    number, *values, checksum, sent_by = stored
    try:
        sound = _checksum(tuple(values)) == checksum
    except TypeError:
        sound = False
    if not sound:
        raise StoreError(
            f"the journal row {number} of the state store {place} is damaged, so a call cannot be accounted for",
            fix="move the store away; a new one is rebuilt from ownership marks and git",
        )
    op_id, pass_id, target, kind, scope, name, *rest, row, applied = values
    return OpenIntent(
        Intent(op_id, pass_id, Key(target, kind, packing.scope_of(scope), name), *rest),
        packing.row_from_bytes(row) if row is not None else None,
        packing.applied_from_bytes(applied) if applied is not None else None,
        sent_by,
    )


def _checksum(values: tuple[Any, ...]) -> int:
    *plain, row, applied = values
    return packing.checksum((*plain, *(body.hex() if body is not None else None for body in (row, applied))))
