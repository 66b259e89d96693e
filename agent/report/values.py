"""JSON values, long strings, ages and counts as people read them in a report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from agent.report.escape import clean

Paint = Callable[[str, str], str]  # role, text -> text, coloured or not

VALUE_WIDTH = 100
_BARE_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NOT_BARE = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_LIST_WIDTH = 40  # a shorter list is told on one line, with what it was
_ITEM_WIDTH = 300
_DIFF_LINES_MAX = 40
_COMPARED_MAX = 400  # lines of both sides: comparing takes the third power of them when somebody means ill


def plain(role: str, text: str) -> str:
    """The paint that adds no colour."""
    return text


def show(value: Any, width: int | None = VALUE_WIDTH) -> str:
    """A value on one line. Strings are always quoted at the top, so that ``"3"`` and ``3`` differ."""
    return clean(_flow(value, top=True), width)


def _flow(value: Any, *, top: bool = False) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if not top and _BARE_WORD.fullmatch(value) and value.lower() not in _NOT_BARE:
            return value
        return _quoted(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(member) for member in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(member)}" for key, member in value.items()) + "}"
    return str(value)  # integers and decimals, with their own digits


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def is_long(before: Any, after: Any, *, added: bool = False) -> bool:
    """Whether a change is better shown line by line: of a text of several lines, or of a list that fills a line.

    ``added``: there was nothing before.
    """
    if isinstance(after, str):
        return "\n" in after if added else isinstance(before, str) and ("\n" in before or "\n" in after)
    if not isinstance(after, list) or not (added or isinstance(before, list)):
        return False
    return len(show(after if added else before, None)) > _LIST_WIDTH


def line_diff(before: Any, after: Any, *, full: bool = False) -> tuple[str, list[str]]:
    """``12 lines, 1 changed`` and the changed lines with one line around them, each led by ``| ``.

    Of lists it is ``4 items, 1 changed``, an item a line. ``before`` is None where a text is new as a whole.
    """
    import difflib

    old, new = _lines(before), _lines(after)
    noun = "item" if isinstance(after, list) else "line"
    first, last = _alike(old, new)
    if len(old) + len(new) - 2 * (first + last) > _COMPARED_MAX:
        return f"{counted(len(old), noun)}, now {len(new)}, too many of them changed to be shown", []
    total = len(new)
    # What is alike at both ends is not compared again, but for the line around what is shown.
    old, new = (side[max(0, first - 1) : len(side) - max(0, last - 1)] for side in (old, new))
    groups = list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(1))
    lines: list[str] = []
    changed = 0
    for number, group in enumerate(groups):
        if number:
            lines.append("| …")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += [f"|   {clean(line)}" for line in old[old_from:old_to]]
                continue
            changed += max(old_to - old_from, new_to - new_from)
            lines += [f"| - {clean(line)}" for line in old[old_from:old_to]]
            lines += [f"| + {clean(line)}" for line in new[new_from:new_to]]
    if not groups:
        return "differs only in line ends" if noun == "line" else "differs only in how it is written", []
    if not full and len(lines) > _DIFF_LINES_MAX:
        rest = len(lines) - _DIFF_LINES_MAX
        lines = [*lines[:_DIFF_LINES_MAX], f"| … {rest} more lines (--full)"]
    told = counted(total, noun)
    return told if before is None else f"{told}, {changed} changed", lines


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [show(each, _ITEM_WIDTH) for each in value]
    return value.splitlines() if isinstance(value, str) else []


def _alike(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are alike at the beginning and, behind those, at the end."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    last = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    return first, last


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The value itself, or the leaves of a nested mapping with their paths."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{path}.{key}", member) for key, member in reversed(value.items())]
        else:
            yield path, value


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 call``, ``2 calls``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """``38 s``, ``6 min``, ``3 h``, ``2 days``: the largest unit that is at least one, rounded down."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 2 * 86400:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} days"


def about(seconds: float) -> str:
    """``38 s``, ``6 min``, ``1.5 h``: rounded, for what lies ahead."""
    if seconds < 55:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def moment(at: float | None, now: float | None) -> str:
    """``3 min ago`` or ``in 12 s`` on a terminal (``now`` given), the date in UTC elsewhere; ``-`` when unknown."""
    if at is None:
        return "-"
    if now is None:
        return utc(at)
    return f"in {duration(at - now)}" if at > now else f"{duration(now - at)} ago"


def utc(at: float) -> str:
    """The moment as ``2026-03-04T10:01:00Z``."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def window_word(seconds: float) -> tuple[str, str]:
    """How a rate window is called: in ``54 of 80 left this minute`` and in ``54/min``."""
    known = {1: ("this second", "s"), 60: ("this minute", "min"), 3600: ("this hour", "hour"), 86400: ("today", "day")}
    return known.get(int(seconds), (f"in {seconds:g} s", f"{seconds:g} s"))


def table(rows: list[list[str]], *, last_wraps: bool = True) -> list[str]:
    """Columns two blanks apart; no blanks at the end of a line."""
    if not rows:
        return []
    columns = len(rows[0]) - (1 if last_wraps else 0)
    widths = [max(len(row[column]) for row in rows) for column in range(columns)]
    return ["  ".join(cell.ljust(width) for cell, width in _paired(row, widths)).rstrip() for row in rows]


def _paired(row: list[str], widths: list[int]) -> list[tuple[str, int]]:
    return [(cell, widths[index] if index < len(widths) else 0) for index, cell in enumerate(row)]
