"""Messages about alerts as CloudEvents 1.0 documents (https://github.com/cloudevents/spec), and as text for people.

Called by ``reconcile/alerts`` and by the sinks. Pure: moments and identifiers are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from agent.model.alert import MARKER, RESOLVED, Alert
from agent.model.change import Change
from agent.model.identity import Revision
from agent.report.escape import clean
from agent.report.values import counted, duration

State = Literal["found", "reminder", "resolved"]
PREFIX = "datakeel."
_LISTED_MAX = 20


def alert_event(alert: Alert, state: State, revision: Revision, *, id_: str, now: float) -> dict[str, Any]:
    """The document of one message about an alert."""
    fact = alert.fact
    about = f"{fact.subject} of {fact.target}" if fact.subject else fact.target
    lasted = max(0.0, now - alert.since)
    words: dict[State, str] = {
        "found": f"{fact.type}: {about}: {fact.message}",
        "reminder": f"{fact.type} for {duration(lasted)}: {about}: {fact.message}",
        "resolved": f"{RESOLVED} after {duration(lasted)}: {fact.type}: {about}",
    }
    data: dict[str, Any] = {
        "state": state,
        "alert": fact.type,
        "target": fact.target,
        "resource": fact.subject or None,
        "reason": fact.reason,
        "message": clean(fact.message, 500),
        "since": _stamp(alert.since),
        "lasted_seconds": round(lasted),
        "told": alert.told_times,
        "revision": revision.commit or None,
        "summary": clean(words[state], 600),
    }
    type_ = RESOLVED if state == "resolved" else fact.type
    return _event(type_, fact.target, fact.subject or fact.target, data, id_, now)


def applied_event(
    target: str, revision: Revision, changes: Sequence[Change], failed: int, *, id_: str, now: float
) -> dict[str, Any]:
    """The document that marks a deployment: what of a commit was applied by one pass."""
    made = [f"{change.action} {change.key.kind}/{change.key.name}" for change in changes]
    trouble = f", {counted(failed, 'change')} failed" if failed else ""
    data = {
        "state": "applied",
        "target": target,
        "revision": revision.commit,
        "short": revision.short,
        "author": clean(revision.author, 200),
        "subject": clean(revision.subject, 200),
        "applied": len(changes),
        "failed": failed,
        "changes": [clean(one, 200) for one in made[:_LISTED_MAX]],
        "summary": clean(f"{target} at {revision.short}: {counted(len(changes), 'change')} applied{trouble}", 300),
    }
    return _event(MARKER, target, target, data, id_, now)


def type_of(event: Mapping[str, Any]) -> str:
    """The word of :data:`agent.model.alert.TYPES`."""
    return str(event["type"]).removeprefix(PREFIX)


def title_of(event: Mapping[str, Any]) -> str:
    """One short line: what, and where."""
    return f"datakeel: {type_of(event)}: {event['subject']}"


def _event(type_: str, target: str, subject: str, data: dict[str, Any], id_: str, now: float) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": f"/datakeel/{target}",
        "type": PREFIX + type_,
        "subject": clean(subject, 300),
        "time": _stamp(now),
        "datacontenttype": "application/json",
        "data": data,
    }


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
