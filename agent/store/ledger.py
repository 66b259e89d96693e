"""Calls spent, by credential: what the rate budget counts its sliding windows from, also across restarts.

Called by ``Store`` with a connection whose transaction it owns. A credential is named by a fingerprint, never by value.
"""

from __future__ import annotations

from sqlalchemy import Connection, Integer, bindparam, cast, delete, func, insert, select

from agent.store import schema

EXACT_SECONDS = 86_400.0
KEPT_SECONDS = 32 * 86_400.0
_BUCKET_SECONDS = 3600

_spending = schema.spending
_SPENT = (
    select(_spending.c.at, _spending.c.calls)
    .where(_spending.c.credential == bindparam("of"), _spending.c.at >= bindparam("since"))
    .order_by(_spending.c.at)
)
_SPEND = insert(_spending)


def read(connection: Connection, credential: str, since: float) -> list[tuple[float, int]]:
    """(moment, calls) since and including ``since``, oldest first."""
    found = connection.execute(_SPENT, {"of": credential, "since": since})
    return [(at, calls) for at, calls in found]


def write(connection: Connection, credential: str, at: float, calls: int) -> None:
    connection.execute(_SPEND, {"credential": credential, "at": float(at), "calls": calls})


def compact(connection: Connection, now: float) -> None:
    """Merge what is older than a day by the hour, at the hour's *last* call so that no window ends early."""
    old = _spending.c.at < now - EXACT_SECONDS
    bucket = cast(_spending.c.at / _BUCKET_SECONDS, Integer)
    merged = connection.execute(
        select(_spending.c.credential, func.max(_spending.c.at), func.sum(_spending.c.calls))
        .where(old, _spending.c.at >= now - KEPT_SECONDS)
        .group_by(_spending.c.credential, bucket)
    ).all()
    connection.execute(delete(_spending).where(old))
    for credential, at, calls in merged:
        write(connection, credential, at, int(calls))
