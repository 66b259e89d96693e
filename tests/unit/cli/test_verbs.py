"""What the verbs make of what the wiring gave them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli.looking import Live
from agent.cli.options import LiveRow, LogLine, Options, Selector, TargetPlan
from agent.cli.parser import VerbParser
from agent.cli.style import paint_for
from agent.cli.verbs import diff, get, logs, validate
from agent.errors import PlatformFault, UsageError
from agent.model.resource import Desired
from tests.unit.report import samples

DESIRED = Desired("analytics", samples.REVISION, {}, (samples.PROBLEM,))
PLANS = (
    TargetPlan("analytics", samples.IN_SYNC, DESIRED),
    TargetPlan("sales", error=PlatformFault("the platform answered 503", fix="wait")),
)


def test_a_diff_shows_problems_then_errors_then_plans() -> None:
    import io

    text = diff.text_of(PLANS, paint_for(io.StringIO(), "never", {}), full=False)
    assert text.splitlines() == [
        "manifests/dataos/weekly.yaml:8:7: error[unknown-key]: Workflow/weekly-report: "
        "`cronn` is not known in `workflow.schedule`",
        "  why:  schemas/dataos/workflow.schema.json, /workflow/schedule",
        "  fix:  did you mean `cron`?",
        "sales: no plan",
        "datakeel: error[api-fault]: the platform answered 503",
        "  fix:  wait",
        "",
        "analytics: 304 in sync with main@4f2c1ab, 26 calls",
    ]


def test_the_same_as_a_document() -> None:
    options = Options(only=(Selector.parse("!Workflow/a"),))
    document = diff.document_of(PLANS, options)
    assert document["scope"] == {"targets": ["analytics"], "only": ["!Workflow/a"]}
    assert document["complete"] is False
    assert document["errors"][0]["target"] == "sales"
    assert document["problems"][0]["code"] == "unknown-key"


def test_validate_narrows_to_the_paths_that_were_named() -> None:
    assert validate._is_below("a/b.yaml", [])
    assert validate._is_below("a/b.yaml", ["a"])
    assert validate._is_below("a/b.yaml", ["./a/"])
    assert validate._is_below("a/b.yaml", ["a/b.yaml"])
    assert validate._is_below("a/b.yaml", ["."])
    assert not validate._is_below("ab/b.yaml", ["a"])


def test_the_paths_of_validate_are_seen_from_here_or_from_the_top(tmp_path: Path) -> None:
    here = tmp_path / "manifests"
    here.mkdir()
    (here / "daily.yaml").touch()
    for path in ("daily.yaml", "./daily.yaml", "manifests/daily.yaml", str(here / "daily.yaml")):
        assert validate._from_the_top([path], tmp_path, here, None) == ["manifests/daily.yaml"]
    assert validate._from_the_top(["."], tmp_path, here, None) == ["manifests"]
    assert validate._from_the_top(["gone.yaml"], tmp_path, here, "main~3") == ["manifests/gone.yaml"]
    assert validate._from_the_top(["any.yaml"], None, here, None) == ["any.yaml"]
    for path in ("gone.yaml", "../../elsewhere.yaml"):
        with pytest.raises(UsageError, match="there is no"):
            validate._from_the_top([path], tmp_path, here, None)


def test_validate_narrows_to_what_only_names() -> None:
    of_file = replace(samples.PROBLEM, subject=None)
    told = lambda problem, *only: validate._is_meant(  # noqa: E731
        problem, Options(only=tuple(Selector.parse(text) for text in only))
    )
    assert told(samples.PROBLEM)
    assert told(samples.PROBLEM, "Workflow") and told(samples.PROBLEM, "Workflow/analytics/weekly-report")
    assert not told(samples.PROBLEM, "Depot") and not told(samples.PROBLEM, "!Workflow")
    assert told(samples.PROBLEM, "path:manifests/*") and not told(samples.PROBLEM, "path:other/*")
    assert told(of_file, "Depot") and told(of_file, "!Workflow") and not told(of_file, "path:other/*")


def test_the_next_command_of_a_diff_chooses_what_the_diff_chose() -> None:
    parser = VerbParser("diff", diff.SUMMARY, "")
    diff.configure(parser)
    assert diff._apply_of(parser.parse([])) == "apply"
    words = ["--target", "a", "--only", "!Workflow", "--revision", "HEAD~1", "--confirm-deletes", "0", "--fresh"]
    assert diff._apply_of(parser.parse([*words, "--ignore-windows"])) == (
        "apply --target a --only '!Workflow' --revision 'HEAD~1' --confirm-deletes 0 --ignore-windows"
    )


ROW = LiveRow(samples.key("Workflow", "daily-etl"), "ready", True, True, 100.0, {"name": "daily-etl"})
STRAY = LiveRow(samples.key("Workflow", "by\x1bhand"), "unknown", False)


def test_a_table_of_live_objects() -> None:
    assert get._table(Live([ROW, STRAY], answered=True), 220.0) == (
        "KIND      NAME                  STATUS   OURS  IN SYNC  VERIFIED\n"
        "Workflow  analytics/daily-etl   ready    yes   yes      2 min ago\n"
        "Workflow  analytics/by\\x1bhand  unknown  no    -        -\n"
    )
    assert get._table(Live(answered=True), None) == "nothing is live\n"


def test_no_rows_say_that_nothing_is_live_only_of_what_was_read() -> None:
    fault = ("sales", PlatformFault("the platform answered 503"))
    assert get._table(Live(faults=[fault], answered=True), None) == "nothing is live in what could be read\n"
    assert get._table(Live(faults=[fault, fault]), None) == ""
    document = get._document_of(Live([ROW], [fault], answered=True))
    assert (document["complete"], document["errors"][0]["target"], len(document["resources"])) == (False, "sales", 1)


def test_one_live_object_is_yaml() -> None:
    from agent import yaml_io

    text = get._yaml((ROW, STRAY))
    assert "# no content is known" in text
    documents = yaml_io.load(text.encode()).documents
    assert documents[0].value == {"name": "daily-etl"}


def test_log_lines_are_cleaned_text_or_json() -> None:
    line = LogLine("2026-03-04T10:01:00Z", "INFO", "::error::done\x1b", "etl")
    assert logs._text(line) == "2026-03-04T10:01:00Z  INFO   etl  \\::error::done\\x1b\n"
    assert logs._text(LogLine(None, None, "x")) == "x\n"
    assert json.loads(logs._json(line))["text"] == "::error::done\x1b"
