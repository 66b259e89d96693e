"""The examples that a definition ships, and the sample repository: good ones pass, bad ones fail as they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.definitions.load import bundled_schemas
from agent.definitions.platform import Platform
from agent.model.resource import Desired
from agent.validate.document import check_file

EXAMPLES = bundled_schemas() / "dataos" / "examples"
MANIFESTS = Path(__file__).parents[3] / "manifests" / "dataos"
DEFAULTS = {"workspace": "analytics"}


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_valid_example_passes(platform: Platform, path: Path) -> None:
    checked = check_file(path.read_bytes(), platform, DEFAULTS)
    assert checked.documents
    allowed = {"kind-general"} if path.stem.startswith("other") else set()
    assert {problem.code for problem in checked.problems} == allowed


@pytest.mark.parametrize("path", sorted((EXAMPLES / "invalid").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_invalid_example_fails_with_its_code_at_its_place(platform: Platform, path: Path) -> None:
    expected = re.findall(r"^# expect: (\S+ \d+:\d+)$", path.read_text(), re.MULTILINE)
    checked = check_file(path.read_bytes(), platform, DEFAULTS)
    found = [f"{one.code} {one.where.line}:{one.where.column}" for one in checked.problems if one.severity == "error"]
    assert expected
    assert sorted(found) == sorted(expected)


def test_every_kind_has_a_valid_example(platform: Platform) -> None:
    shown = {
        document.kind
        for path in (EXAMPLES / "valid").glob("*.yaml")
        for document in check_file(path.read_bytes(), platform, DEFAULTS).documents
    }
    written = {name for name, kind in platform.kinds.items() if kind.create or kind.apply}
    assert shown == written, "what is only observed has none"


def test_the_sample_repository_is_valid_without_any_default(gather: Callable[..., Desired]) -> None:
    desired = gather({path.name: path.read_text() for path in sorted(MANIFESTS.glob("[!.]*.yaml"))})
    assert not desired.problems
    assert sorted(key.name for key in desired.resources) == [
        "analysts-read-orders",
        "daily-etl",
        "etl-failed",
        "etl-failed-mail",
        "old-load",
        "order-events",
        "orders",
        "weekly-mail",
        "weekly-report",
    ]


def test_the_sample_repository_orders_report_after_load_and_mail_after_report(gather: Callable[..., Desired]) -> None:
    desired = gather({path.name: path.read_text() for path in sorted(MANIFESTS.glob("[!.]*.yaml"))})
    waits = {key.name: [other.name for other in one.depends_on] for key, one in desired.resources.items()}
    assert waits["weekly-report"] == ["daily-etl"] and waits["weekly-mail"] == ["weekly-report"]
