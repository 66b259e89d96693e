"""What is drawn as SVG, counted out on the server: the bar of states, the meter of calls, the strip of a day. Pure.

Numbers only: the templates draw. A strict policy lets no style into a page, and attributes of SVG are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

BAR_WIDTH = 1000.0
_PART_LEAST = 8.0  # what is one in ten thousand can still be seen, and clicked
_DAY_WORDS = {
    "-": ("quiet", "nothing to do"),
    "h": ("held", "held something back"),
    "a": ("done", "changed something"),
    "i": ("invalid", "found a mistake in a manifest"),
    "f": ("failed", "failed, in part or all"),
}


class Part(NamedTuple):
    """A stretch of the bar, from the left."""

    state: str
    number: int
    x: float
    width: float


class Tick(NamedTuple):
    """One stretch of the day: its place from the left, and what it came to."""

    x: int
    width: int
    word: str


class Meter(NamedTuple):
    """A window of calls, of 100 from the left: used, then left, then kept for people."""

    used: float
    left: float
    kept: float
    words: str
    level: str


def bar(counts: Mapping[str, int]) -> list[Part]:
    """A part for each state, as wide as its share; none is too small to be seen."""
    total = sum(counts.values())
    if not total:
        return []
    widths = {state: max(_PART_LEAST, BAR_WIDTH * count / total) for state, count in counts.items() if count}
    scale = BAR_WIDTH / sum(widths.values())
    parts, x = [], 0.0
    for state, width in widths.items():
        parts.append(Part(state, counts[state], round(x, 2), round(width * scale, 2)))
        x += width * scale
    return parts


def strip(marks: str) -> list[Tick]:
    """Neighbours that are alike are drawn as one."""
    ticks: list[Tick] = []
    for place, mark in enumerate(marks):
        if mark not in _DAY_WORDS:
            continue
        word = _DAY_WORDS[mark][0]
        last = ticks[-1] if ticks else None
        if last is not None and last.word == word == "quiet" and last.x + last.width == place:
            ticks[-1] = last._replace(width=last.width + 1)
        else:
            ticks.append(Tick(place, 1, word))
    return ticks


def strip_words(marks: str, seconds: int) -> str:
    """The same for who cannot see it."""
    told = [
        f"{marks.count(mark)} × {words}" for mark, (_, words) in _DAY_WORDS.items() if mark != "-" and mark in marks
    ]
    quiet, absent = marks.count("-"), len(marks) - sum(marks.count(mark) for mark in _DAY_WORDS)
    told += [f"{quiet} × nothing to do"] if quiet else []
    told += [f"{absent} × no pass"] if absent else []
    return f"the last 24 hours, {seconds // 60} minutes each: " + ", ".join(told)


def meter(window: Mapping[str, Any], called: str, pause: str) -> Meter:
    """``called``: the window in words, such as ``this minute``; ``pause``: until it is whole again, "" if it is."""
    limit = max(1, int(window["limit"]))
    kept = max(0, limit - int(window["usable"]))
    left = min(limit - kept, max(0, int(window["left"])))
    used = limit - kept - left
    share = left / max(1, limit - kept)
    level = "low" if share < 0.1 else "short" if share < 0.35 else "well"
    words = f"{left} of {limit - kept} calls left {called}" + (f", whole again in {pause}" if pause else "")
    return Meter(100 * used / limit, 100 * left / limit, 100 * kept / limit, words, level)


def next_of(entries: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The first moments that come; looks at many targets are told by the first few."""
    return list(entries[:most])
