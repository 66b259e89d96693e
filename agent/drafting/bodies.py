"""What the calls of one kind say and take: the object, its row in a list, the bodies of create and update.

Called by ``kinds`` before anything is written, for kinds refer to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from agent.drafting.families import Family
from agent.drafting.members import Members, Reader
from agent.drafting.model import Guess, medium
from agent.drafting.names import squeezed
from agent.drafting.replies import Rows, object_of, plain, rows_of

_NOTHING = Members({}, frozenset())


@dataclass(slots=True)
class Bodies:
    """Where rows and object are, and the members of an object, of a row, of a create and of an update.

    ``wrapped`` is the member of the object that holds what a row is: rows are then put into such a member, so that a
    row and an object look alike.
    """

    rows: Rows | None
    item: tuple[str, Any, Guess | None]
    answered: Members
    listed: Members
    created: Members
    updated: Members
    wrapped: str | None = None


def bodies_of(reader: Reader, family: Family) -> Bodies:
    """All bodies of a family."""
    last = family.collection[-1] if family.collection[-1] != "{}" else ""
    found = family.get or family.finds
    rows = rows_of(reader, family.list.answer, last, found.answer if found else None) if family.list else None
    item = object_of(reader, found.answer, last, rows.row if rows else None) if found else ("@", None, None)
    write = family.create or family.apply
    listed = reader.members(rows.row) if rows is not None and not rows.plain else _NOTHING
    _choose_update(reader, family)
    updated = reader.members(family.update.body) if family.update is not None else _NOTHING
    created = reader.members(write.body) if write is not None and write.body is not None else updated
    bodies = Bodies(rows, item, reader.members(item[1]) or listed, listed, created, updated)
    _wrap(reader, bodies)
    return bodies


def _choose_update(reader: Reader, family: Family) -> None:
    """Of a PATCH and a PUT the one that takes more of what a create takes."""
    one, other, create = family.update, family.other_update, family.create
    if one is None or other is None or create is None or create is other:
        return
    created = reader.members(create.body).schemas.keys()
    takes = [len(created & reader.members(call.body).schemas.keys()) for call in (one, other)]
    if takes[1] > takes[0] or (reader.members(other.body) and not reader.members(one.body)):
        family.update, family.other_update = other, one


def _wrap(reader: Reader, bodies: Bodies) -> None:
    """``{"data": {…}, "permissions": {…}}`` for an object, and bare ``{…}`` of ``data`` for its rows."""
    rows = bodies.rows
    if rows is None or rows.plain or bodies.item[0] != "@" or rows.items == "@":
        return
    for name, schema in bodies.answered.schemas.items():
        if name not in bodies.created or "object" not in reader.types(schema) or name in bodies.listed:
            continue
        inner = reader.members(schema)
        if squeezed(rows.items) == squeezed(name) or (inner and set(inner.schemas) == set(bodies.listed.schemas)):
            bodies.wrapped = name
            items = f"{rows.items}[].{{{plain(name)}: @}}"
            bodies.rows = replace(rows, items=items, guess=medium(f"a row is what the object has in {name}"))
            bodies.listed = Members({name: schema}, frozenset())
            return
