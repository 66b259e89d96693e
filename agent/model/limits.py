"""How much of a target one pass may change without a person's word. Pure; ``plan/limits`` judges by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Class = Literal["deletes", "updates", "creates"]
"""What a change counts as: a replacement is a delete and a create, an adoption a create."""

SMALL = 10
"""Of fewer objects than this no share of updates or creates is told, nor one of a single kind's deletes."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` objects and at most this ``share`` of those that are ours; None does not limit."""

    most: int | None = None
    share: float | None = None

    def allowed(self, owned: int) -> int | None:
        """How many may go at once. One always may, by the share: of a small inventory it would forbid every change."""
        by_share = None if self.share is None else max(1, int(self.share * owned))
        return min((each for each in (self.most, by_share) if each is not None), default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pass may change without a person's word, and how many manifests are read.

    Counts and shares both hold, for the whole target and, as shares, for each kind of :data:`SMALL` objects or more.
    ``kinds`` has what the operator says of a kind by name, in place of the target's share.
    """

    deletes_max: int = 10
    deletes_share_max: float = 0.3
    manifests_max: int = 10_000
    updates_max: int | None = None
    updates_share_max: float = 0.3
    creates_max: int | None = None
    creates_share_max: float | None = None
    kinds: Mapping[str, Mapping[Class, Limit]] = field(default_factory=dict)

    def of_target(self, what: Class, owned: int) -> Limit:
        if what == "deletes":
            return Limit(self.deletes_max, self.deletes_share_max)
        most, share = {
            "updates": (self.updates_max, self.updates_share_max),
            "creates": (self.creates_max, self.creates_share_max),
        }[what]
        return Limit(most, share if owned >= SMALL else None)

    def of_kind(self, kind: str, what: Class, owned: int) -> Limit:
        """The operator's own word on the kind, else the share that holds for the target."""
        said = self.kinds.get(kind, {}).get(what)
        if said is not None:
            return said
        shares = {
            "deletes": self.deletes_share_max,
            "updates": self.updates_share_max,
            "creates": self.creates_share_max,
        }
        return Limit(None, shares[what] if owned >= SMALL else None)
