"""The age of what is known, and what the call budget lets it be, as sentences. Called by ``status_text``.

Reads what ``reconcile/knowledge`` wrote into the status document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.report.escape import clean
from agent.report.values import counted

Document = Mapping[str, Any]


def knowledge_lines(document: Document, *, verbose: bool) -> list[str]:
    """A line for each kind whose goal is missed or out of reach, for all when ``verbose``; then the arithmetic."""
    looking = document.get("looking")
    lines = []
    for one in document.get("knowledge") or ():
        oldest = one["max_seconds"]
        if verbose or not one["reached"] or (oldest is not None and oldest > one["goal_seconds"]):
            lines.append(_ages(one))
        if not one["reached"]:
            lines.append(_out_of_reach(one, looking))
    if looking and looking["list_seconds"] > 1.01 * looking["list_goal_seconds"]:
        lines.append(
            f"lists are read every {age(looking['list_seconds'])} and not every {age(looking['list_goal_seconds'])}: "
            f"{counted(looking['list_calls'], 'call')} each, and {looking['calls_per_hour']} an hour are left for "
            f"looking of the {looking['wanted_per_hour']} wanted"
        )
    return lines


def age(seconds: float) -> str:
    """``41 s``, ``41 min``, ``1.9 h``, ``2.5 days``: close enough to see whether a goal is kept."""
    if seconds < 119.5:
        return f"{round(seconds)} s"
    if seconds < 5370:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def _ages(one: Document) -> str:
    of = f"{clean(str(one['kind']), 60)}: {counted(one['objects'], 'object')}"
    goal = f"goal {age(one['goal_seconds'])}"
    if one["max_seconds"] is None:
        return f"{of} never read yet; {goal}"
    told = f"{of} last read {age(one['p50_seconds'])} ago (half), {age(one['p95_seconds'])} (95 %), "
    unread = f"; {one['unread']} never read yet" if one["unread"] else ""
    return f"{told}{age(one['max_seconds'])} (oldest){unread}; {goal}"


def _out_of_reach(one: Document, looking: Document | None) -> str:
    text = f"{clean(str(one['kind']), 60)}: the goal of {age(one['goal_seconds'])} is out of reach"
    if looking is None or looking["calls_per_hour"] is None:
        return text
    return (
        f"{text}: of {looking['calls_per_hour']} calls an hour that may be spent on looking, "
        f"{looking['reads_per_hour']} read objects one by one, so once around takes {age(one['round_seconds'])}; "
        "a longer `verify`, a larger budget or webhooks mend it"
    )
