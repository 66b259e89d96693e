"""Every row of the fault model has a test that names it.

A test names its rows by ``@pytest.mark.row("K5")``, or at the beginning of its name (``test_c1_…``). The table is read
from the tests themselves, so that it cannot drift: ``python -m pytest tests -k row`` runs nothing else, and
``table()`` tells which tests show a row.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DESIGN = ROOT.parent / "shared" / "design" / "fault-model.md"
_LAST = {"K": 18, "A": 38, "G": 18, "S": 8, "T": 3, "H": 6, "C": 6, "L": 6}
ROWS = tuple(f"{letter}{number}" for letter, last in _LAST.items() for number in range(1, last + 1))

_IN_NAME = re.compile(r"test_([kagsthcl][0-9]{1,2})_")


@cache
def table() -> dict[str, tuple[str, ...]]:
    """Row -> the tests that name it, as ``file::test``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in _tests_of(path):
            for row in _rows_of(test):
                found[row].append(f"{path.relative_to(ROOT).as_posix()}::{test.name}")
    return {row: tuple(tests) for row, tests in found.items()}


def _tests_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _rows_of(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    named = _IN_NAME.match(test.name)
    if named:
        yield named[1].upper()
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.row":
            yield from (argument.value for argument in mark.args if isinstance(argument, ast.Constant))


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_a_test_that_names_it(row: str) -> None:
    assert table().get(row), f"no test names {row}: mark the one that shows it with @pytest.mark.row({row!r})"


def test_only_rows_that_exist_are_named() -> None:
    assert {row: tests for row, tests in table().items() if row not in ROWS} == {}


@pytest.mark.skipif(not DESIGN.exists(), reason="the design is not part of a checkout")
def test_the_rows_are_those_of_the_design() -> None:
    rows = re.findall(r"^\| \**([KAGSTHCL]\d+)\** \|", DESIGN.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(ROWS)
