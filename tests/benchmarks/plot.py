"""Draw cost against size: ``python -m tests.benchmarks.plot MEASURED.json agent/docs/explanation/performance.svg``.

Both axes are logarithmic, so that what grows with the repository rises at 45 degrees and what does not lies flat. Text
takes the colour that suits the reader's light or dark page; lines have colours that can be told apart on both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path
from statistics import median
from typing import Any

# What is drawn, how it is called, and its colour; a floor is dashed.
SERIES = {
    "floor.parse": ("bare parse", "#8c959f"),
    "validate.cold": ("cold validate", "#d55e00"),
    "validate.warm.store": ("warm validate, new process", "#e69f00"),
    "diff.cold": ("cold diff", "#cc79a7"),
    "pull.cold": ("pull request of 3, cold", "#a371f7"),
    "pass.judged": ("warm pass, all judged", "#0969da"),
    "pass.warm": ("warm pass", "#2f81f7"),
    "pass.unlisted": ("warm pass between lists", "#54aeff"),
    "pass.one": ("one change", "#1a9e77"),
}
_WIDTH, _HEIGHT = 760, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 210, 34, 46
_LINE = 15  # pixels between two names that would else lie on each other
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.grid{stroke:#8c959f;stroke-opacity:.3}"
    "path{fill:none;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#d0d7de}}"
)

Points = Sequence[tuple[int, float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plot", description=__doc__)
    parser.add_argument("measured", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    measured = json.loads(arguments.measured.read_text(encoding="utf-8"))
    arguments.picture.write_text(drawn(measured), encoding="utf-8")
    return 0


def drawn(measured: Mapping[str, Any]) -> str:
    """The picture as SVG. ValueError where no path was measured at two sizes, since a point is no line."""
    found = {path: points for path in SERIES if len(points := _points(measured, path)) > 1}
    if not found:
        raise ValueError("no path was measured at two sizes or more")
    sizes = sorted({size for points in found.values() for size, _ in points})
    costs = [cost for points in found.values() for _, cost in points]
    axes = _Axes(sizes[0], sizes[-1], floor(log10(min(costs))), ceil(log10(max(costs))))
    body = [*_grid(axes, sizes), *_lines(axes, found)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="CPU seconds of each path against the number of manifests, both axes logarithmic">\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


class _Axes:
    """Where a size and a cost lie; costs run over whole powers of ten, ``low`` to ``high``."""

    def __init__(self, first: int, last: int, low: int, high: int) -> None:
        self.low, self.high = low, max(high, low + 1)
        self._first, self._span = log10(first), log10(last) - log10(first)

    def x(self, size: int) -> float:
        return _LEFT + (log10(size) - self._first) / self._span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, cost: float) -> float:
        return _HEIGHT - _BOTTOM - (log10(cost) - self.low) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def _points(measured: Mapping[str, Any], path: str) -> Points:
    runs = {int(size): stage["paths"].get(path, ()) for size, stage in measured["sizes"].items()}
    costs = {size: median(run["cpu"] for run in taken) for size, taken in runs.items() if taken}
    return sorted((size, cost) for size, cost in costs.items() if cost > 0)


def _grid(axes: _Axes, sizes: Sequence[int]) -> Iterator[str]:
    left, right, bottom = _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    yield f'<text x="{left - 48}" y="18">CPU seconds</text>'
    for power in range(axes.low, axes.high + 1):
        y = axes.y(10.0**power)
        yield f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    for size in sizes:
        x = axes.x(size)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>'
    yield f'<text x="{(left + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">manifests</text>'


def _lines(axes: _Axes, found: Mapping[str, Points]) -> Iterator[str]:
    free = float("-inf")
    for path, points in sorted(found.items(), key=lambda each: axes.y(each[1][-1][1])):
        name, colour = SERIES[path]
        places = [(axes.x(size), axes.y(cost)) for size, cost in points]
        way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        dashes = ' stroke-dasharray="5 4"' if path.startswith("floor.") else ""
        yield f'<path d="{way}" stroke="{colour}"{dashes}/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        free = max(places[-1][1], free + _LINE)
        x = _WIDTH - _RIGHT + 12
        yield f'<circle cx="{x}" cy="{free:.1f}" r="4" fill="{colour}"/>'
        yield f'<text x="{x + 10}" y="{free + 4:.1f}">{escape(name)}</text>'


if __name__ == "__main__":
    sys.exit(main())
