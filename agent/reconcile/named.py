"""What an event named, what is old, or what a commit changed amid a long pass: a glance, and a pass if it told news.

Called by ``loop``. The glance is the reading half of a pass over the named keys at the revision that is known already;
it decides nothing, so limits and the report of a target are always those of a pass that sees enough.
"""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Action
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.model.resource import Absent
from agent.reconcile.looking import Look, look
from agent.reconcile.memory import remember
from agent.reconcile.once import reconcile_once
from agent.reconcile.reported import untold
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish

_MILD = frozenset({Action.NONE, Action.HOLD, Action.UPDATE})


async def reconcile_named(target: Target, wish: Wish) -> Report | None:
    """Look at ``wish.named`` and ``wish.old``; the report of the pass that followed, None where all is as git says."""
    known = target.last.desired
    assert known is not None, "events and the sweep wait for the first pass"
    seen = await look(target, replace(wish, revision=known.revision, glance=True))
    remember(target, seen.desired, seen.observed, seen.plan, seen.ground)
    if not (_is_news(seen) if wish.named else _news(seen)):
        return None  # of what was only old and could not be read, nothing is known that was not; its age goes on
    # Of a slice of the sweep most is as it was: what is not has somebody waiting for it from now on.
    wish = replace(wish, named=wish.named | (wish.old & _news(seen)), old=frozenset())
    if _needs_everything(seen):
        return await reconcile_once(target, wish)
    return await reconcile_once(target, replace(wish, revision=known.revision, lists_wait=True))


async def reconcile_hurried(target: Target, wish: Wish) -> Report | None:
    """What git changed while a long pass was under way, by itself; None where that has to wait for everything else."""
    seen = await look(target, wish)
    return await reconcile_once(target, wish, seen) if seen.plan.writes else None


def _news(seen: Look) -> set[Key]:
    """What was not as git says, and not told before."""
    return untold(seen.plan.changes, seen.ground.rows)


def _is_news(seen: Look) -> bool:
    """Something differs from git, could not be told, or is well again after it was not."""
    told_again = {change.key for change in seen.plan.drift_reported} - _news(seen)
    return (
        bool(_news(seen))
        or not seen.observed.complete
        or any(not row.in_sync for key, row in seen.ground.rows.items() if key not in told_again)
    )


def _needs_everything(seen: Look) -> bool:
    """Making, removing and taking over have limits of a whole pass: one at a time they would never be reached."""
    return any(isinstance(each, Absent) for each in seen.observed.observations.values()) or any(
        (change.would or change.action) not in _MILD for change in seen.plan.changes
    )
