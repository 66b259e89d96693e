"""Work that was begun and whose end nobody has seen: what a process died over is known to the next one.

Called by ``Store`` for ``reconcile/checking``. Row L5 of the fault model: counted before the work, not after it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, select

from agent.store import schema
from agent.store.engine import upsert

_table = schema.begun
_OF = select(_table.c.what, _table.c.times).where(_table.c.context == bindparam("of"))


def read(connection: Connection, context: str) -> dict[str, int]:
    """How often each piece of work of a context was begun without an end."""
    return {row.what: row.times for row in connection.execute(_OF, {"of": context})}


def put(connection: Connection, context: str, what: str, times: int) -> None:
    connection.execute(upsert(connection, _table), [{"context": context, "what": what, "times": times}])


def remove(connection: Connection, context: str, but: Collection[str]) -> None:
    """All of it came to an end, but these."""
    connection.execute(delete(_table).where(_table.c.context == context, _table.c.what.not_in(but)))
