"""Leases: one agent at a time works at a target. Who may, who does, and the row that tells.

Called by ``holding`` with a connection whose transaction it owns; ``may_wait`` is pure. Every step is one short
transaction with one winner, so that any pooler may stand between (``agent/docs/how-to/replicas.md``).

Both moments of a row are on one clock that no holder owns: that of the server, or for a file the monotonic one of this
start of this machine, which no change of the wall clock moves. A row that was written by another clock is over and due.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, select, text, update

from agent.store import schema
from agent.store.server import take_turns

_table = schema.lease
_SERVER_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")
_NAMES = ("target", "holder", "home", "epoch", "lease_until", "due_at", "clock", "revision")
_ALL = select(*(_table.c[name] for name in _NAMES))
_OF = _ALL.where(_table.c.target == bindparam("of"))
# One that somebody else is about to take is left to them: they will be quicker.
_OF_LOCKED = _OF.with_for_update(skip_locked=True)
_CLAIM = (
    update(_table)
    .where(_table.c.target == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in ("holder", "home", "epoch", "lease_until", "due_at", "clock")})
)
_MINE = (
    _table.c.target == bindparam("of"),
    _table.c.holder == bindparam("me"),
    _table.c.epoch == bindparam("its_epoch"),
)
_EXTEND = update(_table).where(*_MINE).values(lease_until=bindparam("new_until"))
_GIVE_BACK = (
    update(_table)
    .where(*_MINE)
    .values(holder=None, lease_until=None, due_at=bindparam("new_due"), revision=bindparam("new_revision"))
)
_FENCE = select(_table.c.epoch).where(*_MINE).with_for_update()
_NOTIFY = text("SELECT pg_notify(:channel, '')")
_LEAVE = (
    update(_table)
    .where(_table.c.home == bindparam("me"), (_table.c.holder == bindparam("me")) | _table.c.holder.is_(None))
    .values(holder=None, home=None, lease_until=None, due_at=bindparam("new_due"), clock=bindparam("new_clock"))
)
_DEPOSE = update(_table).values(
    holder=None,
    home=None,
    lease_until=None,
    epoch=_table.c.epoch + bindparam("jump"),
    due_at=bindparam("new_due"),
    clock=bindparam("new_clock"),
)
EPOCH_JUMP = 100_000
"""More than the turns that anybody can have had while what they wrote was lost."""
_HASTEN = (
    update(_table)
    .where(
        _table.c.target == bindparam("of"),
        _table.c.due_at > bindparam("new_due"),
        _table.c.revision.is_distinct_from(bindparam("seen")),
    )
    .values(due_at=bindparam("new_due"))
)


class Standing(NamedTuple):
    """How it stands with one target: its lease ``lasts`` and its next turn is ``due_in`` so many seconds from now."""

    target: str
    holder: str | None
    home: str | None
    epoch: int
    lasts: float
    due_in: float
    due_at: float
    revision: str | None


def may_wait(standing: Standing, me: str, patience: float, *, anyhow: bool = False) -> float:
    """Seconds until ``me`` may take the target; 0 when it may now.

    Whose ``home`` a target is has its caches warm and takes it when it likes; the others have ``patience`` with it.
    ``anyhow`` is a person's wish, and waits for nothing but the end of another's lease.
    """
    if standing.holder not in (None, me) and standing.lasts > 0:
        return standing.lasts
    if anyhow or standing.holder == me or standing.home == me:
        return 0.0
    return max(0.0, standing.due_in + (patience if standing.home is not None else 0.0))


def now_of(connection: Connection, own: float) -> float:
    """What the clock of leases tells: the server's, or ``own`` for a file."""
    if connection.dialect.name != "postgresql":
        return own
    told: float = connection.execute(_SERVER_NOW).scalar_one()
    return told


def register(connection: Connection, targets: Iterable[str], now: float, clock: str) -> None:
    """Rows for targets that have none yet, due at once."""
    take_turns(connection, "leases")
    known = set(connection.execute(select(_table.c.target)).scalars())
    rows = [
        {"target": name, "holder": None, "home": None, "epoch": 0, "lease_until": None, "due_at": now, "clock": clock}
        for name in targets
        if name not in known
    ]
    if rows:
        connection.execute(insert(_table), rows)


def standings(connection: Connection, now: float, clock: str) -> list[Standing]:
    """All targets."""
    return [_standing(row, now, clock) for row in connection.execute(_ALL)]


def locked(connection: Connection, target: str, now: float, clock: str) -> Standing | None:
    """One target, kept from all others until the end of the transaction; None where another is there already."""
    row = connection.execute(_OF_LOCKED, {"of": target}).first()
    return None if row is None else _standing(row, now, clock)


def claim(
    connection: Connection, standing: Standing, me: str, home: str | None, now: float, seconds: float, clock: str
) -> int:
    """Take a target that is :func:`locked` and may be taken; its new epoch."""
    values = {
        "of": standing.target,
        "new_holder": me,
        "new_home": home,
        "new_epoch": standing.epoch + 1,
        "new_lease_until": now + seconds,
        "new_due_at": now + min(0.0, standing.due_in),  # over when the lease is, should its holder die
        "new_clock": clock,
    }
    connection.execute(_CLAIM, values)
    return standing.epoch + 1


def extend(connection: Connection, target: str, me: str, epoch: int, until: float) -> bool:
    """False when the lease is another's by now."""
    values = {"of": target, "me": me, "its_epoch": epoch, "new_until": until}
    return connection.execute(_EXTEND, values).rowcount == 1


def give_back(connection: Connection, target: str, me: str, epoch: int, due_at: float, revision: str | None) -> bool:
    """The turn is over, and the next one is due then. False when the lease was another's by now."""
    values = {"of": target, "me": me, "its_epoch": epoch, "new_due": due_at, "new_revision": revision}
    return connection.execute(_GIVE_BACK, values).rowcount == 1


def is_held(connection: Connection, target: str, me: str, epoch: int) -> bool:
    """Whether this lease is still the newest; until the end of the transaction nobody else takes the target."""
    found = connection.execute(_FENCE, {"of": target, "me": me, "its_epoch": epoch}).first()
    return found is not None


def leave(connection: Connection, me: str, now: float, clock: str) -> int:
    """An agent ends: whatever it held or was the home of is due for the others at once."""
    return connection.execute(_LEAVE, {"me": me, "new_due": now, "new_clock": clock}).rowcount


def depose(connection: Connection, now: float, clock: str) -> None:
    """Nobody holds anything any more, whatever they believe: no epoch that was ever given out is the newest."""
    connection.execute(_DEPOSE, {"jump": EPOCH_JUMP, "new_due": now, "new_clock": clock})


def hasten(connection: Connection, target: str, now: float, revision: str | None) -> bool:
    """Let the next turn be due now, unless the last one was about ``revision`` already."""
    return connection.execute(_HASTEN, {"of": target, "new_due": now, "seen": revision}).rowcount == 1


def notify(connection: Connection, channel: str) -> None:
    """A hint to those who listen, told when the transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY, {"channel": channel})


def _standing(row: Row[Any], now: float, clock: str) -> Standing:
    if row.clock != clock:
        return Standing(row.target, row.holder, None, row.epoch, 0.0, 0.0, now, row.revision)
    lasts = 0.0 if row.lease_until is None else row.lease_until - now
    return Standing(row.target, row.holder, row.home, row.epoch, lasts, row.due_at - now, row.due_at, row.revision)
