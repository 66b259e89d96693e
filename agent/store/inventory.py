"""Reads and writes what is ours: inventory rows, the leaves last applied, tombstones.

Called by ``Store`` and ``journal`` with a connection whose transaction they own; never begins or commits one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.store import rows as packing
from agent.store import schema
from agent.store.engine import execute_many, raw_rows, upsert

TOMBSTONE_SECONDS = 30 * 86_400.0
_SCAN_FROM = 300  # keys of one target from which a scan of the target is cheaper than naming them
_KEYS_A_QUERY = 100
_ROWS_AT_ONCE = 500  # that are packed before they are written: ten thousand would be a seventh of a pass's memory

# A statement is made once: to make one costs more than to run it.
_rows = schema.inventory
_ROWS_OF = select(_rows).where(_rows.c.target == bindparam("of"))
_ANY_TOMBSTONE = select(schema.tombstone.c.at).limit(1)
_TOMBSTONES_OF = select(*(schema.tombstone.c[name] for name in ("kind", "scope", "name", "at"))).where(
    schema.tombstone.c.target == bindparam("of"), schema.tombstone.c.at >= bindparam("since")
)
_DROP = {
    table: delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in packing.KEY_COLUMNS))
    for table in (schema.inventory, schema.applied, schema.tombstone)
}
_LEAVES_OF = select(*(schema.applied.c[name] for name in ("kind", "scope", "name", "body"))).where(
    schema.applied.c.target == bindparam("of")
)
_PUT_TOMBSTONE = insert(schema.tombstone)


def read_rows(connection: Connection, target: str) -> tuple[dict[Key, InventoryRow], tuple[Key, ...]]:
    """Rows by key, and the keys of damaged rows."""
    with packing.collector_paused():
        return packing.unpack_rows(raw_rows(connection, _ROWS_OF, {"of": target}))


def write_rows(connection: Connection, rows: Iterable[InventoryRow]) -> None:
    """Insert or overwrite; a key that is ours again loses its tombstone."""
    statement, waiting = upsert(connection, schema.inventory), iter(rows)
    buried = connection.execute(_ANY_TOMBSTONE).first() is not None
    while packed := [packing.pack_row(row) for row in islice(waiting, _ROWS_AT_ONCE)]:
        execute_many(connection, statement, packed)
        for row in packed if buried else ():
            connection.execute(_DROP[schema.tombstone], _of(row))


class Leaves(Mapping[Key, Mapping[str, Any]]):
    """Leaves by key, unpacked when asked for: ten thousand trees at once would be most of a pass's memory.

    What cannot be unpacked is not there.
    """

    def __init__(self, packed: Mapping[Key, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, key: Key) -> Mapping[str, Any]:
        leaves = packing.applied_from_bytes(self._packed[key])
        if leaves is None:
            raise KeyError(key)
        return leaves

    def __iter__(self) -> Iterator[Key]:
        return (key for key, body in self._packed.items() if packing.applied_from_bytes(body) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_applied(connection: Connection, keys: Iterable[Key]) -> Mapping[Key, Mapping[str, Any]]:
    """Leaves by key; a key without readable leaves is left out."""
    by_target: dict[str, dict[tuple[str, str, str], Key]] = {}
    for key in keys:
        target, *rest = packing.key_values(key)
        by_target.setdefault(target, {})[(rest[0], rest[1], rest[2])] = key
    found: dict[Key, bytes] = {}
    for target, wanted in by_target.items():
        for kind, scope, name, body in _applied_of(connection, target, list(wanted)):
            key_or_none = wanted.get((kind, scope, name))
            if key_or_none:
                found[key_or_none] = body
    return Leaves(found)


def _applied_of(connection: Connection, target: str, wanted: list[tuple[str, str, str]]) -> list[tuple[Any, ...]]:
    columns = schema.applied.c
    if len(wanted) >= _SCAN_FROM:
        return raw_rows(connection, _LEAVES_OF, {"of": target})
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(wanted), _KEYS_A_QUERY):
        some = tuple_(columns.kind, columns.scope, columns.name).in_(wanted[start : start + _KEYS_A_QUERY])
        found += raw_rows(connection, _LEAVES_OF.where(some), {"of": target})
    return found


def write_applied(connection: Connection, applied: Mapping[Key, Mapping[str, Any]]) -> None:
    statement, waiting = upsert(connection, schema.applied), iter(applied.items())
    while some := list(islice(waiting, _ROWS_AT_ONCE)):
        packed = [{**packing.key_dict(key), "body": packing.applied_bytes(leaves)} for key, leaves in some]
        execute_many(connection, statement, packed)


def forget(connection: Connection, key: Key, tombstone_at: float | None) -> None:
    """Remove row and leaves; with a moment, keep a tombstone that says when the resource went."""
    values = packing.key_dict(key)
    for drop in _DROP.values():
        connection.execute(drop, _of(values))
    if tombstone_at is not None:
        connection.execute(_PUT_TOMBSTONE, {**values, "at": tombstone_at})


def read_tombstones(connection: Connection, target: str, since: float) -> dict[Key, float]:
    found = connection.execute(_TOMBSTONES_OF, {"of": target, "since": since})
    return {Key(target, kind, packing.scope_of(scope), name): at for kind, scope, name, at in found}


def drop_tombstones(connection: Connection, before: float) -> None:
    connection.execute(delete(schema.tombstone).where(schema.tombstone.c.at < before))


def _of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{name}": values[name] for name in packing.KEY_COLUMNS}
