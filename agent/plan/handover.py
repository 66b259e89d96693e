"""An object that another target of the same system owned: it changes hands, and is neither deleted nor made. Pure.

The target that takes over writes its mark in place of the other one and keeps a row of its own; only then does the
former one forget it. So in whatever order the two look, and wherever either dies, somebody owns the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.model.change import Action, Cause, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.plan.prune import origin_of

GOING = "HandedOver"


@dataclass(frozen=True, slots=True)
class Handed:
    """Who owned it: the key there, and the uid of the mark that it carries."""

    key: Key
    uid: str


@dataclass(frozen=True, slots=True)
class Handover:
    """``going`` maps what left git here to the target that git names it in, and whether that one owns it already."""

    going: Mapping[Key, tuple[str, bool]] = field(default_factory=dict)
    handed: Mapping[Key, Handed] = field(default_factory=dict)


def give_up(row: InventoryRow, to: str, *, taken: bool) -> Change:
    """What the former owner does: it waits, and then forgets."""
    told = f"its manifest is in target {to} now"
    change = Change(
        row.key,
        Action.RELEASE,
        Cause.MOVE,
        origin_of(row),
        uid=row.uid,
        server_id=row.server_id,
        message=f"{told}, which owns it",
    )
    return change if taken else change.held(GOING, f"{told}, which takes it over; nothing is deleted", configured=True)
