"""How old the knowledge of live content is, kind by kind, against its goal; and what the budget lets it be. Pure.

Part of the status document (``status``), read by ``datakeel status`` and the page.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
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
    moments: dict[str, list[float | None]] = {}
    for key, row in rows.items():
        moments.setdefault(key.kind, []).append(row.seen_at)
    kinds = [
        _kind(name, moments[name], goals(name), _round(name, swept, goals, rhythm), now) for name in sorted(moments)
    ]
    p95 = _ages((moment for some in moments.values() for moment in some), now)["p95_seconds"]
    return {"verified_p95_seconds": p95, "knowledge": kinds, "looking": _looking(rhythm, interval_seconds)}


def _kind(
    name: str, moments: list[float | None], goal: float, round_seconds: float | None, now: float
) -> dict[str, Any]:
    return {
        "kind": name,
        "objects": len(moments),
        "unread": moments.count(None),
        "goal_seconds": goal,
        **_ages(moments, now),
        "round_seconds": round_seconds,
        "reached": round_seconds is None or round_seconds <= goal * 1.001,
    }


def _round(name: str, swept: Collection[str], goals: Goals, rhythm: Rhythm | None) -> float | None:
    if rhythm is None:
        return None
    return AHEAD * goals(name) * rhythm.stretch if name in swept else rhythm.list_seconds


def _ages(moments: Iterable[float | None], now: float) -> dict[str, float | None]:
    ages = sorted([now - moment for moment in moments if moment is not None])
    if not ages:
        return {"p50_seconds": None, "p95_seconds": None, "max_seconds": None}
    last = len(ages) - 1
    return {
        "p50_seconds": ages[min(last, len(ages) // 2)],
        "p95_seconds": ages[min(last, int(len(ages) * 0.95))],
        "max_seconds": ages[last],
    }


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
