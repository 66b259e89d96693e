"""What a target waited for in another one may be there now: it is looked at again. Called by ``loop``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from agent.errors import StoreError
from agent.reconcile.neighbours import blocked
from agent.reconcile.pace import Pace
from agent.reconcile.target import Target


def wake_dependents(targets: Sequence[Target], paces: Mapping[str, Pace]) -> None:
    """The store tells, whoever has made it; one that is away is asked again after the next round."""
    for target in targets:
        desired = target.last.desired
        with suppress(StoreError):
            if target.blocked and desired is not None and not target.blocked <= blocked(target, desired):
                pace = paces[target.name]
                pace.next_at = min(pace.next_at, target.clock.monotonic())
                target.blocked = frozenset()  # told again by the look that follows
