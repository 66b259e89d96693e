"""The plan file that apply reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.plan_file import read_plan_file
from agent.errors import UsageError
from agent.report.documents import dump_document, plan_document
from agent.report.text import change_lines
from tests.unit.report.samples import PLAN


def test_a_plan_file_remembers_what_was_approved(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(dump_document(plan_document([PLAN], only=["Workflow"])))
    file = read_plan_file(path)
    assert (file.digest, file.targets, file.only) == (PLAN.digest, ("analytics",), ("Workflow",))
    assert file.lines == change_lines([PLAN])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "not json",
        "{}",
        '{"format": "datakeel.plan/2"}',
        '{"format": "datakeel.plan/1"}',
        '{"format": "datakeel.plan/1", "digest": 5}',
        "[" * 100_000,
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_plan_file(path)
    assert caught.value.error_code == "plan-unreadable"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_plan_file(tmp_path / "none.json")


def test_strange_members_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    document = {
        "format": "datakeel.plan/1",
        "digest": PLAN.digest,
        "scope": 5,
        "changes": [5, {}, {"action": "x"}, None],
    }
    path.write_text(json.dumps(document))
    file = read_plan_file(path)
    assert (file.targets, file.lines) == ((), [])
