"""What happens during an ``apply``, one JSON object a line, as it happens: ``datakeel.events/1``.

Called by the verb ``apply``. A reader that does not know an event shows its ``message``; times are those of the moment
at which the line was written. A sensitive field has neither ``before`` nor ``after``, as in a plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.model.change import Change, Plan
from agent.model.outcome import Outcome, Report, Result
from agent.report.change_documents import change_document, key_document
from agent.report.documents import outcome_members, plan_summary
from agent.report.escape import clean
from agent.report.outcome_text import render_sum, row_of
from agent.report.text import render_counts
from agent.report.values import utc

EVENTS_FORMAT = "datakeel.events/1"
_ENDED = {
    Result.DONE: "change.applied",
    Result.NOT_DONE: "change.failed",
    Result.UNKNOWN: "change.unknown",
    Result.SKIPPED: "change.skipped",
    Result.HELD: "change.held",
}


def pass_started(targets: Sequence[str], at: float) -> dict[str, Any]:
    """These targets are about to be looked at."""
    return _event("pass.started", at, f"apply of {', '.join(map(clean, targets))}", targets=list(targets))


def plan_made(plan: Plan, at: float) -> dict[str, Any]:
    """What of one target is going to be done; ``digest`` is that of this target alone."""
    members = {
        "target": plan.target,
        "revision": plan.revision.commit,
        "digest": plan.digest,
        "complete": plan.complete,
        "summary": plan_summary([plan]),
    }
    return _event("plan.made", at, f"{clean(plan.target)}: {render_counts([plan])}", **members)


def change_started(change: Change, at: float) -> dict[str, Any]:
    """The first request of a change is about to be sent."""
    message = f"{change.action.value} {clean(change.key.path, 200)}"
    return _event("change.started", at, message, key=key_document(change.key), action=change.action.value)


def change_ended(outcome: Outcome, at: float) -> dict[str, Any]:
    """How one change ended: the change as in a plan, with its outcome as in a report."""
    message = "  ".join(cell for cell in row_of(outcome) if cell)
    members = {**change_document(outcome.change), **outcome_members(outcome)}
    members.pop("message", None)  # says what the change would do; the event says what became of it
    return _event(_ENDED[outcome.result], at, message, **members)


def pass_finished(reports: Sequence[Report], exit_status: int, at: float) -> dict[str, Any]:
    """All targets are done with; ``passes`` names them for ``history``."""
    passes: list[Mapping[str, Any]] = [
        {"pass": one.pass_id, "target": one.target, **({"error": clean(one.error)} if one.error else {})}
        for one in reports
    ]
    message = render_sum(reports).strip() or "nothing to do"
    summary = {result.value: sum(one.count(result) for one in reports) for result in Result}
    return _event("pass.finished", at, message, exit_status=exit_status, summary=summary, passes=passes)


def _event(name: str, at: float, message: str, **members: Any) -> dict[str, Any]:
    return {"format": EVENTS_FORMAT, "at": utc(at), "event": name, "message": message, **members}
