"""Whether the apply windows of a target are open, and when they open next. The only reader of cron schedules in time.

Called by ``reconcile`` when a plan's policy is put together, and by ``viewing``; the plan itself reads no clock.
Hours are those of the window's own time zone, through changes between summer and winter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent import cron
from agent.model.window import OPEN, ApplyWindow, Closed

_STARTS_SEEN = 8  # of each window, when the next opening is looked for


def closed_at(windows: Sequence[ApplyWindow], now: float) -> Closed:
    """What is closed at ``now`` (epoch seconds), and until when."""
    if not windows:
        return OPEN
    general = [window for window in windows if window.of == "writes"]
    return Closed(_closed(general, now), _closed(windows, now))


def next_turn(windows: Sequence[ApplyWindow], now: float) -> tuple[float, bool, bool] | None:
    """When what may be written changes next, and whether writes and deletes may go from then on.

    None where nothing changes within the starts that are looked at.
    """
    general = [window for window in windows if window.of == "writes"]
    before = (_is_open(general, now), _is_open(windows, now))
    for moment in sorted({moment for window in windows for moment in _edges(window, now) if moment > now}):
        after = (_is_open(general, moment), _is_open(windows, moment))
        if after != before:
            return moment, *after
    return None


def _closed(windows: Sequence[ApplyWindow], now: float) -> str:
    """Why writes that fall under these windows must wait, "" when they need not."""
    if _is_open(windows, now):
        return ""
    moments = sorted(moment for window in windows for moment in _edges(window, now))
    opening = next((moment for moment in moments if moment > now and _is_open(windows, moment)), None)
    if opening is None:
        return "outside of the target's windows, and no opening is near"
    zone = windows[0].timezone
    local = datetime.fromtimestamp(opening, ZoneInfo(zone))
    return f"outside of the target's windows until {local:%a %Y-%m-%d %H:%M} {zone}"


def _is_open(windows: Sequence[ApplyWindow], now: float) -> bool:
    """Each sort of write has its own openings; any closure that is in force shuts all of them."""
    if any(_is_in(window, now) for window in windows if not window.allows):
        return False
    for of in {window.of for window in windows if window.allows}:
        if not any(_is_in(window, now) for window in windows if window.allows and window.of == of):
            return False
    return True


def _is_in(window: ApplyWindow, now: float) -> bool:
    # A window may begin at this very moment, and what comes before a moment does not include it.
    start = _schedule(window, now + 1.0).get_prev(datetime).timestamp()
    return bool(start <= now < start + window.lasts_seconds)


def _edges(window: ApplyWindow, now: float) -> list[float]:
    """Moments at which this window begins or ends, from a little before now on."""
    schedule = _schedule(window, now - window.lasts_seconds - 1.0)
    starts = [schedule.get_next(datetime).timestamp() for _ in range(_STARTS_SEEN)]
    return [*starts, *(start + window.lasts_seconds for start in starts)]


def _schedule(window: ApplyWindow, moment: float) -> Any:
    at = datetime.fromtimestamp(moment, ZoneInfo(window.timezone))
    return cron.moments(window.cron, at)
