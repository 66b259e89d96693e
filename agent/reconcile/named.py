"""What an event named: a glance at exactly that, and an ordinary pass only where the glance told something new.

Called by ``loop``. The glance is the reading half of a pass over the named keys at the revision that is known already;
it decides nothing, so limits and the report of a target are always those of a pass that sees enough.
"""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Action
from agent.model.outcome import Report
from agent.model.resource import Absent
from agent.reconcile.memory import remember
from agent.reconcile.once import Look, Wish, look, reconcile_once
from agent.reconcile.target import Target

_MILD = frozenset({Action.NONE, Action.HOLD, Action.UPDATE})


async def reconcile_named(target: Target, wish: Wish) -> Report | None:
    """Look at ``wish.named``; the report of the pass that followed, or None where everything is as git says."""
    known = target.last.desired
    assert known is not None, "events wait for the first pass"
    seen = await look(
        target,
        replace(wish, revision=known.revision, glance=True, selects=lambda key, path: key in wish.named),
    )
    if not _is_news(seen):
        remember(target, seen.desired, seen.observed, seen.plan, seen.ground)
        return None
    if _needs_everything(seen):
        return await reconcile_once(target, wish)
    return await reconcile_once(target, replace(wish, revision=known.revision, woken_by_git=True))


def _is_news(seen: Look) -> bool:
    """Something differs from git, could not be told, or is well again after it was not."""
    return (
        bool(seen.plan.changes)
        or not seen.observed.complete
        or any(not row.in_sync for row in seen.ground.rows.values())
    )


def _needs_everything(seen: Look) -> bool:
    """Making, removing and taking over have limits of a whole pass: one at a time they would never be reached."""
    return any(isinstance(each, Absent) for each in seen.observed.observations.values()) or any(
        (change.would or change.action) not in _MILD for change in seen.plan.changes
    )
