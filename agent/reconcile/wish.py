"""What the caller wants of a pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.model.change import Change
from agent.model.identity import Key, Revision
from agent.model.outcome import Outcome
from agent.model.ownership import Word


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants of a pass. ``selects`` narrows it to some resources.

    ``interval_seconds`` paces freshness reads (an hour's worth for a single run); ``wait_for_all`` waits until ready.
    ``ignore_windows`` writes although the target's windows are closed, which only a person may ask for.
    ``words`` are planned as if a person had said them of single objects. ``lists_wait``: lists are not due, so that
    only what needs a look is read, by key. ``sweeps``: what is old is read too; the loop reads it between its passes.
    ``hurried``: only what git changed while a long pass was under way is read and applied.
    ``preceding`` are targets that the same command applies before this one.
    ``named`` and ``old`` are read whatever is remembered of them, since an event named them or it is their turn; a
    ``glance`` reads nothing else.
    ``patient``: what the platform refused is not sent again before an input changes, and drift that was reported is not
    read again before it is due; a person's pass does both. ``proposed``: nobody merged the revision yet.
    """

    revision: Revision | None = None
    fresh: bool = False
    careful: bool = False
    confirm_deletes: int | None = None
    confirm_changes: int | None = None
    ignore_windows: bool = False
    wait_for_all: bool = False
    interval_seconds: float = 3600.0
    selects: Callable[[Key, str], bool] | None = None
    lists_wait: bool = False
    sweeps: bool = True
    named: frozenset[Key] = frozenset()
    words: Mapping[Key, Word] = field(default_factory=dict)
    old: frozenset[Key] = frozenset()
    glance: bool = False
    hurried: bool = False
    patient: bool = False
    proposed: bool = False
    preceding: frozenset[str] = frozenset()
    stopping: Callable[[], bool] = lambda: False
    tell: Callable[[Outcome], None] = lambda outcome: None
    begin: Callable[[Change], None] = lambda change: None
