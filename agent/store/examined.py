"""What the last examination found out of each target's API: one JSON document each. Called by ``Operations``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select

from agent.model.canonical import from_json, to_json
from agent.store import schema
from agent.store.engine import upsert

_table = schema.examined
_OF = select(_table.c.at, _table.c.body).where(_table.c.target == bindparam("of"))


def write(connection: Connection, target: str, at: float, facts: Mapping[str, Any]) -> None:
    row = {"target": target, "at": at, "body": to_json(dict(facts)).decode()}
    connection.execute(upsert(connection, _table), [row])


def read(connection: Connection, target: str) -> tuple[float, Mapping[str, Any]] | None:
    """When it was, in epoch seconds, and what was found; None before the first time, and for what cannot be read."""
    found = connection.execute(_OF, {"of": target}).first()
    if found is None:
        return None
    try:
        facts = from_json(found.body)
    except ValueError:
        return None
    return (float(found.at), facts) if isinstance(facts, dict) else None
