"""``datakeel policy test`` and ``check``: what passes, what is told of a failure, and mistakes in test files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from agent.cli.main import main
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key, Revision
from agent.model.judging import DENIED
from agent.report.documents import dump_document, plan_document

RULES = """\
rules:
  - {name: few, match: {actions: [delete]}, deny: plan.deletes > 1, message: too many}
  - {name: tagged, match: {actions: [create, update]}, warn: "!has(change.desired.tags)", message: no tag}
"""
CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
policy: {files: [rules.yaml]}
targets:
  analytics: {platform: dataos, server: "https://dataos.example.com"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "datakeel.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(here: Path, *tests: str, head: str = "policy: rules.yaml\n", name: str = "a.test.yaml") -> None:
    (here / name).write_text(f"{head}tests:\n" + "".join(f"  - {{name: t, {each}}}\n" for each in tests))


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    status = main(["policy", *words, "-o", "json"])
    out, err = capsys.readouterr()
    return status, json.loads(out), err


BOTH = "changes: [delete Depot/a, delete Depot/b]"


@pytest.mark.parametrize(
    ("test", "missing", "unexpected"),
    [
        (f"{BOTH}, expect: {{few: [Depot/a, Depot/b]}}", [], []),
        ("changes: [delete Depot/a], expect: {}", [], []),
        (f"{BOTH}, expect: {{few: [Depot/a]}}", [], [("few", "b")]),
        (f"{BOTH}, expect: {{}}", [], [("few", "a"), ("few", "b")]),
        ("changes: [delete Depot/a], expect: {few: [Depot/a]}", [("few", "Depot/a")], []),
        ("changes: [create Depot/a], expect: {tagged: [Depot/a]}", [("tagged", "Depot/a")], [("tagged", "a")]),
    ],
)
def test_a_test_passes_when_rules_say_exactly_what_it_expects(
    test: str, missing: list[Any], unexpected: list[Any], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one cannot be evaluated, which no test can expect."""
    write(here, test)
    status, document, _ = ran(capsys, "test")
    (one,) = document["tests"]
    assert status == document["exit_status"] == (1 if missing or unexpected else 0)
    assert [(each["rule"], each["resource"]) for each in one["missing"]] == missing
    assert [(each["rule"], each["key"]["name"]) for each in one["unexpected"]] == unexpected


def test_rules_that_nothing_tests_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, f"{BOTH}, expect: {{few: [Depot/a, Depot/b]}}")
    _, document, _ = ran(capsys, "test")
    assert document["unfired"] == [{"rule": "tagged", "path": "rules.yaml", "line": 3}]
    write(
        here,
        "changes: [{action: create, resource: Depot/a, desired: {}}], expect: {tagged: [Depot/a]}",
        name="b.test.yml",
    )
    _, document, _ = ran(capsys, "test")
    assert document["unfired"] == [] and document["summary"] == {"passed": 2, "failed": 0, "rules": 2, "unfired": 0}


def test_the_rules_of_the_configuration_are_tested_where_a_file_names_none(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, f"{BOTH}, expect: {{few: [Depot/a, Depot/b]}}", head="")
    assert ran(capsys, "test")[0] == 0
    write(here, f"{BOTH}, expect: {{}}", head="target: sales\n")
    status, document, err = ran(capsys, "test")
    assert status == 78 and "a.test.yaml:1:9: error[policy-test-invalid]: there is no target sales" in err
    assert document["error"]["code"] == "policy-test-invalid"


@pytest.mark.parametrize(
    ("test", "place", "what"),
    [
        ("changes: [delete Depot/a], expect: {fw: [a]}", "3:51", "there is no rule fw"),
        ("changes: [drop Depot/a], expect: {}", "3:24", "'drop Depot/a' is no change"),
        ("now: soon, changes: [], expect: {}", "3:20", "'soon' is no moment"),
        ("changes: [], expct: {}", "3:28", "`tests[0].expct` is not known"),
        ("expect: {}", "3:5", "changes"),
    ],
)
def test_a_mistake_in_a_test_is_told_at_its_place(
    test: str, place: str, what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, test)
    status, _, err = ran(capsys, "test")
    assert status == 78
    assert f"a.test.yaml:{place}: error[policy-test-invalid]" in err and what in err


