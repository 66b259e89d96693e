"""Values keep their type in sight; long texts differ by lines; ages are words on a terminal and dates elsewhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent.report import values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3", '"3"'),
        (3, "3"),
        (True, "true"),
        (None, "null"),
        (Decimal("1.10"), "1.10"),
        (10**30, "1" + "0" * 30),
        (["finance", "no", "a b", "3"], '[finance, "no", "a b", "3"]'),
        ({"stack": "flare:7.0", "x y": [1]}, '{stack: "flare:7.0", "x y": [1]}'),
        ("a\nb", '"a\\nb"'),
        ("\u202e", '"\\u202e"'),
        ({}, "{}"),
    ],
)
def test_a_value_shows_its_type(value: Any, text: str) -> None:
    assert values.show(value) == text


def test_a_value_is_cut_at_its_width() -> None:
    assert values.show("a" * 98) == '"' + "a" * 98 + '"'
    assert len(values.show("a" * 99)) == 100
    assert values.show("a" * 99).endswith("…")
    assert values.show("a" * 500, None).endswith('a"')


def test_a_line_diff_shows_the_change_and_one_line_around_it() -> None:
    before = "\n".join(f"line {n}" for n in range(12))
    after = before.replace("line 2", "::error::two").replace("line 9", "nine")
    told, lines = values.line_diff(before, after)
    assert told == "12 lines, 2 changed"
    assert lines == [
        "|   line 1",
        "| - line 2",
        "| + \\::error::two",
        "|   line 3",
        "| …",
        "|   line 8",
        "| - line 9",
        "| + nine",
        "|   line 10",
    ]


def test_a_long_line_diff_is_cut_and_says_so() -> None:
    _, lines = values.line_diff("\n".join("a" * 30), "\n".join("b" * 30))
    assert len(lines) == 41
    assert lines[-1] == "| … 20 more lines (--full)"
    _, full = values.line_diff("\n".join("a" * 30), "\n".join("b" * 30), full=True)
    assert len(full) == 60


def test_texts_that_differ_in_line_ends_only_are_told() -> None:
    assert values.line_diff("a\n", "a") == ("differs only in line ends", [])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172799, "47 h"), (172800, "2 days")],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert values.duration(seconds) == text


def test_a_moment_is_an_age_only_where_the_time_is_given() -> None:
    assert values.moment(100.0, 160.0) == "1 min ago"
    assert values.moment(100.0, 62.0) == "in 38 s"
    assert values.moment(0.0, None) == "1970-01-01T00:00:00Z"
    assert values.moment(None, 5.0) == "-"


def test_a_table_lines_up_and_ends_no_line_in_blanks() -> None:
    assert values.table([["a", "bbb", "c"], ["aaaa", "b", ""]]) == ["a     bbb  c", "aaaa  b"]


def test_many_changed_lines_are_counted_and_not_compared() -> None:
    begin, end = [str(line) for line in range(3_000)], [f"e{line}" for line in range(3_000)]
    few = values.line_diff("\n".join([*begin, "a", *end]), "\n".join([*begin, "b", "c", *end]))
    assert few == ("6002 lines, 2 changed", ["|   2999", "| - a", "| + b", "| + c", "|   e0"])
    many = values.line_diff("\n".join(["a", "b"] * 500), "\n".join(["b", "a", "c"] * 500))
    assert many == ("1000 lines, now 1500, too many of them changed to be shown", [])
    assert values.line_diff("a\na", "a\na\na")[0] == "3 lines, 1 changed"
