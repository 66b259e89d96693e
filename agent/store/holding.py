"""Which targets this process may work at, where several share a store. Between ``Database`` and ``Store``.

Three guards, each for what the others cannot see. A lease lets one process begin. Its end on the *monotonic* clock of
this machine, counted from before it was asked for, stops writes that could outlive it. Its epoch, compared in every
transaction, stops what a frozen process still believes. Where nothing is shared there is no lease, and no guard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from agent.clock import AgreedClock
from agent.errors import LeaseLost
from agent.store import leases
from agent.store.database import Database
from agent.store.hints import CHANNEL, Listener
from agent.store.leases import Standing, may_wait
from agent.store.lock import boot_id

MARGIN_SECONDS = 1.0
"""What a call may take beyond its deadline until its bytes are away."""
SERVER_CLOCK = "server"
_SAME_MOMENT = 0.001


@dataclass(slots=True)
class Lease:
    """What this process holds. ``ends_at`` is on the monotonic clock and moves on with each :meth:`Holding.extend`.

    ``foreign``: somebody else has worked at the target since this process last did. ``inherited``: and did not end.
    """

    target: str
    epoch: int
    ends_at: float
    call_seconds: float
    foreign: bool
    inherited: bool


@dataclass(frozen=True, slots=True)
class Sharing:
    """``me`` names this process among all that share the store; ``seconds`` is how long a lease lasts."""

    me: str
    seconds: float
    patience: float


@dataclass(slots=True)
class _Held:
    sharing: Sharing | None = None
    clock: str = SERVER_CLOCK
    leases: dict[str, Lease] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)  # the last of ours, by target
    due: dict[str, float] = field(default_factory=dict)  # when the next turn of ours is due, as we said ourselves


class Holding(Database):
    """The leases of this process. Safe to call from several threads."""

    def __init__(self, engine: Engine, place: str, **words: Any) -> None:
        """Use :meth:`open`."""
        super().__init__(engine, place, **words)
        self._held = _Held()

    @property
    def sharing(self) -> Sharing | None:
        """None where this process is the only one that writes."""
        return self._held.sharing

    def share(self, sharing: Sharing, targets: Iterable[str]) -> None:
        """From now on a target is written for under a lease only."""
        self._held.sharing = sharing
        self._held.clock = SERVER_CLOCK if self._path is None else boot_id()
        with self._write() as connection:
            leases.register(connection, targets, self._on_time(connection), self._held.clock)

    def agree_time(self) -> None:
        """Take the time of day of a server for ours, for a person's command that takes no lease.

        What it writes is compared with moments of the agents; a clock that is wrong on one machine changes nothing.
        """
        with self._read() as connection:
            self._on_time(connection)

    def claim(self, target: str, call_seconds: float, *, anyhow: bool = False) -> Lease | float:
        """The lease of a target, or after how many seconds to ask again.

        ``call_seconds`` is how long one call of this target may take. ``anyhow``: a person asks, who has no home here.
        """
        held, sharing = self._held, self._sharing
        asked = self._clock.monotonic()
        with self._write() as connection:
            now = self._on_time(connection)
            standing = leases.locked(connection, target, now, held.clock)
            if standing is None:
                return 1.0
            wait = may_wait(standing, sharing.me, sharing.patience, anyhow=anyhow)
            if wait > 0:
                return wait
            home = standing.home if anyhow else sharing.me
            epoch = leases.claim(connection, standing, sharing.me, home, now, sharing.seconds, held.clock)
        foreign = held.epochs.get(target, 0) != standing.epoch
        inherited = standing.holder not in (None, sharing.me)
        lease = Lease(target, epoch, asked + sharing.seconds, call_seconds, foreign, inherited)
        held.leases[target], held.epochs[target] = lease, epoch
        self._begin_turn(target)
        return lease

    def extend(self, lease: Lease) -> None:
        """The heartbeat. Raises :class:`LeaseLost` when another has the target, StoreError when nobody can tell."""
        asked = self._clock.monotonic()
        with self._write(durable=False) as connection:
            until = self._on_time(connection) + self._sharing.seconds
            kept = leases.extend(connection, lease.target, self._sharing.me, lease.epoch, until)
        if not kept:
            self._drop(lease)
            raise _lost(lease.target)
        lease.ends_at = asked + self._sharing.seconds

    def give_back(self, lease: Lease, due_in: float, revision: str | None) -> bool:
        """The turn is over; the next one is due in so many seconds. False when it was another's by now."""
        self._drop(lease)
        with self._write(durable=False) as connection:
            due_at = self._held.due[lease.target] = self._on_time(connection) + due_in
            return leases.give_back(connection, lease.target, self._sharing.me, lease.epoch, due_at, revision)

    def leave(self) -> None:
        """This agent ends: the others need not wait for anything."""
        self._held.leases.clear()
        with self._write() as connection:
            leases.leave(connection, self._sharing.me, self._on_time(connection), self._held.clock)
            leases.notify(connection, CHANNEL)

    def hasten(self, target: str, revision: str | None) -> bool:
        """Let whoever is the home of a target look now, unless it has been about this revision already."""
        with self._write(durable=False) as connection:
            hastened = leases.hasten(connection, target, self._on_time(connection), revision)
            if hastened:
                leases.notify(connection, CHANNEL)
            return hastened

    def standings(self) -> list[Standing]:
        """Of all targets of the store."""
        with self._read() as connection:
            return leases.standings(connection, self._on_time(connection), self._held.clock)

    def may_take(self, own: Collection[str]) -> frozenset[str]:
        """Targets that wait for a turn and that this process could claim now.

        Of its ``own``, which it is the home of and works at by its own pace, only such as somebody has hastened; none
        whose turn is under way here, which is due since it began.
        """
        sharing, due, held = self._sharing, self._held.due, frozenset(self._held.leases)
        return frozenset(
            each.target
            for each in self.standings()
            if each.target not in held
            if each.due_in <= 0 and may_wait(each, sharing.me, sharing.patience) <= 0
            if each.target not in own or each.due_at < due.get(each.target, math.inf) - _SAME_MOMENT
        )

    def listen(self, heard: Callable[[], object]) -> Listener | None:
        """``heard`` is called, in a thread, when another agent has left something to do. None where nobody tells."""
        return Listener(self._engine, heard) if self._path is None else None

    def hint(self) -> None:
        """Tell whoever listens that there may be something to do."""
        with self._write(durable=False) as connection:
            leases.notify(connection, CHANNEL)

    def require_time(self, target: str) -> None:
        """Raises :class:`LeaseLost` unless a call that begins now ends, at the latest, before the lease does."""
        if self.sharing is None:
            return
        lease = self._held.leases.get(target)
        if lease is None:
            raise _lost(target)
        if lease.ends_at - self._clock.monotonic() <= lease.call_seconds + MARGIN_SECONDS:
            raise LeaseLost(
                f"the lease of target {target} ends before a call that begins now",
                why="the state store has not confirmed it for a while",
            )

    # ---- for those who write

    @contextmanager
    def _writing(self, target: str) -> Iterator[Connection]:
        """A transaction that is about a target: it is committed under the newest lease, or not at all."""
        with self._write() as connection:
            self._fence(connection, target)
            yield connection

    def _fence(self, connection: Connection, target: str) -> None:
        sharing = self.sharing
        if sharing is None:
            return
        held = self._held.leases
        # What an object leaves behind when it moves is its former target's, and is changed by the turn of the new one.
        mine: Sequence[Lease] = [held[target]] if target in held else [*held.values()]
        if not mine:
            raise _lost(target)
        for lease in mine:
            if not leases.is_held(connection, lease.target, sharing.me, lease.epoch):
                self._drop(lease)
                raise _lost(lease.target)

    def _epoch_of(self, target: str) -> int:
        lease = self._held.leases.get(target)
        return lease.epoch if lease is not None else 0

    def _is_alone(self, target: str) -> bool:
        """Whether nobody else can change the rows of this target meanwhile."""
        return self._lock is not None if self.sharing is None else target in self._held.leases

    def _begin_turn(self, target: str) -> None:
        """What was remembered of a target may be old."""

    def _drop(self, lease: Lease) -> None:
        if self._held.leases.get(lease.target) is lease:
            del self._held.leases[lease.target]

    @property
    def _sharing(self) -> Sharing:
        sharing = self.sharing
        assert sharing is not None, "nothing is shared"
        return sharing

    def _on_time(self, connection: Connection) -> float:
        """What the clock of the leases tells; and with it, what all who share the store take for the time of day."""
        asked = self._clock.monotonic()
        now = leases.now_of(connection, asked)
        if self._path is None and isinstance(self._clock, AgreedClock):
            self._clock.agree(now, asked, self._clock.monotonic())
        return now


def _lost(target: str) -> LeaseLost:
    return LeaseLost(f"another agent works at target {target} now")
