"""Limits that stop a whole pass from doing harm: too many deletes, an empty set, too much missing at once."""

from __future__ import annotations

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.plan.policy import Policy


def limit_deletes(
    changes: list[Change], owned: int, wanted: int, policy: Policy
) -> tuple[list[Change], tuple[str, ...]]:
    """All deletes of a pass, or none: a limit that lets the first ten go is no limit.

    ``owned`` is the size of the inventory before, ``wanted`` the number of manifests: an empty set is never believed.
    """
    deletes = [change for change in changes if change.action is Action.DELETE]
    if not deletes:
        return changes, ()
    allowed = policy.deletes_allowed(owned)
    if policy.confirm_deletes is not None:
        if len(deletes) == policy.confirm_deletes:
            return changes, ()
        note = f"{len(deletes)} deletes, and exactly {policy.confirm_deletes} were confirmed: none is sent"
        reason = "DeleteLimit"
    elif wanted == 0:
        note = f"0 manifests, the inventory has {owned}: nothing is deleted"
        reason = "EmptySet"
    elif len(deletes) > allowed:
        note = f"{len(deletes)} deletes, at most {allowed} of {owned} are allowed in one pass: none is sent"
        reason = "DeleteLimit"
    else:
        return changes, ()
    message = f"{note}; datakeel diff --confirm-deletes {len(deletes)} prints the digest that allows exactly these"
    return [change.held(reason, message) if change.action is Action.DELETE else change for change in changes], (note,)


def mass_absence(absent: list[Key], owned: int, policy: Policy) -> str | None:
    """More of the inventory missing at once than may be let go: a wrong endpoint looks just like this."""
    allowed = policy.deletes_allowed(owned)
    if len(absent) <= allowed:
        return None
    return (
        f"{len(absent)} of {owned} owned objects are missing at once (at most {allowed} would be believed): "
        "a wrong server, scope or permission looks like this"
    )
