"""What a target keeps between passes: one JSON document each. Called by ``Store``, which owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from agent.model.canonical import from_json, to_json
from agent.store import schema

_OF = select(schema.target.c.memory).where(schema.target.c.name == bindparam("of"))
_PUT = update(schema.target).where(schema.target.c.name == bindparam("of")).values(memory=bindparam("words"))


def read(connection: Connection, target: str) -> Mapping[str, Any]:
    """Empty for a target that was never remembered; ValueError when it cannot be read."""
    found = connection.execute(_OF, {"of": target}).scalar()
    memory: dict[str, Any] = from_json(found) if found else {}
    return memory


def write(connection: Connection, target: str, memory: Mapping[str, Any]) -> None:
    """The row of the target must be there."""
    connection.execute(_PUT, {"of": target, "words": to_json(dict(memory)).decode()})
