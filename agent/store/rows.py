"""The stored form of keys, inventory rows and applied leaves, and the checksum that tells a damaged row.

Called by ``inventory`` and ``journal``. SQLite notices almost no flipped bit in a row, so each row carries a CRC-32 of
all its other columns; a row that fails it is never returned as a row.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from sys import intern
from typing import Any

import orjson

from agent.model.canonical import from_json, to_json
from agent.model.change import Cause, FieldChange, FieldOp
from agent.model.identity import Key
from agent.model.inventory import Flap, InventoryRow, Reported

KEY_COLUMNS = ("target", "kind", "scope", "name")

# A frozen dataclass sets each field through object.__setattr__: six times the cost of a plain class with the same
# slots, which Python lets us turn into the frozen one once it is filled. Scans of thousands of rows need it.
_NOTHING: Mapping[str, Any] = {}
_NOT_YET = (None, None, None, None)
_Draft: Any = type("_Draft", (), {"__slots__": InventoryRow.__slots__})


def key_values(key: Key) -> tuple[str, str, str, str]:
    """target, kind, scope, name as the tables hold them."""
    return key.target, key.kind, scope_text(key.scope), key.name


def key_dict(key: Key) -> dict[str, Any]:
    return dict(zip(KEY_COLUMNS, key_values(key), strict=True))


def scope_text(scope: tuple[tuple[str, str], ...]) -> str:
    return orjson.dumps(scope).decode() if scope else "[]"


def scope_of(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((intern(word), intern(name)) for word, name in orjson.loads(text))


def pack_row(row: InventoryRow) -> dict[str, Any]:
    """Values of the inventory's columns. All but the key is one JSON array: columns would cost a scan thrice."""
    body = _pack_body(row)
    key = key_dict(row.key)
    return {**key, "body": body, "checksum": zlib.crc32(body, _key_checksum(*key.values()))}


def unpack_rows(packed: list[tuple[Any, ...]]) -> tuple[dict[Key, InventoryRow], tuple[Key, ...]]:
    """Rows by key, and the keys (as far as they can be read) of damaged rows."""
    rows: dict[Key, InventoryRow] = {}
    damaged: list[Key] = []
    scopes: dict[tuple[str, str], tuple[str, str, tuple[tuple[str, str], ...]]] = {}
    crc32, key_checksum, unpack, key_of = zlib.crc32, _key_checksum, _unpack_body, Key._make
    for target, kind, scope, name, body, checksum in packed:
        try:
            sound = crc32(body, key_checksum(target, kind, scope, name)) == checksum
        except TypeError:  # damage may also change a column's type
            sound = False
        if sound:
            # Shared parts: a key is found several times faster when its parts are few and near, not one set for each.
            shared = scopes.get((kind, scope))
            if shared is None:
                shared = scopes[kind, scope] = (intern(target), intern(kind), scope_of(scope))
            key = key_of((*shared, name))
            rows[key] = unpack(key, body)
        else:
            damaged.append(_key_of_damaged(target, kind, scope, name))
    return rows, tuple(damaged)


def _pack_body(row: InventoryRow) -> bytes:
    return orjson.dumps(
        (
            row.uid,
            row.server_id,
            row.proof,
            row.applied_digest,
            row.definition,
            row.in_sync,
            row.health,
            _float(row.seen_at),
            _float(row.written_at),
            _float(row.settle_until),
            row.origin_path,
            row.origin_line,
            row.revision,
            row.protect,
            dict(row.not_kept),
            dict(row.unkept_once),
            row.listed_as,
            _float(row.healed_at),
            {pointer: tuple(flap) for pointer, flap in row.flaps.items()},
            None if row.reported is None else _pack_reported(row.reported),
        )
    )


def _unpack_body(key: Key, body: bytes) -> InventoryRow:
    draft = _Draft()
    draft.key = key
    (
        draft.uid,
        draft.server_id,
        draft.proof,
        draft.applied_digest,
        draft.definition,
        draft.in_sync,
        draft.health,
        draft.seen_at,
        draft.written_at,
        draft.settle_until,
        draft.origin_path,
        draft.origin_line,
        draft.revision,
        draft.protect,
        draft.not_kept,
        draft.unkept_once,
        *later,
    ) = orjson.loads(body)
    _share(draft)
    # Rows that older releases wrote end before one of these.
    draft.listed_as, draft.healed_at, flaps, reported = later if len(later) > 3 else (*later, *_NOT_YET)[:4]
    draft.flaps = {pointer: Flap(*flap) for pointer, flap in flaps.items()} if flaps else _NOTHING
    draft.reported = None if reported is None else _unpack_reported(reported)
    draft.__class__ = InventoryRow
    row: InventoryRow = draft
    return row


def _share(draft: Any) -> None:
    """What tens of thousands of rows have in common is there once."""
    draft.proof, draft.health, draft.revision = intern(draft.proof), intern(draft.health), intern(draft.revision)
    draft.definition = draft.definition and intern(draft.definition)
    draft.not_kept, draft.unkept_once = draft.not_kept or _NOTHING, draft.unkept_once or _NOTHING


def _pack_reported(reported: Reported) -> str:
    leaves = [[getattr(each, name) for name in FieldChange.__slots__] for each in reported.fields]
    return to_json([reported.manifest, reported.definition, leaves, reported.gone]).decode()


def _unpack_reported(text: str) -> Reported:
    manifest, definition, leaves, gone = from_json(text)
    fields = [
        FieldChange(path, pointer, FieldOp(op), Cause(cause), *rest) for path, pointer, op, cause, *rest in leaves
    ]
    return Reported(manifest, definition, tuple(fields), gone)


def _key_checksum(*words: Any) -> int:
    return zlib.crc32("\x1f".join(words).encode())


def row_bytes(row: InventoryRow) -> bytes:
    """One row by itself, as the journal keeps it."""
    return orjson.dumps([key_values(row.key), _pack_body(row).decode()])


def row_from_bytes(content: bytes) -> InventoryRow:
    (target, kind, scope, name), body = orjson.loads(content)
    return _unpack_body(Key(target, kind, scope_of(scope), name), body)


def applied_bytes(leaves: Mapping[str, Any]) -> bytes:
    return zlib.compress(to_json(dict(leaves)))


def applied_from_bytes(body: bytes) -> Mapping[str, Any] | None:
    """None when damaged: zlib's own checksum tells."""
    try:
        leaves = from_json(zlib.decompress(body))
    except (zlib.error, ValueError):
        return None
    return leaves if isinstance(leaves, dict) else None


@contextmanager
def collector_paused() -> Iterator[None]:
    """Around bulk loading: the garbage collector would walk ten thousand new rows again and again for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def checksum(values: tuple[Any, ...]) -> int:
    return zlib.crc32(orjson.dumps(values))


def _float(moment: float | None) -> float | None:
    return None if moment is None else float(moment)


def _key_of_damaged(*words: Any) -> Key:
    target, kind, scope, name = (str(word) for word in words)
    try:
        return Key(target, kind, scope_of(scope), name)
    except (ValueError, TypeError):
        return Key(target, kind, (), name)
