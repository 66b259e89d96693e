"""Plans, reports and problems as JSON documents: ``datakeel.plan/1``, ``datakeel.report/1``, ``datakeel.problems/1``.

Called by every verb with ``-o json`` and by the pass that stores its report. Only JSON values come out, decimals with
their digits; a sensitive field has neither ``before`` nor ``after``. Equal inputs give equal documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent import __version__
from agent.errors import EXIT_DONE, EXIT_INVALID, AgentError, Problem
from agent.model.canonical import to_json
from agent.model.change import PLAN_FORMAT, Action, Plan, WindowLeft, digest_of
from agent.model.condition import Condition
from agent.model.identity import Revision
from agent.model.outcome import REPORT_FORMAT, Outcome, Report, Result
from agent.model.unmerged import Unmerged
from agent.report.change_documents import change_document, key_document, unmerged_document
from agent.report.problems import sorted_problems
from agent.report.text import in_order
from agent.report.values import utc
from agent.report.verdicts import verdict_documents

PROBLEMS_FORMAT = "datakeel.problems/1"
ERROR_FORMAT = "datakeel.error/1"

_FORGE_MARK = re.compile(r"##(?=[A-Za-z]*\[)")
_INVISIBLE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def dump_document(document: Mapping[str, Any], *, pretty: bool = True) -> str:
    """The document as text: one member a line, one element of a list of objects a line; one line when not ``pretty``.

    What a terminal or the runner of a forge could obey inside a string is written as a JSON escape, so that the values
    stay what they are.
    """
    if not pretty:
        return _harmless(to_json(document).decode()) + "\n"
    members = []
    for name, member in document.items():
        head = to_json(name).decode() + ": "
        if isinstance(member, list) and member and isinstance(member[0], dict):
            elements = ",\n  ".join(to_json(element).decode() for element in member)
            members.append(f"{head}[\n  {elements}\n ]")
        else:
            members.append(head + to_json(member).decode())
    return _harmless("{\n " + ",\n ".join(members) + "\n}\n")


def dump_list(elements: Sequence[Mapping[str, Any]]) -> str:
    """The elements as an array, one a line."""
    lines = ",\n ".join(to_json(element).decode() for element in elements)
    return _harmless(f"[\n {lines}\n]\n" if lines else "[]\n")


def render(document: Mapping[str, Any], settings: object) -> str:
    """``-o json``: the document as it is."""
    return dump_document(document)


def _harmless(text: str) -> str:
    text = _FORGE_MARK.sub("\\\\u0023#", text)
    return _INVISIBLE.sub(lambda found: _json_escape(found[0]), text)


def _json_escape(character: str) -> str:
    """The character as JSON may also write it."""
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def plan_document(
    plans: Sequence[Plan],
    *,
    problems: Iterable[Problem] = (),
    merged: Iterable[Problem] = (),
    errors: Mapping[str, AgentError] | None = None,
    only: Sequence[str] = (),
    exit_status: int = 0,
    refusals: Iterable[AgentError] = (),
    unmerged: Iterable[Unmerged] = (),
) -> dict[str, Any]:
    """All targets' plans as one document. ``errors`` are the targets that gave no plan, and why.

    ``merged`` are problems of the revision that a proposal begins at: what that has already, on whatever line, is told
    after what the proposal brings.

    ``refusals`` are what the caller's own limits said of the plan, such as ``--max-calls``; ``unmerged`` is what a
    proposal changes of the agent itself.
    """
    failed = errors or {}
    return {
        "format": PLAN_FORMAT,
        "agent": __version__,
        "digest": digest_of(tuple(plans)),
        "revision": _revision(plans[0].revision, plans[0].base) if plans else None,
        "ground": plans[0].ground if plans and plans[0].ground else "live",
        "unmerged": [unmerged_document(one) for one in unmerged],
        "complete": not failed and all(plan.complete for plan in plans),
        "exit_status": exit_status,
        "scope": {"targets": [plan.target for plan in plans], "only": list(only)},
        "summary": plan_summary(plans),
        "calls": _calls(plans),
        "budget": [window_document(window) for plan in plans for window in plan.budget],
        "seconds_needed": _number(max((plan.seconds_needed for plan in plans), default=0)),
        "targets": [
            {
                "name": plan.target,
                "platform": plan.platform,
                "definition": plan.definition,
                "revision": plan.revision.commit,
                "digest": plan.digest,
                "complete": plan.complete,
                "summary": plan_summary([plan]),
                "notes": list(plan.notes),
            }
            for plan in plans
        ],
        "changes": [change_document(change) for plan in plans for change in in_order(plan.changes)],
        **_judged(plans),
        "apart": [change_document(change) for plan in plans for change in in_order(plan.apart)],
        "strays": [{"key": key_document(stray.key), "health": stray.health} for plan in plans for stray in plan.strays],
        "suppressed": [
            {"key": str(one.key), "path": one.path, "why": one.why, "rule": one.rule}
            for plan in plans
            for one in plan.suppressed
        ],
        "problems": _problems(problems, merged),
        "errors": [{"target": target, **error_members(error)} for target, error in sorted(failed.items())],
        "refusals": [error_members(refusal) for refusal in refusals],
    }


def _judged(plans: Sequence[Plan]) -> dict[str, Any]:
    """What rules say, where there are any."""
    judged = verdict_documents(plans)
    return {} if judged is None else {"policy": judged}


def _problems(problems: Iterable[Problem], merged: Iterable[Problem]) -> list[dict[str, Any]]:
    known = {_without_place(one) for one in merged}
    return [
        problem_document(one) | ({"merged": True} if _without_place(one) in known else {})
        for one in sorted_problems(problems)
    ]


def _without_place(problem: Problem) -> tuple[str | None, ...]:
    return problem.code, problem.where.path, problem.subject, problem.what


def report_document(reports: Sequence[Report], *, exit_status: int = 0) -> dict[str, Any]:
    """What was applied: each change of the plan with its outcome."""
    return {
        "format": REPORT_FORMAT,
        "agent": __version__,
        "exit_status": exit_status,
        "passes": [pass_document(report) for report in reports],
    }


def pass_document(report: Report) -> dict[str, Any]:
    """One pass over one target: what the store keeps and ``history`` shows."""
    document: dict[str, Any] = {
        "pass": report.pass_id,
        "target": report.target,
        "revision": _revision(report.revision),
        "digest": report.plan.digest if report.plan else None,
        "started_at": utc(report.started_at),
        "finished_at": utc(report.finished_at),
        "summary": {result.value: report.count(result) for result in Result},
        "calls": {"total": report.calls_total, "by_purpose": dict(sorted(report.calls.items()))},
        "changes": [{**change_document(one.change), **outcome_members(one)} for one in report.outcomes],
        "conditions": [condition_document(condition) for condition in report.conditions],
        "problems": [problem_document(one) for one in sorted_problems(report.problems)],
    }
    document |= _judged([report.plan] if report.plan else [])
    if report.error:
        document["error"] = {"code": report.error_code, "message": report.error}
    return document


def problems_document(problems: Iterable[Problem], *, manifests: int | None = None) -> dict[str, Any]:
    """``validate -o json``."""
    ordered = sorted_problems(problems)
    summary = {
        severity: sum(1 for one in ordered if one.severity == severity) for severity in ("error", "warning", "info")
    }
    document: dict[str, Any] = {
        "format": PROBLEMS_FORMAT,
        "agent": __version__,
        "exit_status": EXIT_INVALID if summary["error"] else EXIT_DONE,
        "summary": summary,
        "problems": [problem_document(one) for one in ordered],
    }
    if manifests is not None:
        document["manifests"] = manifests
    return document


def error_document(error: AgentError) -> dict[str, Any]:
    """What a verb prints in JSON mode when it has nothing else to print."""
    return {"format": ERROR_FORMAT, "agent": __version__, "error": error_members(error)}


def error_members(error: AgentError) -> dict[str, Any]:
    """An error with its code, its reasons and the problems that it holds."""
    members: dict[str, Any] = {"code": error.error_code, "message": error.what, "exit_status": error.exit_status}
    members |= {word: value for word in ("got", "why", "fix") if (value := getattr(error, word)) is not None}
    if error.where is not None:
        place = {"path": error.where.path, "line": error.where.line, "column": error.where.column}
        members |= {word: value for word, value in place.items() if value is not None}
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    if problems:
        members["problems"] = [problem_document(one) for one in sorted_problems(problems)]
    return members


def problem_document(problem: Problem) -> dict[str, Any]:
    """One problem; members that are unknown are left out."""
    members: dict[str, Any] = {
        "severity": problem.severity,
        "code": problem.code,
        "path": problem.where.path,
        "line": problem.where.line,
        "column": problem.where.column,
        "subject": problem.subject,
        "what": problem.what,
        "got": problem.got,
        "why": problem.why,
        "fix": problem.fix,
    }
    kept = {word: value for word, value in members.items() if value is not None}
    if problem.also:
        kept["also"] = [{"path": one.path, "line": one.line, "column": one.column} for one in problem.also]
    return kept


def outcome_members(outcome: Outcome) -> dict[str, Any]:
    """How a change ended, as members beside those of the change."""
    members: dict[str, Any] = {"outcome": outcome.result.value, "calls": outcome.calls}
    optional = {
        "code": outcome.code or None,
        "answer": outcome.message or None,
        "status": outcome.status,
        "ready": outcome.ready,
        "ready_after_seconds": _number(outcome.ready_after_seconds),
        "terminal": outcome.terminal or None,
    }
    return members | {word: value for word, value in optional.items() if value is not None}


def condition_document(condition: Condition) -> dict[str, Any]:
    """A condition in the field's common form."""
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "since": _number(condition.since),
    }


