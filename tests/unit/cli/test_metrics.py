"""Series as plots for the eye, as rows for programs of text, as JSON for the rest."""

from __future__ import annotations

from decimal import Decimal

from agent.cli.verbs.metrics import blocks, documents, plots, rows
from agent.live.actions import Point, Series

CPU = Series(
    {"metric": "base.cpu", "source": "web-1"},
    tuple(Point(1_700_000_000.0 + index * 60, Decimal(index), "%") for index in range(8)),
)
EMPTY = Series({}, (Point(None, None),))


def numbers(*values: int | None) -> list[Decimal | None]:
    return [None if value is None else Decimal(value) for value in values]


def test_blocks_rise_with_the_values() -> None:
    assert blocks(numbers(0, 1, 2, 3, 4, 5, 6, 7)) == "▁▂▃▄▅▆▇█"
    assert blocks(numbers(0, None, 7)) == "▁ █"
    assert blocks(numbers(5, 5)) == "▁▁"
    assert blocks(numbers(None)) == "" and blocks([]) == ""


def test_more_values_than_columns_are_averaged() -> None:
    assert blocks(numbers(0, 0, 7, 7), width=2) == "▁█"
    assert len(blocks([Decimal(value) for value in range(1000)])) == 60


def test_a_plot_tells_least_greatest_and_last() -> None:
    assert plots((CPU, EMPTY)) == (
        "metric=base.cpu  source=web-1\n  ▁▂▃▄▅▆▇█  min 0%  max 7%  last 7%\nseries\n  no values\n"
    )
    assert plots(()) == "no series\n"


def test_rows_have_a_point_each() -> None:
    lines = rows((replace_points(CPU, 1), EMPTY)).splitlines()
    assert lines[0].split() == ["TIME", "VALUE", "UNIT", "SERIES"]
    assert lines[1].split() == ["2023-11-14T22:13:20Z", "0", "%", "metric=base.cpu", "source=web-1"]
    assert lines[2].split() == ["-", "-", "-", "-"]


def test_hostile_labels_and_units_are_harmless() -> None:
    hostile = Series({"\x1b[2J": "a\n::error::b"}, (Point(0.0, Decimal("1.5"), "\x1b"),))
    for text in (plots((hostile,)), rows((hostile,))):
        assert "\x1b" not in text and "\n::" not in text


def test_a_document_keeps_all_digits() -> None:
    series = Series({"metric": "m"}, (Point(0.0, Decimal("1.23456789"), ""), Point(None, None)))
    assert documents((series,)) == [
        {
            "labels": {"metric": "m"},
            "points": [
                {"time": "1970-01-01T00:00:00Z", "value": Decimal("1.23456789"), "unit": None},
                {"time": None, "value": None, "unit": None},
            ],
        }
    ]


def replace_points(series: Series, count: int) -> Series:
    return Series(series.labels, series.points[:count])
