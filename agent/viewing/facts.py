"""What documents are made from: the store, and what the running process knows at this moment.

``Facts`` is one for the life of the agent; ``Moment`` is taken in its event loop right before a document is made, so
that the rest can be made in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.clock import Clock
from agent.model.change import WindowLeft
from agent.model.resource import Desired
from agent.reconcile.loop import Loop
from agent.reconcile.target import Target
from agent.store.store import Store
from agent.viewing.tail import Tail

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Facts:
    """``hooks`` tells deliveries of webhooks by receiver and answer; ``place`` is the store's, without a password."""

    store: Store
    loop: Loop
    clock: Clock
    tail: Tail
    place: str
    began_at: float
    addresses: Mapping[str, str] = field(default_factory=dict)
    hooks: Callable[[], Counts] = dict

    @property
    def targets(self) -> dict[str, Target]:
        """Those that this process works at, by name."""
        return {target.name: target for target in self.loop.targets}

    def moment(self) -> Moment:
        """In the event loop only: budgets and paces belong to it."""
        now, monotonic = self.clock.now(), self.clock.monotonic()
        paces = self.loop.paces
        return Moment(
            now,
            {name: target.last.desired for name, target in self.targets.items()},
            {name: target.api.budget.left() for name, target in self.targets.items()},
            {name: dict(target.api.budget.whole_in()) for name, target in self.targets.items()},
            {name: now + pace.next_at - monotonic for name, pace in paces.items() if pace.next_at > 0},
            {name: pace.failures for name, pace in paces.items()},
            {name: dict(inbox.counts) for name, inbox in self.loop.inboxes.items()},
            {name: dict(counts) for name, counts in self.hooks().items()},
            dict(self.loop.tally.notifications),
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """What only the event loop may read, by target. ``whole_in``: seconds by window; ``next_at``: epoch seconds.

    ``sent`` are attempts of this process to send a message, by sink and how they ended.
    """

    now: float
    desired: Mapping[str, Desired | None]
    budgets: Mapping[str, tuple[WindowLeft, ...]]
    whole_in: Mapping[str, Mapping[float, float]]
    next_at: Mapping[str, float]
    failures: Mapping[str, int]
    inboxes: Counts
    hooks: Counts
    sent: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Board:
    """What the store says of one target: its last word (None before the first pass), its day, what waits."""

    name: str
    status: Mapping[str, Any]
    last_pass: Mapping[str, Any]
    day: Mapping[str, Any] | None
    waiting: Mapping[str, Any] | None
    suspended: tuple[Mapping[str, Any], ...]


def boards(facts: Facts, now: float) -> dict[str, Board]:
    """Of every target that the store or the process knows, by name."""
    read, kept = facts.store.status(), facts.store.boards()
    suspended = facts.store.all_suspensions(now)
    found = {}
    for name in sorted({*read, *kept, *facts.targets}):
        entry, board = read.get(name) or {}, kept.get(name) or {}
        found[name] = Board(
            name,
            entry.get("status") or {},
            entry.get("last_pass") or {},
            board.get("day"),
            board.get("waiting"),
            tuple(each for each in suspended if each["target"] == name),
        )
    return found
