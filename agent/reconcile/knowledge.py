"""How old the knowledge of live content is, kind by kind, against its goal; and what the budget lets it be. Pure.

Part of the status document (``status``), read by ``datakeel status`` and the page.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.stock import Aged, ByAge, by_age
from agent.reconcile.schedule import AHEAD, Goals, Rhythm


def knowledge_of(
    rows: Mapping[Key, InventoryRow],
    swept: Collection[str],
    goals: Goals,
    rhythm: Rhythm | None,
    *,
    interval_seconds: float,
    now: float,
) -> dict[str, Any]:
    """``verified_p95_seconds`` of all, ``knowledge`` of each kind, and ``looking``: what there is to look around with.

    ``knowledge``: ``kind objects unread goal_seconds p50_seconds p95_seconds max_seconds round_seconds reached``; the
    ages are None where nothing was read yet, ``round_seconds`` (the time in which each object is read once) where no
    agent is looking. ``reached`` says whether the budget lets the goal be kept. ``looking``: calls an hour that may be
    spent on looking (None: without a limit) and that all goals would take, what a look at all lists costs, how often it
    is to be had, and how often it is wanted.
    """
    aged = by_age(rows)
    kinds = [_kind(name, aged, goals(name), _round(name, swept, goals, rhythm), now) for name in aged.kinds]
    return {
        "verified_p95_seconds": _verified(aged, now),
        "knowledge": kinds,
        "looking": _looking(rhythm, interval_seconds),
    }


def _verified(aged: ByAge, now: float) -> float | None:
    """The age that nineteen in twenty of all objects are below; the twentieth are walked over."""
    every = [aged.read(name) for name in aged.kinds]
    total = sum(map(len, every))
    if not total:
        return None
    at, _ = next(islice(merge(*every), total - 1 - _rank(0.95, total), None))
    return now - at


def _kind(name: str, aged: ByAge, goal: float, round_seconds: float | None, now: float) -> dict[str, Any]:
    return {
        "kind": name,
        "objects": aged.count(name),
        "unread": len(aged.unread(name)),
        "goal_seconds": goal,
        **_ages(aged.read(name), now),
        "round_seconds": round_seconds,
        "reached": round_seconds is None or round_seconds <= goal * 1.001,
    }


def _round(name: str, swept: Collection[str], goals: Goals, rhythm: Rhythm | None) -> float | None:
    if rhythm is None:
        return None
    return AHEAD * goals(name) * rhythm.stretch if name in swept else rhythm.list_seconds


def _ages(read: Sequence[Aged], now: float) -> dict[str, float | None]:
    """``read``: the oldest first."""
    if not read:
        return {"p50_seconds": None, "p95_seconds": None, "max_seconds": None}
    last = len(read) - 1
    return {
        "p50_seconds": now - read[last - _rank(0.5, len(read))][0],
        "p95_seconds": now - read[last - _rank(0.95, len(read))][0],
        "max_seconds": now - read[0][0],
    }


def _rank(share: float, number: int) -> int:
    """The place of a percentile among so many, counted from the youngest."""
    return max(0, min(number - 1, int(number * share)))


def _looking(rhythm: Rhythm | None, interval_seconds: float) -> dict[str, Any] | None:
    if rhythm is None:
        return None
    limited = math.isfinite(rhythm.calls_per_second)
    return {
        "calls_per_hour": int(rhythm.calls_per_second * 3600) if limited else None,
        "wanted_per_hour": math.ceil(rhythm.wanted_per_second * 3600 - 1e-6),
        "reads_per_hour": round(rhythm.reads_per_second * 3600),
        "list_calls": rhythm.list_calls,
        "list_seconds": round(rhythm.list_seconds, 1),
        "list_goal_seconds": interval_seconds,
    }
