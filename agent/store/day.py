"""The last day of a target as a line of letters, ten minutes each: what the worst pass of that time came to. Pure.

Kept by ``board`` with each pass and drawn by the page, so that a glance shows when something was done, when it failed
and when no agent was there at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS = 600
MARKS = 144
NOTHING = "."
_BY_RESULT = {"unchanged": "-", "held": "h", "applied": "a", "invalid": "i", "partly applied": "f", "failed": "f"}
_WORST = ".-ahif"  # a mark gives way to those after it


def day_after(day: Mapping[str, Any] | None, at: float, result: str) -> dict[str, Any]:
    """The day with one more pass, which ended ``at`` (epoch seconds) with that word of ``store.history``.

    ``{"until": number of the last ten minutes since the epoch, "marks": "…"}``; a clock that went back changes nothing.
    """
    now = int(at // SECONDS)
    marks = marks_at(day, at)
    mark = _BY_RESULT.get(result, NOTHING)
    worst = max(marks[-1], mark, key=_WORST.index)
    return {"until": now, "marks": marks[:-1] + worst}


def marks_at(day: Mapping[str, Any] | None, at: float) -> str:
    """The marks of the day that ends ``at``, oldest first; what nobody has seen is :data:`NOTHING`."""
    if not day:
        return NOTHING * MARKS
    passed = max(0, int(at // SECONDS) - int(day["until"]))
    kept = "".join(mark if mark in _WORST else NOTHING for mark in str(day["marks"]))
    return (NOTHING * MARKS + kept + NOTHING * min(passed, MARKS))[-MARKS:]
