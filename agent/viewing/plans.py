"""``datakeel.plans/1``: what waits on every target after its last pass, the most dangerous first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.report.values import utc
from agent.viewing.facts import Facts, Moment, boards
from agent.viewing.states import STATES

FORMAT = "datakeel.plans/1"


def plans(facts: Facts, moment: Moment, query: Mapping[str, str]) -> dict[str, Any]:
    """``query``: ``target`` for one of them. ``waiting`` is None where no whole pass has ended yet."""
    wanted = query.get("target", "")
    found = [board for board in boards(facts, moment.now).values() if wanted in ("", board.name)]
    summary: Counter[str] = Counter()
    for board in found:
        summary.update((board.waiting or {}).get("summary") or {})
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "filters": {"target": wanted},
        "summary": {state: summary[state] for state in STATES if summary[state]},
        "targets": [
            {
                "name": board.name,
                "at": utc(board.last_pass["at"]) if board.last_pass else None,
                "error": board.status.get("error"),
                "waiting": board.waiting,
            }
            for board in found
        ],
    }
