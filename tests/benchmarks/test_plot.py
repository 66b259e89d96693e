"""The picture of costs: every measured path has a line, what is flat lies flat, and names do not lie on each other."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from tests.benchmarks.plot import SERIES, drawn

_SVG = "{http://www.w3.org/2000/svg}"


def measured(**costs: tuple[float, float]) -> dict:
    """Each path at 100 and at 1,000."""
    paths = {path.replace("_", "."): cost for path, cost in costs.items()}
    return {
        "sizes": {
            str(size): {"paths": {path: [{"cpu": cost[place]}] for path, cost in paths.items()}}
            for place, size in enumerate((100, 1000))
        }
    }


def picture(**costs: tuple[float, float]) -> ElementTree.Element:
    return ElementTree.fromstring(drawn(measured(**costs)))


def test_what_does_not_grow_lies_flat_and_what_does_rises() -> None:
    found = picture(pass_one=(0.1, 0.1), floor_parse=(0.01, 0.1)).iter(f"{_SVG}path")
    ways = {"rising" if path.get("stroke-dasharray") else "flat": path.get("d", "") for path in found}
    heights = [[float(place.split()[1]) for place in ways[name][1:].split("L")] for name in ("flat", "rising")]
    assert heights[0][0] == heights[0][1] == heights[1][1] < heights[1][0]


def test_names_of_lines_that_end_together_are_apart() -> None:
    found = picture(pass_one=(0.1, 0.5), pass_warm=(0.1, 0.5), diff_cold=(0.1, 0.5))
    names = {name for name, _ in SERIES.values()}
    heights = sorted(float(text.get("y", "0")) for text in found.iter(f"{_SVG}text") if text.text in names)
    assert len(heights) == 3
    assert all(after - before >= 12 for before, after in pairwise(heights))


def test_one_size_is_no_line() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        drawn({"sizes": {"100": {"paths": {"pass.one": [{"cpu": 0.1}]}}}})
