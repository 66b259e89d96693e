"""A wall clock that jumps while the agent is at work, or between two of its lives (``design/fault-model.md`` T1).

The store holds moments of the wall clock, for they must outlive a process. Set back, some of them have not come yet;
set ahead, windows that a second ago had begun seem to be over. Either way a settle window or a doubt that may still be
open is taken to begin now: a window that lasts too long costs time, one that ends early a second object. What was read
at a moment that has not come yet may be as old as knowledge may become at all, and is due to be read again.
Called by ``beforehand``, before a pass looks at anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.apply.recover import OpenIntent
from agent.model.inventory import InventoryRow

if TYPE_CHECKING:
    from agent.reconcile.target import Target

_STEP_SECONDS = 2.0
"""What the two clocks may differ by between two passes, where nobody set one of them."""


@dataclass(slots=True)
class Moments:
    """``last``: what the wall clock and the monotonic clock said when the last pass that writes began.

    ``sent`` tells of calls in doubt since when they are, on the monotonic clock of this process.
    """

    last: tuple[float, float] | None = None
    ahead: float = 0.0
    sent: dict[str, float] = field(default_factory=dict)

    def age(self, opened: OpenIntent, wall: float, now: float) -> float:
        """Seconds since a call was sent, at the most as many as are certain; ``now`` is monotonic."""
        op_id, sent_by = opened.intent.op_id, opened.sent_by
        if op_id not in self.sent:
            told = 0.0 if self.ahead or sent_by is None else max(0.0, wall - sent_by)
            self.sent[op_id] = now - told
        return now - self.sent[op_id]


def heed_jumps(target: Target) -> None:
    """Compare the two clocks with the last pass, and begin windows anew where they say different things."""
    moments, wall, now = target.moments, target.clock.now(), target.clock.monotonic()
    before, moments.last, moments.ahead = moments.last, (wall, now), 0.0
    if before is not None:
        jumped = wall - before[0] - (now - before[1])
        if abs(jumped) < _STEP_SECONDS:
            return
        moments.ahead = max(0.0, jumped)
    rows = target.store.rows(target.name).values()
    anew = [(row, _as_of(target, row, wall, wall - moments.ahead)) for row in rows]
    changed = [new for row, new in anew if new != row]
    if changed:
        target.store.put_rows(changed)


def _as_of(target: Target, row: InventoryRow, now: float, without_jump: float) -> InventoryRow:
    """The same row where nothing in it lies ahead; ``without_jump`` is what the wall clock would say otherwise."""
    kind = target.platform.kinds.get(row.key.kind)
    seen_at, written_at, settle_until = row.seen_at, row.written_at, row.settle_until
    if seen_at is not None and seen_at > now:
        seen_at = now - target.config.goal_seconds(row.key.kind)
    is_to_come = written_at is not None and written_at > now
    is_cut_short = settle_until is not None and without_jump < settle_until <= now
    if is_to_come or is_cut_short:
        written_at = now if is_to_come else written_at
        settle_until = now + kind.settle_seconds if kind is not None else None
    return replace(row, seen_at=seen_at, written_at=written_at, settle_until=settle_until)