def test_junit_has_a_case_a_test(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, "changes: [delete Depot/a], expect: {}", "changes: [delete Depot/a], expect: {few: [Depot/a]}")
    assert main(["policy", "test", "-o", "junit=found.xml"]) == 1
    (suite,) = JUnitXml.fromfile(str(here / "found.xml"))
    assert (suite.name, suite.tests, suite.failures) == ("a.test.yaml", 2, 1)


def test_without_a_test_it_is_told_how_to_begin(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "test"]) == 64
    assert "policy.test.yaml" in capsys.readouterr().err
    assert main(["policy", "test", "nowhere"]) == 64


def plan(here: Path, *changes: Change) -> None:
    made = Plan("analytics", "dataos/v1", "sha256:0", Revision("c" * 40, "main"), changes)
    (here / "plan.json").write_text(dump_document(plan_document([made])))


def change(name: str, action: Action) -> Change:
    return Change(Key("analytics", "Depot", (), name), action)


def test_a_plan_file_is_judged_by_what_it_would_send(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What only the policy kept back counts; what something else holds does not."""
    kept = [change(name, Action.DELETE).held(reason, "no") for name, reason in (("b", DENIED), ("c", "Protected"))]
    plan(here, change("a", Action.DELETE), *kept)
    status, document, _ = ran(capsys, "check", "--plan", "plan.json", "--author", "a@example.com")
    assert status == 4 and document["summary"] == {"changes": 2, "rules": 2}
    assert [(one["rule"], one["key"]["name"]) for one in document["policy"]] == [("few", "a"), ("few", "b")]
    plan(here, change("a", Action.DELETE))
    assert ran(capsys, "check", "--plan", "plan.json")[0] == 0


def test_what_a_plan_file_does_not_hold_is_never_assumed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "rules.yaml").write_text("rules: [{name: a, deny: plan.owned > 100, message: m}]")
    plan(here, change("a", Action.UPDATE))
    status, document, _ = ran(capsys, "check", "--plan", "plan.json")
    assert status == 4 and document["policy"][0]["failure"] == 'no member "owned"'
    (here / "rules.yaml").write_text("rules: [{name: a, deny: change.desired.n > 100, message: m}]")
    status, document, _ = ran(capsys, "check", "--plan", "plan.json")
    assert status == 4 and "a plan file holds only what differs" in document["policy"][0]["failure"]


def test_the_moment_of_a_check_can_be_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "rules.yaml").write_text("rules: [{name: a, deny: now.weekday == 'friday', message: m}]")
    plan(here, change("a", Action.UPDATE))
    assert main(["policy", "check", "--plan", "plan.json", "--now", "2026-03-06T18:30+01:00"]) == 4
    assert main(["policy", "check", "--plan", "plan.json", "--now", "2026-03-07T18:30+01:00"]) == 0
    assert main(["policy", "check", "--plan", "plan.json", "--now", "2026-03-06"]) == 64


@pytest.mark.parametrize(
    ("content", "status"), [("{", 78), ("[]", 78), ('{"format": "datakeel.plan/2"}', 78), (None, 78)]
)
def test_what_is_no_plan_file_is_refused(
    content: str | None, status: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (here / "plan.json").write_text(content)
    assert main(["policy", "check", "--plan", "plan.json"]) == status
    assert "error[plan-unreadable]" in capsys.readouterr().err


def test_a_rule_about_a_kind_that_nothing_has_is_a_mistake(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "rules.yaml").write_text("rules: [{name: a, match: {kinds: [Workflw]}, deny: 'true', message: m}]")
    assert main(["validate"]) == 78
    err = capsys.readouterr().err
    assert "rules.yaml:1:16: error[policy-invalid]: rule a: no target has a kind Workflw" in err
    assert "did you mean `Workflow`?" in err
