"""Checked files by context and blob id: a file that did not change is neither parsed nor validated again.

Called by ``Store`` with a connection whose transaction it owns. Everything here may be lost at any time; a damaged
entry is a missing one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from agent.model.manifest import CheckedFile
from agent.store import checked_files, schema
from agent.store.engine import execute_many, raw_rows, upsert
from agent.store.rows import collector_paused
from agent.store.server import take_turns

UNUSED_DAYS = 30
FILES_MAX = 200_000
_DAY_SECONDS = 86_400.0
TOUCH_DAYS = 7  # an entry's last use is noted once a week: a warm pass of ten thousand files writes nothing
_SCAN_FROM = 300  # blobs from which a scan of the context is cheaper than naming them
_BLOBS_A_QUERY = 200

_context = schema.context
_checked = schema.checked
_ID_OF = select(_context.c.id).where(_context.c.digest == bindparam("of"))
_FILES_OF = select(*(_checked.c[name] for name in ("blob", "used_day", "checksum", "body"))).where(
    _checked.c.context_id == bindparam("of")
)


class Found(NamedTuple):
    """``touch`` are blobs whose last use should be noted again."""

    files: dict[str, CheckedFile]
    touch: list[str]


def day_of(now: float) -> int:
    return int(now // _DAY_SECONDS)


def read(connection: Connection, context: str, blobs: Sequence[str], today: int) -> Found:
    identifier = connection.execute(_ID_OF, {"of": context}).scalar()
    files: dict[str, CheckedFile] = {}
    touch: list[str] = []
    if identifier is None:
        return Found(files, touch)
    with collector_paused():
        if len(blobs) >= _SCAN_FROM:
            rows = raw_rows(connection, _FILES_OF, {"of": identifier})
        else:
            parts = range(0, len(blobs), _BLOBS_A_QUERY)
            some = (_FILES_OF.where(_checked.c.blob.in_(blobs[start : start + _BLOBS_A_QUERY])) for start in parts)
            rows = [row for part in some for row in raw_rows(connection, part, {"of": identifier})]
        wanted = frozenset(blobs)
        crc32, unpack = zlib.crc32, checked_files.unpack
        for blob, used_day, checksum, body in rows:
            if blob in wanted and crc32(body, crc32(blob.encode())) == checksum:
                files[blob] = unpack(body)
                if today - used_day >= TOUCH_DAYS:
                    touch.append(blob)
    return Found(files, touch)


def touch(connection: Connection, context: str, blobs: Sequence[str], now: float) -> None:
    identifier = select(_context.c.id).where(_context.c.digest == context).scalar_subquery()
    for start in range(0, len(blobs), _BLOBS_A_QUERY):
        some = _checked.c.blob.in_(blobs[start : start + _BLOBS_A_QUERY])
        connection.execute(
            update(_checked).where(_checked.c.context_id == identifier, some).values(used_day=day_of(now))
        )
    connection.execute(update(_context).where(_context.c.digest == context).values(used_at=now))


def write(connection: Connection, context: str, files: Mapping[str, CheckedFile], now: float) -> None:
    identifier = connection.execute(_ID_OF, {"of": context}).scalar()
    if identifier is None:
        take_turns(connection, "context")
        identifier = connection.execute(_ID_OF, {"of": context}).scalar()
    if identifier is None:
        identifier = (connection.execute(select(func.max(_context.c.id))).scalar() or 0) + 1
        connection.execute(insert(_context), {"id": identifier, "digest": context, "used_at": now})
    rows = []
    for blob, file in files.items():
        try:
            body = checked_files.pack(file)
        except TypeError:
            continue  # text without a UTF-8 form: checked anew each time
        checksum = zlib.crc32(body, zlib.crc32(blob.encode()))
        rows.append(
            {"context_id": identifier, "blob": blob, "used_day": day_of(now), "checksum": checksum, "body": body}
        )
    execute_many(connection, upsert(connection, _checked), rows)


def compact(connection: Connection, now: float, files_max: int) -> None:
    """Drop files unused for a month, then whole contexts, the longest unused first, until ``files_max`` are left."""
    connection.execute(delete(_checked).where(_checked.c.used_day < day_of(now) - UNUSED_DAYS))
    used = connection.execute(
        select(_context.c.id, func.count(_checked.c.blob))
        .outerjoin(_checked, _checked.c.context_id == _context.c.id)
        .group_by(_context.c.id, _context.c.used_at)
        .order_by(_context.c.used_at.desc(), _context.c.id.desc())
    ).all()
    total = 0
    for newest_first, (identifier, count) in enumerate(used):
        total += count
        if count == 0 or (newest_first and total > files_max):
            connection.execute(delete(_checked).where(_checked.c.context_id == identifier))
            connection.execute(delete(_context).where(_context.c.id == identifier))
