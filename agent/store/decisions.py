"""What people decided about calls whose answer was lost: written beside a running agent, heeded by its next recovery.

Called by ``Store``.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select

from agent.model.inventory import Decision
from agent.store import schema
from agent.store.engine import upsert

_table = schema.decision
_COLUMNS = tuple(_table.c[name] for name in Decision.__slots__)
_OF = select(*_COLUMNS).where(_table.c.op_id == bindparam("of"))


def read(connection: Connection, op_id: str) -> Decision | None:
    found = connection.execute(_OF, {"of": op_id}).first()
    return None if found is None else Decision(found[0], bool(found[1]), *found[2:])


def put(connection: Connection, decision: Decision) -> None:
    """Written, or changed as long as nobody has heeded it."""
    values = {name: getattr(decision, name) for name in Decision.__slots__}
    connection.execute(upsert(connection, _table), [values | {"made": int(decision.made)}])


def drop(connection: Connection, before: float) -> None:
    connection.execute(delete(_table).where(_table.c.at < before))
