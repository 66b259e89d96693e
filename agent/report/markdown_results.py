"""What ``apply`` did, what ``validate`` found, or why nothing came of it, as the parts of a Markdown page.

Called by ``markdown`` for every document that is not a plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.report.escape import cell_code, code_span, sentence
from agent.report.markdown import Page
from agent.report.markdown_plan import SEVERITIES, Names, error_line, place_of, problem_lines
from agent.report.values import counted

_OUTCOMES = {
    "not_done": ("❌", "failed"),
    "unknown": ("❓", "unknown"),
    "skipped": ("⏭️", "skipped"),
    "held": ("✋", "held"),
    "done": ("✅", "done"),
}
_TITLE_WORDS = {"done": "applied", "not_done": "failed"}
_NAME_MAX = 120


def page_of(document: Mapping[str, Any]) -> Page:
    """The page of a report, of problems, or of an error."""
    if "passes" in document:
        return _of_report(document)
    if "error" in document:
        return _of_error(document["error"])
    return _of_problems(document)


def _of_report(document: Mapping[str, Any]) -> Page:
    passes = document["passes"]
    targets = ", ".join(code_span(one["target"], 60) for one in passes)
    counts: Counter[str] = Counter()
    for one in passes:
        counts.update(one["summary"])
    told = [f"{counts[word]} {_TITLE_WORDS.get(word, word)}" for word in ("done", *_OUTCOMES) if counts[word]]
    told = [f"**{text}**" if text.endswith(("failed", "unknown")) else text for text in dict.fromkeys(told)]
    page = Page(
        f"### datakeel apply: {', '.join(told) or 'nothing to do'} in {targets or 'no target'}",
        header=("| | outcome | action | resource | answer |", "| --- | --- | --- | --- | --- |"),
    )
    names = Names([change for one in passes for change in one["changes"]], several=len(passes) > 1)
    if names.several:
        page.header = ("| | outcome | action | target | resource | answer |", "| --- | --- | --- | --- | --- | --- |")
    calls = 0
    for one in passes:
        calls += one["calls"]["total"]
        if "error" in one:
            page.warnings.append(error_line(one["error"] | {"target": one["target"]}))
        page.problems += problem_lines(one["problems"])
        for outcome in _OUTCOMES:
            rows = [_row(change, names) for change in one["changes"] if change["outcome"] == outcome]
            (page.rows if outcome == "done" else page.dangerous).extend(rows)
    page.foot = " · ".join([counted(calls, "call"), *(f"pass {code_span(str(one['pass']))}" for one in passes)])
    return page


def _row(change: Mapping[str, Any], names: Names) -> str:
    icon, word = _OUTCOMES[change["outcome"]]
    action = change.get("would") or change["action"]
    if change["outcome"] in ("not_done", "unknown"):
        word = f"**{word}**"
    return f"| {icon} | {word} | {action} | {names.cells(change['key'])} | {_answer(change)} |"


def _answer(change: Mapping[str, Any]) -> str:
    done = change["outcome"] == "done"
    parts = [str(change["status"])] if change.get("status") and not done else []
    parts += [counted(change["calls"], "call")] if change["calls"] and done else []
    text = change.get("answer") or ("" if done else change.get("message"))
    parts += [sentence(text, 200)] if text else []
    if change["outcome"] in ("not_done", "unknown") and change.get("origin"):
        parts.append(cell_code(f"{change['origin']['path']}:{change['origin']['line']}", 120))
    return " · ".join(parts) or " "


def _of_error(error: Mapping[str, Any]) -> Page:
    page = Page(f"### datakeel: **failed** ({code_span(error['code'], 60)})", [error_line(error)])
    page.problems = problem_lines(error.get("problems", ()))
    page.foot = "no plan was made, so nothing is known of what would change"
    return page


def _of_problems(document: Mapping[str, Any]) -> Page:
    summary = document["summary"]
    counts = [counted(summary[word], word) for word in ("error", "warning") if summary[word]]
    of = f" in {counted(document['manifests'], 'manifest')}" if "manifests" in document else ""
    if not document["problems"]:
        return Page(f"✅ datakeel validate: no problem{of}")
    page = Page(
        f"### datakeel validate: {', '.join(counts) or 'no problem'}{of}",
        header=("| | where | what | fix |", "| --- | --- | --- | --- |"),
    )
    for problem in document["problems"]:
        (page.dangerous if problem["severity"] == "error" else page.rows).append(_problem_row(problem))
    return page


def _problem_row(problem: Mapping[str, Any]) -> str:
    icon, place = SEVERITIES[problem["severity"]], place_of(problem)
    subject = f"{cell_code(problem['subject'], _NAME_MAX)}: " if problem.get("subject") else ""
    what = subject + sentence(problem["what"], 300)
    fix = sentence(problem["fix"], 300) if problem.get("fix") else " "
    return f"| {icon} {problem['severity']} | {cell_code(place, 200)} | {what} | {fix} |"
