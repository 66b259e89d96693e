"""Real manifests, whole and broken; and the same reading as PyYAML's where input is accepted."""

from __future__ import annotations

import csv
import datetime
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Problem
from agent.yaml_io import load

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "dataos"
ROWS = list(csv.DictReader((CORPUS / "index.csv").read_text().splitlines())) if CORPUS.is_dir() else []
pytestmark = pytest.mark.skipif(not ROWS, reason="the corpora of real manifests are not beside this checkout")
BETTER = {"yaml-template", "yaml-tab"}


def read(row: dict[str, str]) -> tuple[bytes, list[Problem], list[Any]]:
    source = (CORPUS / row["file"]).read_bytes()
    loaded = load(source)
    return source, [p for p in loaded.problems if p.severity == "error"], [d.value for d in loaded.documents]


def test_every_broken_file_has_an_error_at_its_fault() -> None:
    far = []
    for row in ROWS:
        if not row["file"].startswith("broken/"):
            continue
        _, errors, _ = read(row)
        assert errors, row
        near = any(abs((error.where.line or 0) - int(row["line"])) <= 1 and error.where.column for error in errors)
        if not near and errors[0].code not in BETTER:
            far.append((row, errors))
    assert far == []


def test_valid_files_have_errors_only_for_duplicate_keys() -> None:
    for row in ROWS:
        if row["file"].startswith("valid/"):
            _, errors, _ = read(row)
            if row["fault"]:
                assert {error.code for error in errors} == {"yaml-duplicate-key"}, row
                assert int(row["line"]) in {error.where.line for error in errors}, row
            else:
                assert errors == [], row


def test_no_file_takes_longer_than_50_ms() -> None:
    for row in ROWS:
        source = (CORPUS / row["file"]).read_bytes()
        started = time.process_time()
        load(source)
        assert time.process_time() - started < 0.05, row


def same(ours: Any, theirs: Any) -> bool:
    """Equal but for what we document: ambiguous scalars and dates stay text, fractions are decimals."""
    if isinstance(ours, dict):
        keys = {str(key) if not isinstance(key, bool) else key: member for key, member in theirs.items()}
        return len(ours) == len(theirs) and all(
            same(member, keys[key] if key in keys else keys[key.lower() in {"yes", "on", "y"}])
            for key, member in ours.items()
        )
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Decimal):
        return float(ours) == theirs
    if isinstance(ours, str) and not isinstance(theirs, str):
        loaded = load(b"a: " + ours.encode())
        ambiguous = bool(loaded.problems) and loaded.problems[0].code == "yaml-ambiguous"
        return ambiguous or isinstance(theirs, datetime.date)
    return bool(ours == theirs) and type(ours) is type(theirs)


def test_accepted_files_have_the_values_that_pyyaml_reads() -> None:
    compared = 0
    for row in ROWS:
        source, errors, values = read(row)
        if not errors:
            theirs = list(yaml.load_all(source, Loader=yaml.CSafeLoader))
            assert len(values) == len(theirs)
            assert all(map(same, values, theirs)), row
            compared += 1
    assert compared > 350


PIECES = st.sampled_from(
    [
        *"a|'\"[]{},1>#\t~\\é%@",
        "b: ",
        "- ",
        "\n",
        "  ",
        ": ",
        "&x ",
        "*x",
        "!!str ",
        "1.5",
        "yes",
        "---\n",
        "? ",
        "<<: ",
        "{{",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_gives_values_or_a_problem_with_its_place(text: str) -> None:
    loaded = load(text.encode())
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    assert all(problem.where.line and problem.where.column for problem in errors)
    try:
        theirs = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        return
    if not errors:
        assert all(map(same, [document.value for document in loaded.documents], theirs))
