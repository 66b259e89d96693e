"""What a pass leaves in the log: one line when it ends, and one for each change. Called by ``loop``."""

from __future__ import annotations

import structlog

from agent.model.outcome import Outcome, Report, Result

_log = structlog.get_logger("datakeel")
_EVENTS = {
    Result.DONE: "change.applied",
    Result.NOT_DONE: "change.failed",
    Result.UNKNOWN: "change.unknown",
    Result.SKIPPED: "change.skipped",
}


def tell_pass(report: Report, seconds: float, wait: float) -> None:
    """The one line a pass that operators read."""
    facts = {
        "target": report.target,
        "revision": report.revision.short,
        "pass_id": report.pass_id,
        "applied": report.count(Result.DONE),
        "held": sum(1 for each in report.outcomes if each.result is Result.HELD),
        "failed": report.count(Result.NOT_DONE),
        "unknown": report.count(Result.UNKNOWN),
        "calls": report.calls_total,
        "duration_ms": round(seconds * 1000),
        "next_look_seconds": round(wait, 1),
    }
    if report.error:
        _log.warning("pass.failed", code=report.error_code, message=report.error, **facts)
    else:
        _log.info("pass.finished", **facts)


def tell_change(outcome: Outcome) -> None:
    """Each change as it ends. Holds are part of the summary: they would be said again in every pass."""
    event = _EVENTS.get(outcome.result)
    if event is None:
        return
    change = outcome.change
    say = _log.info if outcome.result in (Result.DONE, Result.SKIPPED) else _log.warning
    say(
        event,
        target=change.key.target,
        kind=change.key.kind,
        name=change.key.name,
        action=change.action.value,
        cause=change.cause.value,
        status=outcome.status,
        message=outcome.message,
    )
