"""Report -> the status document of a target: what ``datakeel status`` and the page show. Never a secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from agent.model.change import WindowLeft
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import Report, Result
from agent.model.resource import Desired
from agent.model.stock import restless
from agent.reconcile.knowledge import knowledge_of
from agent.reconcile.schedule import swept
from agent.reconcile.target import Target

_LISTED_MAX = 50


def status_of(
    target: Target, report: Report, desired: Desired, rows: Mapping[Key, InventoryRow], interval_seconds: float
) -> dict[str, Any]:
    """The target's status document after ``report``."""
    knowledge = knowledge_of(
        rows,
        swept(target.platform.kinds),
        target.config.goal_seconds,
        target.rhythm,
        interval_seconds=interval_seconds,
        now=target.clock.now(),
    )
    gone = target.apart.between(desired.resources, rows).gone
    return status_document(
        report, desired, in_sync_of(rows, gone), target.api.budget.left(), interval_seconds, knowledge
    )


def in_sync_of(rows: Mapping[Key, InventoryRow], gone: Iterable[Key]) -> int:
    """How many of the rows are as git says, those aside that have left it: nearly all, so the others are counted."""
    differing = {key for key, row in restless(rows).items() if not row.in_sync}
    return len(rows) - len(differing.union(gone))


def status_document(
    report: Report,
    desired: Desired,
    in_sync: int,
    budget: Iterable[WindowLeft],
    interval_seconds: float,
    knowledge: Mapping[str, Any],
) -> dict[str, Any]:
    """Counts, lists of what needs eyes (at most 50 each), budget left; ``knowledge`` as ``knowledge_of`` tells it."""
    plan = report.plan
    held = [change for change in plan.held if not change.configured] if plan else []
    drifted = list(plan.drift_reported) if plan else []
    failed = [outcome for outcome in report.outcomes if outcome.result is Result.NOT_DONE]
    unknown = [outcome for outcome in report.outcomes if outcome.result is Result.UNKNOWN]
    total = len(desired.resources) + len(desired.broken)
    return {
        "target": report.target,
        "platform": plan.platform if plan else "",
        "revision": report.revision.commit,
        "short": report.revision.short,
        "in_sync": in_sync,
        "total": total,
        "drift": len(drifted),
        "held": len(held),
        "failed": len(failed) + sum(1 for problem in report.problems if problem.severity == "error"),
        "unknown": len(unknown),
        **knowledge,
        "calls_left": [
            {"window_seconds": each.window_seconds, "left": each.left, "usable": each.usable, "limit": each.limit}
            for each in budget
        ],
        "last_pass_at": report.finished_at,
        "next_look_at": report.finished_at + interval_seconds,
        "conditions": [asdict(condition) for condition in report.conditions],
        "error": {"code": report.error_code, "message": report.error} if report.error else None,
        "held_list": [_listed(change.key, change.reason, change.message) for change in held[:_LISTED_MAX]],
        "drift_list": [_listed(change.key, "Drift", change.message) for change in drifted[:_LISTED_MAX]],
        "failed_list": [_listed(each.change.key, each.code, each.message) for each in failed[:_LISTED_MAX]],
        "calls": dict(report.calls),
    }


def _listed(key: Key, reason: str, message: str) -> dict[str, str]:
    return {"kind": key.kind, "name": key.name, "reason": reason, "message": message}
