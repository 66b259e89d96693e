"""What an ``apply`` did, as text: one line a change, then the sum. Called by ``apply`` and ``history``."""

from __future__ import annotations

from collections.abc import Sequence

from agent.model.change import Action
from agent.model.outcome import Outcome, Report, Result
from agent.report.change_text import WORDS
from agent.report.escape import clean
from agent.report.problems import render_problems
from agent.report.text import compared
from agent.report.values import Paint, counted, plain, table

_WORDS = {
    Result.DONE: "ok",
    Result.NOT_DONE: "failed",
    Result.UNKNOWN: "unknown",
    Result.SKIPPED: "skipped",
    Result.HELD: "held",
}
_ANSWER_MAX = 200


def render_reports(reports: Sequence[Report], *, paint: Paint = plain) -> str:
    """All passes of one ``apply``: problems, changes, one sum, and where to read more."""
    blocks = [render_report(report, paint=paint, titled=len(reports) > 1) for report in reports]
    return "".join(blocks) + render_sum(reports)


def render_report(report: Report, *, paint: Paint = plain, titled: bool = False) -> str:
    """The lines of one target."""
    lines = [paint("heading", f"{clean(report.target)} · {clean(str(report.revision))}")] if titled else []
    rows = [row_of(outcome) for outcome in report.outcomes]
    lines += [_painted(line, outcome, paint) for line, outcome in zip(table(rows), report.outcomes, strict=True)]
    if report.error:
        lines.append(f"{paint('error', 'failed')}  {clean(report.target)}: {clean(report.error)} [{report.error_code}]")
    if not report.outcomes and not report.error:
        of = f", {compared(report.plan)}" if report.plan else ""
        lines.append(f"{clean(report.target)}: nothing to do{of}")
    return render_problems(report.problems, paint=paint) + "".join(f"{line}\n" for line in lines)


def row_of(outcome: Outcome) -> list[str]:
    """The cells of its line: how it ended, action, resource, calls, and what there is to say."""
    change = outcome.change
    action = change.would if change.action is Action.HOLD and change.would else change.action
    calls = counted(outcome.calls, "call") if outcome.calls else ""
    place = ""
    if change.origin is not None and outcome.result in (Result.NOT_DONE, Result.UNKNOWN):
        place = clean(f"{change.origin.path}:{change.origin.line}:{change.origin.column}")
    told = _told(outcome)
    return [
        _WORDS[outcome.result],
        "act" if outcome.change.reason == "Action" else WORDS[action],
        clean(str(change.key), 120),
        calls,
        f"{told}  {place}".strip(),
    ]


def _told(outcome: Outcome) -> str:
    message = clean(outcome.message, _ANSWER_MAX)
    if outcome.result is Result.DONE:
        if outcome.ready_after_seconds is not None and outcome.ready:
            return f"ready after {outcome.ready_after_seconds:.0f} s"
        if outcome.change.action is Action.DELETE and not message:
            return "confirmed gone"
        return message or ("not ready yet" if outcome.ready is False else "")
    status = f"{outcome.status} " if outcome.status is not None else ""
    if outcome.result in (Result.NOT_DONE, Result.UNKNOWN):
        return f'{status}"{message}"' if status and message else f"{status}{message}".strip() or clean(outcome.code)
    return message or clean(outcome.code)


def _painted(line: str, outcome: Outcome, paint: Paint) -> str:
    word = _WORDS[outcome.result]
    role = {"ok": "create", "failed": "error", "unknown": "error"}.get(word, "held")
    return paint(role, word) + line[len(word) :]


def render_sum(reports: Sequence[Report]) -> str:
    """One line for all passes; empty where nothing was to be done."""
    if not any(report.outcomes or report.error for report in reports):
        return ""
    done = sum(report.count(Result.DONE) for report in reports)
    failed = sum(report.count(Result.NOT_DONE) for report in reports)
    counts = [f"{done} applied", f"{failed} failed"]
    for result, word in ((Result.SKIPPED, "skipped"), (Result.HELD, "held")):
        number = sum(report.count(result) for report in reports)
        counts += [f"{number} {word}"] if number else []
    counts.append(f"{sum(report.count(Result.UNKNOWN) for report in reports)} unknown")
    calls = counted(sum(report.calls_total for report in reports), "call")
    more = f" · datakeel history {clean(reports[0].pass_id)} tells more" if reports[0].pass_id else ""
    return f"{', '.join(counts)} · {calls}{more}\n"
