"""Examples of a definition: what stands in `valid` is clean, what stands in `invalid` is wrong exactly as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.definitions.platform import Platform
from agent.validate.examples import faults_of_invalid, faults_of_valid
from tests.unit.definitions.writing import CLOSED, shop

_GOOD = "apiVersion: shop/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 1}\n"
_BAD = _GOOD.replace("size", "sise")


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    made: Platform = shop(tmp_path, schema=CLOSED)
    return made


def valid(text: str, platform: Platform) -> list[tuple[str, str]]:
    return [(str(one.where), one.what) for one in faults_of_valid("a.yaml", text.encode(), platform)]


def invalid(text: str, platform: Platform) -> list[tuple[str, str, str | None]]:
    return [(str(one.where), one.what, one.got) for one in faults_of_invalid("a.yaml", text.encode(), platform)]


def test_a_valid_example_has_its_scope_from_defaults_unless_it_says_otherwise(platform: Platform) -> None:
    assert valid(_GOOD, platform) == []
    ((where, what),) = valid("# without defaults\n" + _GOOD, platform)
    assert where == "a.yaml:4:1"
    assert "shelf" in what


def test_a_fault_of_a_valid_example_keeps_its_place_and_names_its_code(platform: Platform) -> None:
    (problem,) = faults_of_valid("a.yaml", _BAD.encode(), platform)
    assert (problem.code, str(problem.where), problem.severity) == ("example-wrong", "a.yaml:4:8", "error")
    assert problem.why == "unknown-key; it stands in examples/valid, where nothing may be wrong"
    assert problem.fix == "did you mean `size`?"


def test_a_valid_example_holds_a_manifest(platform: Platform) -> None:
    assert valid("# nothing\n", platform) == [("a.yaml:1:1", "the example holds no manifest")]


def test_an_invalid_example_is_wrong_as_announced(platform: Platform) -> None:
    assert invalid("# expect: unknown-key 5:8\n" + _BAD, platform) == []
    assert invalid("# expect: unknown-key 5:8\r\n" + _BAD, platform) == []


def test_what_is_announced_and_not_found_or_found_and_not_announced_is_told(platform: Platform) -> None:
    assert invalid("\n# expect: unknown-key 5:8\n" + _BAD, platform) == [
        ("a.yaml:2:1", "it announces `unknown-key 5:8`, which is not found", "unknown-key 6:8"),
        ("a.yaml:6:8", "`sise` is not known", None),
    ]
    assert invalid("# expect: unknown-key 5:8\n" + _GOOD, platform) == [
        ("a.yaml:1:1", "it announces `unknown-key 5:8`, which is not found", "nothing is wrong with it")
    ]


def test_an_invalid_example_announces_something(platform: Platform) -> None:
    (problem,) = faults_of_invalid("a.yaml", _BAD.encode(), platform)
    assert (problem.what, problem.fix) == ("the example announces nothing", "# expect: unknown-key 4:8")
    ((_, what, got),) = invalid(_GOOD, platform)
    assert (what, got) == ("the example announces nothing, and nothing is wrong with it", None)


def test_bytes_that_are_no_text_are_told(platform: Platform) -> None:
    ((_, what, _),) = invalid("# expect: yaml-encoding 1:1\n", platform)
    assert "not found" in what
    assert [one.code for one in faults_of_valid("a.yaml", b"\xff\xfe\x00", platform)] == ["example-wrong"]
