"""A wall clock that was set back leaves moments in the store that have not come yet (``design/fault-model.md`` T1).

Whatever began at such a moment is taken to have begun now. Else a settle window of seconds would last for as long as
the clock was set back: reads that differ would count as lagging, and nothing old enough would be read again.
Called by ``beforehand``, before a pass looks at anything.
"""

from __future__ import annotations

from dataclasses import replace

from agent.model.inventory import InventoryRow
from agent.reconcile.target import Target


def begin_anew(target: Target) -> None:
    """Rows are looked through when this process has not done so, or its clock tells less than when it last did."""
    now = target.clock.now()
    if target.latest is not None and now >= target.latest:
        target.latest = now
        return
    target.latest = now
    ahead = [row for row in target.store.rows(target.name).values() if _latest_of(row) > now]
    if ahead:
        target.store.put_rows(_as_of(target, row, now) for row in ahead)


def _latest_of(row: InventoryRow) -> float:
    return max(row.seen_at or 0.0, row.written_at or 0.0)


def _as_of(target: Target, row: InventoryRow, now: float) -> InventoryRow:
    kind = target.platform.kinds.get(row.key.kind)
    written_at, settle_until = row.written_at, row.settle_until
    if written_at is not None and written_at > now:
        written_at, settle_until = now, now + kind.settle_seconds if kind is not None else None
    seen_at = None if row.seen_at is None else min(row.seen_at, now)
    return replace(row, seen_at=seen_at, written_at=written_at, settle_until=settle_until)
