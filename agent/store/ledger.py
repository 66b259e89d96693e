"""Calls spent, by credential: what the rate budget counts its sliding windows from, also across restarts.

Called by ``Store`` with a connection whose transaction it owns. A credential is named by a fingerprint, never by value.
"""

from __future__ import annotations

from sqlalchemy import Connection, Integer, bindparam, cast, delete, func, insert, select

from agent.model.spending import Spent
from agent.store import schema
from agent.store.server import take_turns

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
_NEWEST = select(func.max(_spending.c.number))
_AFTER = (
    select(_spending.c.at, _spending.c.calls)
    .where(
        _spending.c.number > bindparam("after"),
        _spending.c.credential == bindparam("of"),
        _spending.c.at >= bindparam("since"),
    )
    .order_by(_spending.c.number)
)
# What is new in the ledger was spent just now; the rest is old spending, merged under a new number.
_NEW_SECONDS = 3600.0


def read(connection: Connection, credential: str, since: float) -> Spent:
    """What was spent since and including ``since``, oldest first."""
    newest = connection.execute(_NEWEST).scalar() or 0
    found = connection.execute(_SPENT, {"of": credential, "since": since})
    return Spent([(at, calls) for at, calls in found], newest)


def read_after(connection: Connection, credential: str, after: int, now: float) -> Spent:
    """What was written since the row numbered ``after``, in the order of writing.

    Rows of one credential are numbered as they are committed, since its writers come one after the other; and no two
    can both take what a window has left.
    """
    take_turns(connection, f"ledger {credential}")
    newest = connection.execute(_NEWEST).scalar() or 0
    if newest <= after:
        return Spent([], after)
    found = connection.execute(_AFTER, {"of": credential, "after": after, "since": now - _NEW_SECONDS})
    return Spent([(at, calls) for at, calls in found], newest)


def write(connection: Connection, credential: str, at: float, calls: int) -> int:
    """The number of the row."""
    made = connection.execute(_SPEND, {"credential": credential, "at": float(at), "calls": calls})
    assert made.inserted_primary_key is not None
    number: int = made.inserted_primary_key[0]
    return number


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
