"""A commit that comes while a long pass is under way: what it changed goes first, and what was learnt is kept.

``loop`` ends the long pass and asks for a short one over the keys of :meth:`Fresh.first`; ``once`` tells what git has
changed and what was read. Nothing here outlives the process: a new one looks at everything anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.live.budget import Budget
from agent.live.bulk import FEW
from agent.live.memory import Memory
from agent.live.purpose import Purpose
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import SUPERSEDED, Outcome, Report, Result
from agent.model.resource import Absent, Desired, Observation, Observed, Present

_KEPT_SECONDS = 3600.0  # each write looks once more, whatever the plan stands on


@dataclass(slots=True)
class Fresh:
    """``cut``: the last pass was cut short. ``changed``: resources of the commits since then, the newest commit's last.

    ``looks``: what was read and not acted upon, with the monotonic moment.
    """

    cut: bool = False
    changed: dict[Key, None] = field(default_factory=dict)
    looks: dict[Key, tuple[float, Observation]] = field(default_factory=dict)

    def note(self, before: Desired | None, desired: Desired) -> None:
        """Git has moved on, perhaps in the middle of a pass."""
        if not self.cut or before is None or before.revision == desired.revision:
            return
        known = before.resources
        for key, resource in desired.resources.items():
            if key not in known or known[key].digest != resource.digest:
                self.changed.pop(key, None)
                self.changed[key] = None

    def first(self, desired: Desired, rows: Mapping[Key, InventoryRow]) -> frozenset[Key]:
        """What can go before everything else, a few at the most.

        Edits of what is live may. What is new may where nothing leaves git, since it could be the same object by
        another name, and where all that it depends on is there or goes with it.
        """
        leaves = any(key not in desired.resources for key in rows)
        found: dict[Key, None] = {}
        for key in reversed(self.changed):
            resource, row = desired.resources.get(key), rows.get(key)
            if resource is None or resource.lifecycle.moved_from is not None:
                continue
            if not leaves if row is None else row.applied_digest != resource.digest:
                found[key] = None
            if len(found) == FEW:
                break
        while lacking := [key for key in found if not rows.keys() | found.keys() >= {*_needs(desired, key)}]:
            for key in lacking:
                del found[key]
        return frozenset(found)

    def believed(self, memory: Memory, desired: Desired, now: float, *, hurried: bool) -> Memory:
        """The memory of a pass that comes after one that was cut short; ``hurried``: of the short one in between."""
        if hurried:
            return replace(memory, only=self.first(desired, memory.rows))
        again = memory.due | memory.named
        found = {}
        for key, (at, seen) in self.looks.items():
            # Nothing of ours may have happened to it since.
            written = memory.rows[key].written_at if key in memory.rows else memory.tombstones.get(key)
            if key not in again and now - at < _KEPT_SECONDS and (written is None or written < _seen_at(seen)):
                found[key] = seen
        return replace(memory, kept=found)

    def since(self, keys: Iterable[Key], now: float) -> float:
        """The moment of the oldest of these looks."""
        return min((self.looks[key][0] for key in keys), default=now)

    def keep(self, observed: Observed, outcomes: Iterable[Outcome], doubted: Iterable[Key], began: float) -> None:
        """A pass was cut short: what it has read, and neither found well nor acted upon, is read already.

        ``doubted`` had a write under way, which may have landed after the look: that says nothing of what came of it.
        """
        acted = {each.change.key for each in outcomes if each.result not in (Result.SKIPPED, Result.HELD)}
        acted.update(doubted)
        looks = {
            key: (self.looks[key][0] if key in self.looks and self.looks[key][1] is seen else began, seen)
            for key, seen in observed.observations.items()
            if key not in acted and _is_read(seen)
        }
        self.looks, self.cut = looks, True

    def forget(self) -> None:
        """A pass has come to its end: all of git is dealt with, as far as it can be."""
        self.cut = False
        self.changed.clear()
        self.looks.clear()


def left_over(report: Report | None) -> int:
    """How many resources a pass that was cut short has left to the next one."""
    if report is None or report.plan is None:
        return 0
    return report.plan.later + sum(each.code == SUPERSEDED for each in report.outcomes)


def _needs(desired: Desired, key: Key) -> tuple[Key, ...]:
    return desired.resources[key].depends_on


def _is_read(seen: Observation) -> bool:
    return (isinstance(seen, Present) and seen.is_read) or (isinstance(seen, Absent) and seen.proof != "parent")


def _seen_at(seen: Observation) -> float:
    return (seen.seen_at if isinstance(seen, Present | Absent) else None) or 0.0


def is_long(budget: Budget, resources: int) -> bool:
    """Whether so many resources take their time: a look, a write and its confirmation each, perhaps a second look."""
    return resources > FEW or (resources > 0 and budget.wait_needed(Purpose.READ, 4 * resources) > 0)
