"""Problems: one editor-readable first line, then got, why and fix; sorted; the first fifty."""

from __future__ import annotations

from dataclasses import replace

from agent.errors import Problem, Where
from agent.report.problems import render_problems, render_summary, sorted_problems
from tests.unit.report.samples import PROBLEM


def test_a_problem_reads_as_designed() -> None:
    assert render_problems([PROBLEM]) == (
        "manifests/dataos/weekly.yaml:8:7: error[unknown-key]: Workflow/weekly-report: "
        "`cronn` is not known in `workflow.schedule`\n"
        "  why:  schemas/dataos/workflow.schema.json, /workflow/schedule\n"
        "  fix:  did you mean `cron`?\n"
    )


def test_missing_parts_leave_no_line() -> None:
    problem = Problem("x-y", "what", Where("a.yaml"), severity="warning", got="v" * 201, also=(Where("b.yaml", 2, 3),))
    assert render_problems([problem]) == f"a.yaml: warning[x-y]: what\n  got:  {'v' * 199}…\n  also: b.yaml:2:3\n"


def test_problems_are_sorted_by_path_line_and_column() -> None:
    places = [("b", 1, 1), ("a", 10, 1), ("a", 9, 5), ("a", 9, 4), ("a", None, None)]
    ordered = sorted_problems(Problem("c", "w", Where(*place)) for place in places)
    assert [str(one.where) for one in ordered] == ["a", "a:9:4", "a:9:5", "a:10:1", "b:1:1"]


def test_fifty_are_shown_and_the_fifty_first_is_counted() -> None:
    fifty = [replace(PROBLEM, where=Where("a", line)) for line in range(1, 51)]
    assert "more" not in render_problems(fifty)
    text = render_problems([*fifty, replace(PROBLEM, where=Where("a", 51))])
    assert text.endswith("… and 1 more; -o json lists all 51\n")
    assert "a:51" not in text


def test_hostile_paths_and_texts_are_harmless() -> None:
    evil = "::error::\x1b]0;x\x07\n##[x]"
    text = render_problems([Problem("c", evil, Where(evil, 1, 1), evil, evil, evil, evil, also=(Where(evil),))])
    assert "\x1b" not in text
    assert "##[" not in text
    assert all(not line.lstrip().startswith("::") for line in text.splitlines())
    assert len(text.splitlines()) == 5


def test_the_summary_counts_errors_warnings_and_manifests() -> None:
    warning = replace(PROBLEM, severity="warning", subject="Workflow/other")
    assert render_summary([PROBLEM, PROBLEM, warning], 304) == "2 errors, 1 warning in 2 of 304 manifests\n"
    assert render_summary([], 1) == "1 manifest, no problem\n"
    assert render_summary([PROBLEM], 0) == "1 error in 1 of 1 manifest\n"
