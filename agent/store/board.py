"""What pages show of a target besides its last word: the day as marks, and what the last whole pass left to do.

Called by ``Store`` with a connection whose transaction it owns. What is as it was is not written again, so that an idle
agent writes a mark every ten minutes. Documents arrive redacted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from agent.model.canonical import to_json
from agent.store import schema
from agent.store.day import day_after
from agent.store.status import Query

_table = schema.board
_OF = select(_table.c.day, _table.c.waiting).where(_table.c.target == bindparam("of"))
_INSERT = insert(_table)
_UPDATE = update(_table).where(_table.c.target == bindparam("of"))


def write(connection: Connection, target: str, at: float, result: str, waiting: Mapping[str, Any] | None) -> None:
    """Note a pass that ended ``at`` with that word; ``waiting`` None leaves what is known of that as it is."""
    found = connection.execute(_OF, {"of": target}).first()
    day = to_json(day_after(json.loads(found.day) if found else None, at, result)).decode()
    left = found.waiting if found else None
    if waiting is not None:
        left = zlib.compress(to_json(dict(waiting)))
    if found is None:
        connection.execute(_INSERT, {"target": target, "day": day, "waiting": left})
        return
    changed = {name: value for name, value in (("day", day), ("waiting", left)) if value != getattr(found, name)}
    if changed:
        connection.execute(_UPDATE.values(changed), {"of": target})


def boards_of(query: Query) -> dict[str, dict[str, Any]]:
    """Per target: ``day`` as ``agent.store.day`` has it, and ``waiting`` (``datakeel.waiting/1``) or None."""
    rows = query("SELECT target, day, waiting FROM board ORDER BY target", {})
    return {
        target: {"day": json.loads(day), "waiting": json.loads(zlib.decompress(waiting)) if waiting else None}
        for target, day, waiting in rows
    }