def window_document(window: WindowLeft) -> dict[str, Any]:
    """One rate window and what is left of it."""
    return {
        "credential": window.credential,
        "window_seconds": _number(window.window_seconds),
        "limit": window.limit,
        "usable": window.usable,
        "left": window.left,
    }


def _revision(revision: Revision, base: Revision | None = None) -> dict[str, Any]:
    return {"commit": revision.commit, "ref": revision.ref, "base": base.commit if base is not None else None}


def plan_summary(plans: Sequence[Plan]) -> dict[str, int]:
    """How many changes of each sort there are."""
    words = {action: action.value for action in Action} | {Action.HOLD: "held", Action.NONE: "drift_reported"}
    summary = {words[action]: sum(plan.count(action) for plan in plans) for action in Action}
    totals = {word: sum(getattr(plan, word) for plan in plans) for word in ("unchanged", "remembered")}
    return summary | totals


def _calls(plans: Sequence[Plan]) -> dict[str, Any]:
    return {
        "read": sum(plan.calls.read for plan in plans),
        "apply_max": sum(plan.calls.apply_max for plan in plans),
        "by_purpose": {
            word: sum(getattr(plan.calls, word) for plan in plans)
            for word in ("write", "look", "confirm", "ready", "actions")
        },
        "reads_by_purpose": dict(sorted(_reads(plans).items())),
    }


def _reads(plans: Sequence[Plan]) -> Counter[str]:
    """What making the plans has cost."""
    reads: Counter[str] = Counter()
    for plan in plans:
        reads.update(dict(plan.calls.reads))
    return reads


def _number(value: float | None) -> int | float | None:
    """Whole seconds as integers, so that equal moments look equal."""
    if value is None:
        return None
    return int(value) if float(value).is_integer() else round(value, 3)
