"""What to read again, how often, within the budget: the oldest knowledge first, spread over the time that it may take.

Too small a budget stretches the time between reads; it never fails a pass (``platform-definitions.md`` 7.5). Pure; the
loop asks for a rhythm and for the next few keys, a single run for all that is old.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from agent.definitions.platform import Kind
from agent.model.change import WindowLeft
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.stock import Aged, ByAge, by_age

AHEAD = 0.9
"""A round takes so much of the goal: a read that waits for its turn shall not make it late."""
_SLICE_SECONDS = 30.0  # reads of so long a time go together, where that is not most of a round
_SLICE_MAX = 32
_LISTS_SHARE = 0.25  # of what is too little for everything, lists get so much at least, unless they need less

Goals = Callable[[str], float]
"""The wanted age of what is known of a kind's objects, in seconds."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often one target is looked at. ``list_calls`` is what one look at all lists costs.

    ``reads_per_second`` are by-key reads of the sweep, 0 where no kind needs any. ``stretch`` says by how much the
    freshness goals are missed: 1.0 keeps them, 2.0 takes twice as long. ``calls_per_second`` is what looking may spend
    (infinite without a known limit) and ``wanted_per_second`` what it would spend to reach every goal.
    """

    list_calls: int
    list_seconds: float
    reads_per_second: float
    stretch: float
    calls_per_second: float
    wanted_per_second: float

    @property
    def reads_at_once(self) -> int:
        """How many reads go together: a round is cut into four slices at least, and none is a burst."""
        return max(1, min(_SLICE_MAX, int(self.reads_per_second * _SLICE_SECONDS)))

    @property
    def slice_seconds(self) -> float:
        """From one slice to the next."""
        return self.reads_at_once / self.reads_per_second if self.reads_per_second else math.inf


def is_swept(kind: Kind | None) -> bool:
    """Whether only a read by key tells the content: the list shows neither the spec nor a revision, or there is none.

    All others are as fresh as their lists. A run is known by its row, and what cannot be read by key by nothing else.
    """
    if kind is None or kind.get is None or kind.is_run:
        return False
    return kind.list is None or (kind.list.holds != "full" and kind.list.revision is None)


def swept(kinds: Mapping[str, Kind]) -> set[str]:
    """The names of the kinds that are swept."""
    return {name for name, kind in kinds.items() if is_swept(kind)}


def rhythm_of(
    objects: Mapping[str, int],
    kinds: Mapping[str, Kind],
    goals: Goals,
    *,
    list_calls: int,
    interval_seconds: float,
    share: Callable[[float], float],
) -> Rhythm:
    """The rhythm of a target with so many ``objects`` of each kind. ``share`` gives calls a second, of those wanted.

    Where not everything can be had, lists keep a quarter, or what by-key reads leave over; both take longer then.
    """
    lists = list_calls / interval_seconds
    reads = sum(count / (AHEAD * goals(name)) for name, count in objects.items() if is_swept(kinds.get(name)))
    wanted = lists + reads
    allowed = share(wanted)
    if wanted <= allowed:
        return Rhythm(list_calls, interval_seconds, reads, 1.0, allowed, wanted)
    for_lists = min(lists, max(allowed * _LISTS_SHARE, allowed - reads))
    for_reads = min(reads, allowed - for_lists)
    return Rhythm(
        list_calls,
        list_calls / for_lists if for_lists else interval_seconds,
        for_reads,
        reads / for_reads if reads else 1.0,
        allowed,
        wanted,
    )


def oldest(
    rows: Mapping[Key, InventoryRow],
    kinds: Mapping[str, Kind],
    goals: Goals,
    now: float,
    number: int,
    tried: Mapping[Key, float],
) -> list[Key]:
    """The keys whose content is the oldest, measured by the goal of their kind; the one most in need first.

    ``tried`` tells when a key was last read in vain: it has its turn again when others have had theirs.
    """
    wanted = {name: goals(name) for name in swept(kinds)}
    ages = (
        ((now - max(row.seen_at or -math.inf, tried.get(key, -math.inf))) / wanted[key.kind], key)
        for key, row in rows.items()
        if key.kind in wanted
    )
    return [key for _, key in heapq.nsmallest(number, ages, key=lambda aged: (-aged[0], aged[1]))]


def due_reads(
    rows: Mapping[Key, InventoryRow],
    *,
    now: float,
    goals: Goals,
    budget: Iterable[WindowLeft],
    interval_seconds: float,
    fresh: bool = False,
    but: Collection[str] = (),
) -> frozenset[Key]:
    """Keys whose content is older than its goal, oldest first, at most a single pass's share of each window.

    ``fresh`` believes nothing remembered. ``but``: kinds that are none of this pass's business. Who looks every
    ``interval_seconds`` may spend that share of a window; a tenth more is kept so that a change in git never waits for
    the sweep.
    """
    if fresh:
        return frozenset(key for key in rows if key.kind not in but)
    aged = by_age(rows)
    old = [each for kind in aged.kinds if kind not in but for each in _older(aged, kind, now, goals(kind))]
    allowed = min((_share(window, interval_seconds) for window in budget), default=len(old))
    if len(old) <= allowed:
        return frozenset(key for _, key in old)
    return frozenset(key for _, key in sorted(old)[:allowed])


def _older(aged: ByAge, kind: str, now: float, goal: float) -> Iterator[Aged]:
    return takewhile(lambda each: now - each[0] >= goal, aged.oldest(kind))


def _share(window: WindowLeft, interval_seconds: float) -> int:
    paced = window.usable * min(1.0, interval_seconds / window.window_seconds) * 0.9
    return max(1, int(min(paced, window.left * 0.9)))
