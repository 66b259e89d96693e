"""What events pointed at, on its way from the agent that was told to the one that is the home of the target.

Called by ``operations``. A pointer is a text that only agents read; the same one is kept once. What nobody came for
within ten minutes is dropped: a whole pass has looked at it since, or will.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, func, select

from agent.store import schema
from agent.store.engine import upsert

KEPT_SECONDS = 600.0
OF_TARGET_MAX = 1000

_table = schema.pointer
_COUNT = select(func.count()).select_from(_table).where(_table.c.target == bindparam("of"))
_OLD = delete(_table).where(_table.c.came_at < bindparam("before"))


def put(connection: Connection, target: str, came_at: Mapping[str, float], now: float) -> None:
    """Leave these for the home of the target; of more than a thousand that wait, the rest is dropped."""
    connection.execute(_OLD, {"before": now - KEPT_SECONDS})
    room = OF_TARGET_MAX - int(connection.execute(_COUNT, {"of": target}).scalar() or 0)
    rows = [
        {"target": target, "digest": hashlib.sha256(body.encode()).hexdigest(), "body": body, "came_at": at}
        for body, at in came_at.items()
    ]
    if rows[:room]:
        connection.execute(upsert(connection, _table), rows[: max(0, room)])


def any_of(connection: Connection, targets: Collection[str]) -> bool:
    """Whether something waits for one of these."""
    found = select(_table.c.target).where(_table.c.target.in_(targets)).limit(1)
    return connection.execute(found).first() is not None


def take(connection: Connection, targets: Collection[str], now: float) -> list[tuple[str, str, float]]:
    """All that waits for these, which then waits no more: target, pointer, moment of its event; oldest first."""
    columns = (_table.c.target, _table.c.body, _table.c.came_at)
    gone = delete(_table).where(_table.c.target.in_(targets)).returning(*columns)
    found = [(str(target), str(body), float(at)) for target, body, at in connection.execute(gone)]
    return sorted((row for row in found if row[2] >= now - KEPT_SECONDS), key=lambda row: row[2])
