"""Changes that wait although plan and limits would let them go: what the platform refused, and what rests on a doubt.

A refusal in the platform's own words comes out the same until one of its inputs changes: git, the definition, the
configuration, the live object. Sending it again each minute would spend the budget on nothing. Pure; called by
``planner``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.model.canonical import digest
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired, Observed, Present, Unknown
from agent.plan.ground import CREATING, Ground

DENIED_SECONDS = 3600.0
"""A permission is an input that nobody shows us: what was denied is tried again once an hour."""
SOON = frozenset({"DependencyNotReady", "StillCreating"})
"""Reasons of holds that end by themselves, soon: looked at again before the interval is over."""
STANDING = frozenset({"Rejected", "Flapping"})
"""Reasons of holds that end only when people act."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a platform refused: the digest of all that it was asked with, its words, when, and until when they stand."""

    asked: str
    message: str
    at: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Caution:
    """``doubt`` and ``reason`` hold every delete of a pass ("" for none); ``context`` stands for the configuration.

    ``damaged`` are keys whose row in the store failed its checksum; ``ready_seconds`` how long a new object may take.
    """

    doubt: str = ""
    reason: str = ""
    refused: Mapping[Key, Refusal] = field(default_factory=dict)
    context: str = ""
    damaged: frozenset[Key] = frozenset()
    ready_seconds: float = 0.0


HEEDLESS = Caution()


def hold_cautiously(
    changes: list[Change], desired: Desired, observed: Observed, ground: Ground, caution: Caution
) -> list[Change]:
    """The changes, those that must wait as holds."""
    under_way = {change.key for change in changes if change.sends}
    checks: list[Callable[[Change], Change | None]] = [
        lambda change: _unready(change, under_way, desired, observed, ground),
        lambda change: _in_creation(change, observed, ground, caution.ready_seconds),
    ]
    unreadable = _unreadable(observed)
    if unreadable:
        checks.append(lambda change: _not_understood(change, unreadable))
    if caution.damaged and not ground.policy.careful:
        checks.append(lambda change: _damaged(change, caution.damaged))
    if caution.doubt and ground.policy.confirm_deletes is None:
        checks.append(lambda change: _doubted(change, changes, caution))
    if caution.refused:
        checks.append(
            lambda change: _refused(change, ground, caution, lambda: asked(change, desired, observed, ground, caution))
        )
    return [_held(change, checks) if change.sends else change for change in changes] if under_way else changes


def asked(change: Change, desired: Desired, observed: Observed, ground: Ground, caution: Caution) -> str:
    """A digest of everything that a change would be sent with, and of what it would be sent to."""
    resource = desired.resources.get(change.key)
    seen = observed.observations.get(change.key)
    there = seen if isinstance(seen, Present) else None
    live = there.live if there is not None else None
    return digest(
        [
            change.action,
            ground.platform.digest,
            caution.context,
            None if resource is None else [resource.digest, ground.written(resource)],
            None if there is None else [there.id, there.owner, there.health],
            None if live is None else ground.seen(change.key, live),
        ]
    )


def _held(change: Change, checks: list[Callable[[Change], Change | None]]) -> Change:
    return next((held for check in checks if (held := check(change)) is not None), change)


def _unready(
    change: Change, under_way: set[Key], desired: Desired, observed: Observed, ground: Ground
) -> Change | None:
    """A create whose dependency is there and not ready; one that is changed in this pass is waited for there."""
    resource = desired.resources.get(change.key) if change.action is Action.CREATE else None
    for key in resource.depends_on if resource is not None else ():
        kind, seen = ground.platform.kinds.get(key.kind), observed.observations.get(key) or ground.rows.get(key)
        if key in under_way or kind is None or kind.ready is None or not isinstance(seen, Present | InventoryRow):
            continue
        if seen.health in ("progressing", "failed"):
            return change.held("DependencyNotReady", f"waits for {key}, which is not ready ({seen.health})")
    return None


def _in_creation(change: Change, observed: Observed, ground: Ground, ready_seconds: float) -> Change | None:
    """An update of what was created a moment ago and is still on its way: many platforms lose, or fail, both."""
    seen, row = observed.observations.get(change.key), ground.rows.get(change.key)
    if change.action is not Action.UPDATE or not isinstance(seen, Present) or seen.health != "progressing":
        return None
    if row is None or row.written_at is None or not ground.applied.get(change.key, {}).get(CREATING):
        return None
    if ground.now >= row.written_at + ready_seconds:
        return None
    since = ground.now - row.written_at
    return change.held("StillCreating", f"created {since:.0f} s ago and not ready yet; changed once it is")


def _unreadable(observed: Observed) -> dict[str, str]:
    """Kinds of which answers cannot be understood, and none could: their API is not the one that we know."""
    told: dict[str, str] = {}
    fine = set()
    for key, seen in observed.observations.items():
        if isinstance(seen, Unknown) and seen.code == "api-unintelligible":
            told.setdefault(key.kind, seen.message)
        elif isinstance(seen, Present) and seen.is_read:
            fine.add(key.kind)
    return {kind: why for kind, why in told.items() if kind not in fine}


def _not_understood(change: Change, unreadable: Mapping[str, str]) -> Change | None:
    why = unreadable.get(change.key.kind)
    if why is None:
        return None
    return change.held("KindUnreadable", f"what the platform says of {change.key.kind} is not understood: {why}")


def _damaged(change: Change, damaged: frozenset[Key]) -> Change | None:
    if change.key not in damaged or (change.action is Action.ADOPT and not change.fields):
        return None  # one that is as git says is written down anew without a call
    why = "what is remembered of it is damaged, so it is looked at and left alone"
    return change.held("RowDamaged", f"{why}; datakeel diff, then apply --expect DIGEST takes it over as it is")


def _doubted(change: Change, changes: list[Change], caution: Caution) -> Change | None:
    if change.action is not Action.DELETE:
        return None
    deletes = sum(1 for each in changes if each.action is Action.DELETE)
    confirm = f"; datakeel diff --confirm-deletes {deletes} prints the digest that allows exactly these"
    return change.held(caution.reason, caution.doubt + ("" if caution.reason == "SourceFailed" else confirm))


def _refused(change: Change, ground: Ground, caution: Caution, asks: Callable[[], str]) -> Change | None:
    told = caution.refused.get(change.key)
    if told is None or (told.until is not None and ground.now >= told.until) or told.asked != asks():
        return None
    again = "until its manifest, the definition, the configuration or the live object changes"
    if told.until is not None:
        again = f"for {math.ceil((told.until - ground.now) / 60)} min, or until one of its inputs changes"
    message = f"refused: {told.message}; not tried again {again}; datakeel apply tries it at once"
    return change.held("Rejected", message)
