"""What people have put off: suspended resources, and writes outside of the target's windows. Called by ``planner``.

Such changes are planned and shown as held, with their reason; the exit status does not change for them. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.model.change import Action, Change
from agent.model.suspension import Suspension, suspended_by
from agent.plan.policy import Policy


def hold_paused(changes: list[Change], policy: Policy) -> list[Change]:
    """Changes that would be sent and must wait, as holds; the others as they are."""
    if not policy.suspended and not policy.closed.writes and not policy.closed.deletes:
        return changes
    return [_paused(change, policy) if change.sends else change for change in changes]


def _paused(change: Change, policy: Policy) -> Change:
    found = suspended_by(policy.suspended, change.key, change.origin.path if change.origin is not None else "")
    if found is not None:
        return change.held("Suspended", _told(found), configured=True)
    removes = change.action in (Action.DELETE, Action.REPLACE)
    closed = policy.closed.deletes if removes else policy.closed.writes
    return change.held("WindowClosed", closed, configured=True) if closed else change


def _told(suspension: Suspension) -> str:
    end = suspension.until
    until = "" if end is None else f" until {datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M} UTC"
    return f"suspended by {suspension.who}{until}: {suspension.reason}"
