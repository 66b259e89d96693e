"""What was measured, as ratios: definitions with their targets, medians and spread, the table, the JSON.

Called by ``__main__`` and ``compare``. A ratio is taken within a round, of two measurements that ran one after the
other, and then the median over rounds: a machine that is busy for a while slows both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks.plot import SERIES

Runs = Mapping[str, list[Mapping[str, Any]]]  # path -> one measurement a round


@dataclass(frozen=True)
class Ratio:
    """``above`` over the sum of ``below``, in CPU seconds; ``target``, if any, holds at ``at`` resources and more."""

    name: str
    above: str
    below: tuple[str, ...]
    target: float | None
    at: int = 10_000


_LISTED = ("floor.parse.listed", "floor.calls.listed")
RATIOS = (
    Ratio("cold validate / bare parse", "validate.cold", ("floor.parse",), 0.75),
    Ratio("warm validate, new process / cold", "validate.warm.store", ("validate.cold",), 0.05),
    Ratio("warm validate, same process / cold", "validate.warm.process", ("validate.cold",), 0.05),
    Ratio("cold diff, lists with spec / bare parse + calls", "diff.cold.listed", _LISTED, 1.25),
    Ratio("cold diff, each read by key / bare parse + calls", "diff.cold", ("floor.parse", "floor.calls"), 1.25),
    Ratio("pull request of 3, cold / bare parse", "pull.cold", ("floor.parse",), 0.75),
    Ratio("pull request of 3, warm / bare parse", "pull.warm", ("floor.parse",), 0.05),
    Ratio("warm pass / bare lists", "pass.warm", ("floor.lists",), 2.0),
    Ratio("warm pass, all judged / bare lists", "pass.judged", ("floor.lists",), None),
    Ratio("warm pass / cold pass", "pass.warm", ("pass.cold",), 0.1),
    Ratio("one change / cold pass", "pass.one", ("pass.cold",), 0.02),
    Ratio("one change, polled / cold pass", "pass.one.polled", ("pass.cold",), 0.1),
)
STARTS = {"--help": 3.5, "version": 3.5, "status": 6.0}
STARTS_OF_ONE = ("validate", "render", "diff --offline --base HEAD")  # of one manifest and no store; no target
# From so many to ten times as many; steps of another size are shown and not judged.
GROWTH_MAX = {"pass.one": {1000: 1.5, 10_000: 2.0}, "pass.unlisted": {10_000: 2.0}, "pass.warm": {10_000: 2.0}}
PEAK_MAX = {1000: 150.0, 10_000: 150.0, 100_000: 500.0}
STORE_MAX = 2.0


@dataclass(frozen=True)
class Line:
    """One line of the table. ``met`` is None where no target holds."""

    name: str
    size: int
    value: float
    unit: str = "x"
    wall: float | None = None
    spread: float = 0.0
    target: float | None = None
    calls: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


def lines_of(measured: Mapping[str, Any]) -> list[Line]:
    """All lines that the measurements allow."""
    sizes = {int(size): found for size, found in measured["sizes"].items()}
    found = [line for size, stage in sorted(sizes.items()) for line in _of_size(size, stage)]
    found += _growth(sizes)
    for word, runs in measured.get("starts", {}).items():
        if word != "bare":
            ratios = _ratios(runs, [measured["starts"]["bare"]], "cpu")
            walls = _ratios(runs, [measured["starts"]["bare"]], "wall")
            found.append(
                Line(
                    f"{word} / bare interpreter",
                    0,
                    median(ratios),
                    "x",
                    median(walls),
                    _spread(ratios),
                    STARTS.get(word),
                )
            )
    return found


def table(lines: list[Line]) -> str:
    """The lines for people."""
    head = ("what", "size", "cpu", "spread", "wall", "target", "", "calls")
    rows = [head]
    for line in lines:
        met = {None: "", True: "met", False: "MISSED"}[line.met]
        wall = "" if line.wall is None else f"{line.wall:.3g}"
        target = "" if line.target is None else f"<= {line.target:g}"
        spread = f"{line.spread:.0%}" if line.spread else ""
        value = f"{line.value:.3g} {line.unit}".rstrip()
        rows.append((line.name, str(line.size or ""), value, spread, wall, target, met, line.calls))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _of_size(size: int, stage: Mapping[str, Any]) -> Iterator[Line]:
    runs: Runs = stage["paths"]
    for ratio in RATIOS:
        if ratio.above in runs and all(path in runs for path in ratio.below):
            below = [runs[path] for path in ratio.below]
            ratios, walls = _ratios(runs[ratio.above], below, "cpu"), _ratios(runs[ratio.above], below, "wall")
            yield Line(
                ratio.name,
                size,
                median(ratios),
                "x",
                median(walls),
                _spread(ratios),
                ratio.target if size >= ratio.at else None,
                _calls(runs[ratio.above][-1]),
            )
    own = {path: taken for path, taken in runs.items() if not path.startswith("floor.")}
    for path, taken in own.items():
        peak = median(one["peak"] for one in taken)
        yield Line(f"memory, {path}", size, peak, "MB", target=PEAK_MAX.get(size))
    if "store_bytes" in stage:
        share = stage["store_bytes"] / stage["manifest_bytes"]
        yield Line("store / manifests", size, share, "x", target=STORE_MAX if size >= 10_000 else None)
    if stage.get("populate_seconds"):
        yield Line("first apply, 1,000 creates", size, stage["populate_seconds"] / size * 1000, "s")


def _growth(sizes: Mapping[int, Mapping[str, Any]]) -> Iterator[Line]:
    for small, large in zip(sorted(sizes), sorted(sizes)[1:], strict=False):
        for path, targets in GROWTH_MAX.items():
            before, after = sizes[small]["paths"].get(path), sizes[large]["paths"].get(path)
            if before and after:
                ratios, walls = _ratios(after, [before], "cpu"), _ratios(after, [before], "wall")
                name = f"{SERIES[path][0]} among {large:,} / {small:,}"
                target = targets.get(small) if large == small * 10 else None
                yield Line(name, large, median(ratios), "x", median(walls), _spread(ratios), target)


def _ratios(above: list[Mapping[str, Any]], below: list[list[Mapping[str, Any]]], word: str) -> list[float]:
    return [one[word] / sum(other[word] for other in others) for one, *others in zip(above, *below, strict=False)]


def _spread(ratios: list[float]) -> float:
    return (max(ratios) - min(ratios)) / median(ratios) if len(ratios) > 1 else 0.0


def _calls(taken: Mapping[str, Any]) -> str:
    return " ".join(f"{purpose} {count}" for purpose, count in taken.get("by_purpose", {}).items())
