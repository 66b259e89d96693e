"""What a pass left to do, as a JSON document: ``datakeel.waiting/1``. Pure; kept by the store, shown by the page.

Like a plan it is masked: a secret has neither value nor fingerprint in it. It is bounded, the most dangerous first, and
holds no moment of its own, so that two passes that leave the same leave equal documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agent.model.change import Action, Change
from agent.model.identity import Key, Revision
from agent.model.judging import DELAYED
from agent.model.outcome import Outcome, Report, Result
from agent.model.resource import Desired
from agent.report.change_documents import change_document, key_document
from agent.report.deciding import commands_for
from agent.report.documents import outcome_members, problem_document
from agent.report.problems import sorted_problems
from agent.report.values import utc
from agent.report.verdicts import said_of

FORMAT = "datakeel.waiting/1"
CHANGES_MAX = 300
_FIELDS_MAX = 60
_TEXT_MAX = 2_000
_PROBLEMS_MAX = 100
_KEYS_MAX = 500
_STATES = {
    Result.NOT_DONE: "failed",
    Result.UNKNOWN: "unknown",
    Result.SKIPPED: "pending",
}
_ORDER = ("failed", "unknown", "held", "drifted", "pending", "suspended", "kept")
_DANGER = (Action.DELETE, Action.REPLACE, Action.UPDATE, Action.ADOPT, Action.CREATE, Action.RELEASE)
_BY_REASON = {"Suspended": "suspended", "WindowClosed": "pending", DELAYED: "pending"}
_NOT_TOLD = frozenset({"Unknown", "KindUnreadable", "KindUnknown", "RowDamaged"})


def waiting_document(report: Report, desired: Desired) -> dict[str, Any]:
    """What is left after a pass over a whole target: each change with its ``state`` and the commands that decide it."""
    plan = report.plan
    left = [each for each in report.outcomes if each.result is not Result.DONE]
    left += [Outcome(change, Result.HELD) for change in plan.drift_reported] if plan else []
    seen: dict[Key, Outcome] = {each.change.key: each for each in left}
    ordered = sorted(seen.values(), key=_danger)
    problems = sorted_problems(report.problems)
    return {
        "format": FORMAT,
        "target": report.target,
        "platform": plan.platform if plan else "",
        "revision": _revision(report.revision),
        "complete": bool(plan and plan.complete),
        "digest": plan.digest if plan and plan.writes else None,
        "summary": dict(sorted(Counter(state_of(each) for each in ordered).items())),
        "unchanged": plan.unchanged if plan else 0,
        "later": plan.later if plan else 0,
        "notes": [*plan.notes, *(f"policy: {said.sentence}" for said in said_of(plan))] if plan else [],
        "changes": [_change(each) for each in ordered[:CHANGES_MAX]],
        "more": max(0, len(ordered) - CHANGES_MAX),
        "suppressed": [
            {"key": key_document(each.key), "path": each.path, "why": each.why, "rule": each.rule}
            for each in (plan.suppressed if plan else ())[:CHANGES_MAX]
        ],
        "strays": [
            {"key": key_document(each.key), "health": each.health} for each in (plan.strays if plan else ())[:_KEYS_MAX]
        ],
        "problems": [problem_document(each) for each in problems[:_PROBLEMS_MAX]],
        "invalid": [key_document(key) for key in sorted(desired.broken)[:_KEYS_MAX]],
    }


def state_of(outcome: Outcome) -> str:
    """Why the change was not made, in a word of :data:`_ORDER`."""
    change = outcome.change
    if outcome.result in _STATES:
        return _STATES[outcome.result]
    if change.action is Action.NONE:
        return "drifted"
    if change.reason in _NOT_TOLD:
        return "unknown"
    if change.reason in _BY_REASON:
        return _BY_REASON[change.reason]
    return "kept" if change.configured else "held"


def _danger(outcome: Outcome) -> tuple[int, int, Key]:
    change = outcome.change
    action = change.would or change.action
    weight = _DANGER.index(action) if action in _DANGER else len(_DANGER)
    return _ORDER.index(state_of(outcome)), weight, change.key


def _change(outcome: Outcome) -> dict[str, Any]:
    change: Change = outcome.change
    document = change_document(change)
    fields = document["fields"]
    document["fields"] = [_cut(field) for field in fields[:_FIELDS_MAX]]
    document["more_fields"] = max(0, len(fields) - _FIELDS_MAX)
    members: Mapping[str, Any] = outcome_members(outcome)
    return {**document, **members, "state": state_of(outcome), "commands": commands_for(change)}


def _cut(field: dict[str, Any]) -> dict[str, Any]:
    return {name: _short(value) if name in ("before", "after") else value for name, value in field.items()}


def _short(value: Any) -> Any:
    """A value of bearable length: long texts are cut, what is deep or wide keeps its first members."""
    if isinstance(value, str):
        return value if len(value) <= _TEXT_MAX else value[:_TEXT_MAX] + "…"
    if isinstance(value, Mapping):
        return {name: _short(member) for name, member in _first(value.items())}
    return [_short(member) for member in _first(value)] if isinstance(value, list | tuple) else value


def _first(members: Iterable[Any]) -> list[Any]:
    return list(members)[:_FIELDS_MAX]


def _revision(revision: Revision) -> dict[str, Any]:
    at = None if revision.committed_at is None else utc(revision.committed_at)
    return {
        "commit": revision.commit,
        "ref": revision.ref,
        "author": revision.author,
        "subject": revision.subject,
        "at": at,
    }
