"""The agent's own look around, paced: when all lists are due, and which few objects are read meanwhile.

Called by ``loop``, once for each target. A slice of the sweep is a handful of reads that go at once or not at all, so
that a commit or an event never waits for it; what the slice finds is the matter of ``named``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import islice

import structlog

from agent.live.purpose import Purpose
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.stock import by_age, by_kind, restless
from agent.reconcile.schedule import Rhythm, oldest, rhythm_of, swept
from agent.reconcile.target import Target

_AGAIN_SECONDS = 1.0

_log = structlog.get_logger("datakeel")


class Sweep:
    """Times are monotonic. ``interval_seconds`` is how often lists are read where the budget allows it."""

    def __init__(self, target: Target, interval_seconds: float) -> None:
        self._target = target
        self._interval = interval_seconds
        self._next_at = -math.inf
        self._tried: dict[Key, float] = {}
        self._silent_slices = 0  # in a row
        self._is_told = False

    @property
    def due_at(self) -> float:
        """When the next slice may be taken."""
        return self._next_at

    def lists_at(self) -> float:
        """When all lists may be read: once they are due, and at once when the calls for all their pages are at hand."""
        target, now = self._target, self._target.clock.monotonic()
        if target.listed_at is None:
            return -math.inf
        due = target.listed_at + self._rhythm().list_seconds
        if due > now:
            return due
        wait = target.api.budget.wait_needed(Purpose.SWEEP, target.list_calls)
        return now + max(wait, _AGAIN_SECONDS) if wait > 0 else due

    def take(self) -> frozenset[Key]:
        """The keys to read now, none when calls must be left to others. It also says when the next slice is due."""
        target, now = self._target, self._target.clock.monotonic()
        rhythm = self._rhythm()
        if not rhythm.reads_per_second:
            self._next_at = now + self._interval
            return frozenset()
        budget = target.api.budget
        lists_wait = target.listed_at is None or target.listed_at + rhythm.list_seconds <= now
        number = 0 if lists_wait else budget.room(Purpose.SWEEP, 1 if self._in_trouble() else rhythm.reads_at_once)
        if not number:
            self._next_at = now + max(_AGAIN_SECONDS, budget.wait_needed(Purpose.SWEEP))
            return frozenset()
        self._next_at = now + number / rhythm.reads_per_second
        kinds, goals, wall = target.platform.kinds, target.config.goal_seconds, target.clock.now()
        # After a pass that has read everything, as the first does, there is nothing to look at yet.
        young = wall - number / rhythm.reads_per_second / 2
        rows = self._longest_unread(number)
        found = oldest(rows, kinds, goals, wall, number, self._tried)
        return frozenset(key for key in found if (rows[key].seen_at or 0.0) <= young)

    def ended(self, keys: frozenset[Key], began: float) -> None:
        """These were read, from the wall clock's moment ``began`` on. Those that told nothing wait their turn again.

        Where two slices told nothing the platform is in trouble: the next is one read, as far off as the next poll.
        """
        rows = self._target.store.rows(self._target.name)
        silent = {key for key in keys if key in rows and (rows[key].seen_at or 0.0) < began}
        self._tried = {key: at for key, at in self._tried.items() if key in rows and key not in keys}
        self._tried |= dict.fromkeys(silent, began)
        self._silent_slices = self._silent_slices + 1 if silent == keys else 0
        if self._in_trouble():
            self._next_at = max(self._next_at, self._target.clock.monotonic() + self._interval)

    def _in_trouble(self) -> bool:
        return self._silent_slices > 1

    def _kinds(self) -> set[str]:
        """Those of which nothing but a read tells; none before git was read."""
        return swept(self._target.platform.kinds) if self._target.last.desired is not None else set()

    def _longest_unread(self, number: int) -> Mapping[Key, InventoryRow]:
        """Of each such kind the ``number`` that were read the longest ago, and all that were tried in vain; without
        what each pass reads anyway because it is not as git says."""
        rows = self._target.store.rows(self._target.name)
        aged, left_out = by_age(rows), self._left_out(rows)
        found = [key for key in self._tried if key in rows and key not in left_out]
        for kind in self._kinds():
            fitting = (key for _, key in aged.oldest(kind) if key not in left_out and key not in self._tried)
            found += islice(fitting, number)
        return {key: rows[key] for key in found}

    def _left_out(self, rows: Mapping[Key, InventoryRow]) -> set[Key]:
        """What each pass reads anyway: it is not as git says, or has left git."""
        desired = self._target.last.desired
        gone = self._target.apart.between(desired.resources, rows).gone if desired is not None else rows
        return {key for key, row in restless(rows).items() if not _rests(row)}.union(gone)

    def _rhythm(self) -> Rhythm:
        """As things are now; the target keeps it for those who tell people."""
        target = self._target
        rows, kinds = target.store.rows(target.name), self._kinds()
        objects = Counter({kind: count for kind, count in by_kind(rows).items() if kind in kinds})
        objects.subtract(key.kind for key in self._left_out(rows) if key.kind in kinds)
        target.rhythm = rhythm_of(
            +objects,
            target.platform.kinds,
            target.config.goal_seconds,
            list_calls=target.list_calls,
            interval_seconds=self._interval,
            share=lambda wanted: target.api.budget.share(target.name, wanted),
        )
        self._tell(target.rhythm)
        return target.rhythm

    def _tell(self, rhythm: Rhythm) -> None:
        """Once, with the sum, that the interval asks for more than there is; ``status`` tells it at any time."""
        stretched = rhythm.list_seconds > 1.01 * self._interval
        if stretched and not self._is_told:
            _log.warning(
                "interval.stretched",
                target=self._target.name,
                interval_seconds=self._interval,
                list_seconds=round(rhythm.list_seconds, 1),
                list_calls=rhythm.list_calls,
                calls_per_hour=int(rhythm.calls_per_second * 3600),
                wanted_per_hour=math.ceil(rhythm.wanted_per_second * 3600),
            )
        self._is_told = stretched


def _rests(row: InventoryRow) -> bool:
    """Whether nobody waits for a read of it: it is as git says, or it was told that it is not and stays so."""
    return row.in_sync or row.reported is not None
