"""What people have suspended is looked at and not written: its changes are shown as held. Called by ``planner``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from agent.model.change import Action, Change, Requests
from agent.model.suspension import Suspension, suspended_by


def hold_suspended(changes: list[Change], suspensions: Sequence[Suspension]) -> list[Change]:
    """Changes that would be sent, held where a person said so: configured, so that no exit status changes for it."""
    if not suspensions:
        return changes
    return [_held(change, suspensions) if change.sends else change for change in changes]


def _held(change: Change, suspensions: Sequence[Suspension]) -> Change:
    found = suspended_by(suspensions, change.key, change.origin.path if change.origin is not None else "")
    if found is None:
        return change
    until = "" if found.until is None else f" until {datetime.fromtimestamp(found.until, UTC):%Y-%m-%d %H:%M} UTC"
    return replace(
        change,
        action=Action.HOLD,
        would=change.action,
        reason="Suspended",
        message=f"suspended by {found.who}{until}: {found.reason}",
        configured=True,
        calls=0,
        requests=Requests(0, 0),
    )
