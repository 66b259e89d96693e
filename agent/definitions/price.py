"""What it costs to look at all objects of a kind once, and how often the platform's budget allows that.

Called by ``promise_words``. An estimate made from the definition alone: one parent, full pages, nothing changed since
the last look. What a plan says it costs is counted from the plan. Pure.
"""

from __future__ import annotations

from math import ceil

from agent.definitions.platform import BudgetRule, Kind

RESERVE = 0.2  # the target's default: what people keep of the budget


def calls_for(kind: Kind, objects: int) -> int:
    """The calls of one look at this many objects."""
    if kind.list is None:
        return objects
    size = kind.list.pages.ask if kind.list.pages.by != "none" else None
    pages = max(1, ceil(objects / size)) if size else 1
    each_is_read = kind.list.holds == "summary" and kind.get is not None and kind.list.revision is None
    return pages + (objects if each_is_read else 0)


def shortest_seconds(budget: BudgetRule, calls: int, reserve: float = RESERVE) -> float:
    """The shortest time between two looks of that many calls; every window holds, less what people keep."""
    paces = (window.seconds / (window.requests * (1 - reserve)) for window in budget.windows)
    return calls * max(paces, default=0.0)


def budget_words(budget: BudgetRule) -> str:
    """``100 calls a minute and 1,000 an hour``."""
    words = [f"{window.requests:,} {_every(window.seconds)}" for window in budget.windows]
    if not words:
        return "no limit"
    first, *others = words
    number, _, every = first.partition(" ")
    return " and ".join([f"{number} calls {every}", *others])


def seconds_words(seconds: float) -> str:
    """A time as people say it: ``2 s``, ``8 min``, ``1.5 h``, ``3 days``."""
    whole = max(1, ceil(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{ceil(whole / 60)} min"
    if whole < 172_800:
        return f"{_short(whole / 3600)} h"
    return f"{_short(whole / 86_400)} days"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _every(seconds: float) -> str:
    names = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}
    return names.get(int(seconds)) or f"in {seconds_words(seconds)}"
