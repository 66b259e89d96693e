"""What people have suspended: written by ``suspend`` and ``resume`` beside a running agent, read by each pass.

Called by ``Store``. One that is over stays until somebody resumes it or suspends it anew; whoever reads leaves it out.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, or_, select

from agent.model.suspension import Suspension
from agent.store import schema
from agent.store.engine import upsert

_table = schema.suspension
_COLUMNS = tuple(_table.c[name] for name in Suspension.__slots__)
_IN_FORCE = (
    select(*_COLUMNS)
    .where(_table.c.target == bindparam("of"), or_(_table.c.until.is_(None), _table.c.until > bindparam("now")))
    .order_by(_table.c.since, _table.c.selector)
)


def read(connection: Connection, target: str, now: float) -> tuple[Suspension, ...]:
    """Those of a target that are in force."""
    return tuple(Suspension(*row) for row in connection.execute(_IN_FORCE, {"of": target, "now": now}))


def put(connection: Connection, suspension: Suspension) -> None:
    """Written, or changed where the same was suspended before."""
    values = {name: getattr(suspension, name) for name in Suspension.__slots__}
    connection.execute(upsert(connection, _table), [values])


def remove(connection: Connection, target: str, selector: str | None) -> int:
    """How many were ended: the one of this selector, or (None) all of the target."""
    where = [_table.c.target == target, *([] if selector is None else [_table.c.selector == selector])]
    return int(connection.execute(delete(_table).where(*where)).rowcount)
