"""What to read again, within the budget: the oldest knowledge first, and never more than the windows let go.

Too small a budget stretches the time between reads of a spec; it never fails a pass (``platform-definitions.md`` 7.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.model.change import WindowLeft
from agent.model.identity import Key
from agent.model.inventory import InventoryRow


def due_reads(
    rows: Mapping[Key, InventoryRow],
    *,
    now: float,
    verify_seconds: float,
    budget: Iterable[WindowLeft],
    interval_seconds: float,
    fresh: bool = False,
) -> frozenset[Key]:
    """Keys whose content is older than the freshness goal, oldest first, at most this pass's share of each window.

    ``fresh`` believes nothing remembered. A pass of an agent that looks every ``interval_seconds`` may spend that share
    of a window; a tenth more is kept so that a change in git never waits for the sweep.
    """
    if fresh:
        return frozenset(rows)
    old = [key for key, row in rows.items() if row.seen_at is None or now - row.seen_at >= verify_seconds]
    allowed = min((_share(window, interval_seconds) for window in budget), default=len(old))
    if len(old) <= allowed:
        return frozenset(old)
    old.sort(key=lambda key: (rows[key].seen_at or 0.0, key))
    return frozenset(old[:allowed])


def _share(window: WindowLeft, interval_seconds: float) -> int:
    paced = window.usable * min(1.0, interval_seconds / window.window_seconds) * 0.9
    return max(1, int(min(paced, window.left * 0.9)))
