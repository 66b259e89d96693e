"""Turns at targets in virtual time: what is done, how long it takes, what it spends. Between ``world`` and ``play``.

What decides is the agent's own code: :func:`rhythm_of`, :class:`Budget` with its windows, and the ledger's
:class:`Account`. What takes time are calls, transactions, git and the processor, at measured costs (``measure``).
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from heapq import heappush
from typing import Any

from agent.live.account import LATE_SECONDS, Account
from agent.live.budget import Budget
from agent.live.bulk import FEW
from agent.live.purpose import Purpose
from agent.model.spending import Spent
from agent.reconcile.schedule import AHEAD, Rhythm, rhythm_of
from tests.simulation.fleet.alarms import Alarms
from tests.simulation.fleet.costs import Costs
from tests.simulation.fleet.told import Told
from tests.simulation.fleet.world import DAY, World, platform_of

_AT_ONCE = 8  # calls in flight of one target
_CALLS_A_CHANGE = 3  # look, write, confirm: counted in ``measure``


class Now:
    """The clock of all budgets."""

    time = 0.0

    def now(self) -> float:
        return self.time

    monotonic = now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a simulated budget is asked, and never waited for")


@cache
def chunks_of(calls: int) -> int:
    """Rows of the ledger, each a transaction of its own, for so many calls in a row."""
    rows: list[int] = []

    class Counting:
        def spent(self, credential: str, since: float) -> Spent:
            return Spent([], 0)

        def spend(self, credential: str, at: float, calls: int, after: int) -> Spent:
            rows.append(calls)
            return Spent([], after)

    account = Account(Counting(), "one", Now(), LATE_SECONDS, lambda error: None)
    for _ in range(calls):
        account.take(1000)
    account.give_back()
    return len(rows)


@dataclass(slots=True)
class Replica:
    """One process. ``queue`` are the targets of the round under way that have something to do, the first one last; of
    one that ``walks`` since there is a commit, every target has its turn or is passed.
    """

    number: int
    free: int  # turns that may begin
    mine: bytearray  # the targets that it believes to be the home of
    known: bytearray  # and those whose manifests it has read
    due: Alarms
    queue: list[int] = field(default_factory=list)
    walks: bool = False
    place: int = -1
    passes: bool = False  # it asks git for news to pass on, of the target at its place
    seen: int = 0  # commits
    alive: bool = True
    wake_at: float = math.inf
    cpu_until: float = 0.0
    cpu: float = 0.0
    busy: float = 0.0
    walked: float = 0.0  # of that, for commits that are about others
    looked: float = 0.0  # processor seconds, for what others have told of
    since: float = 0.0

    @property
    def name(self) -> str:
        return f"r{self.number}"

    @property
    def is_idle(self) -> bool:
        """Whether it may begin something."""
        return self.alive and self.free > 0 and not self.walks

    def works(self, now: float, cpu: float) -> float:
        """When the processor is through with it: one thread of Python for all turns of a process."""
        self.cpu += cpu
        self.cpu_until = max(self.cpu_until, now) + cpu
        return self.cpu_until


@dataclass(slots=True)
class Turn:
    """``waited``: nobody came for the target, or somebody has hastened it. ``foreign``: another had it before."""

    replica: Replica
    target: int
    began: float
    seen: int
    waited: bool
    foreign: bool
    sort: str = ""
    edits: int = 0  # how many have been written in it


class Turns:
    """All targets, a column for each thing that is known of them, and what a turn does to them."""

    def __init__(self, world: World, replicas: int, costs: Costs) -> None:
        plan = world.plan
        self.world, self.plan, self.costs = world, plan, costs
        self.chance = random.Random(f"play/{plan.seed}/{replicas}")
        self.clock = Now()
        self.lease, self.patience = plan.lease, plan.patience
        self.count, self.end = plan.targets, plan.days * DAY
        self.told = Told(world, replicas, self.end)
        self.events: list[tuple[float, int, str, Any]] = []
        self.number = 0
        n = self.count
        self.budgets: dict[int, Budget] = {}
        self.spent: Counter[int] = Counter()
        self.rhythms = self._rhythms()
        self.poll_due, self.sweep_due = array("d", [0.0]) * n, array("d", [math.inf]) * n
        self.due_at = array("d", [0.0]) * n
        self.listed_at, self.known_at = array("d", [-math.inf]) * n, array("d", [0.0]) * n
        self.home, self.worker = array("l", [-1]) * n, array("l", [-1]) * n
        self.holder, self.epoch = array("l", [-1]) * n, array("l", [0]) * n
        self.lease_until = array("d", [0.0]) * n
        self.about = array("l", [0]) * n  # the commit of the last turn, by its number
        self.pending: dict[int, list[list[float]]] = {}
        self.committed = 0
        self.first = world.first_of
        self.ring = array("l", [0]) * n
        self.seen_at = array("d", [0.0]) * self.first[-1]
        for target, rhythm in enumerate(self.rhythms):
            self.known_at[target] = -self.chance.random() * plan.interval
            count, age = world.swept[target], AHEAD * plan.goal * rhythm.stretch
            for place in range(count):
                self.seen_at[self.first[target] + place] = -age * (1 - place / count)

    def _rhythms(self) -> list[Rhythm]:
        plan, world = self.plan, self.world

        def rhythm(target: int) -> Rhythm:
            platform, credential = platform_of(world.platforms[target]), world.credentials[target]
            if credential not in self.budgets:
                windows = platform.budget.windows
                self.budgets[credential] = Budget(windows, plan.reserve, self.clock, None, str(credential))
            budget = self.budgets[credential]
            return rhythm_of(
                world.objects[target],
                platform.kinds,
                lambda kind: plan.goal,
                list_calls=world.list_calls[target],
                interval_seconds=plan.interval,
                share=lambda wanted: budget.share(str(target), wanted),
            )

        for target in range(self.count):
            rhythm(target)
        found = [rhythm(target) for target in range(self.count)]  # now that all have said what they want
        self.told.stretched = sum(each.stretch > 1.0 or each.list_seconds > plan.interval for each in found)
        return found

    def at(self, time: float, what: str, about: Any) -> None:
        self.number += 1
        heappush(self.events, (time, self.number, what, about))

    def begin(self, turn: Turn, now: float, inherited: bool) -> None:
        """``Loop._turn`` and ``Sweep.take``, by the same rules: what is to be read now, and until when that takes."""
        target, replica, world, told, costs = turn.target, turn.replica, self.world, self.told, self.costs
        whole = turn.foreign or turn.waited or replica.walks or self.poll_due[target] <= now
        edits = whole and target in self.pending
        waits, lists = 0.0, 0
        if whole:
            waits, lists = self._lists(turn, now, edits=edits)
            told.fetches += 1
            self.about[target] = self.committed
        if turn.foreign and world.swept[target]:
            self.sweep_due[target] = now  # it has never read any
        reads = 0 if edits else self._slice(target, now, self.budgets[world.credentials[target]], self.rhythms[target])
        if reads:
            self.about[target] = -1  # what was read last was no commit
        turn.sort = self._sort(turn, edits=edits, lists=bool(lists), whole=whole)
        cpu, commits = costs.turn(turn.sort, world.sizes[target])
        if reads and turn.sort not in ("sweep", "takeover"):
            more, again = costs.turn("sweep", world.sizes[target])
            cpu, commits = cpu + more, commits + again
        took = waits + (self.lease / 3 if inherited else 0.0) + (lists - (-reads // _AT_ONCE)) * costs.call
        until = replica.works(now, cpu) + took + (costs.fetch if whole else 0.0) + (commits + 2) * costs.commit
        if lists:
            self.known_at[target] = now
        for purpose, number in ((Purpose.LIST, lists), (Purpose.SWEEP, reads)):
            self.spend(target, purpose, number, until)
        told.turns[turn.sort] += 1
        told.commits += commits + 1 + int((until - now) / self.patience)
        self.lease_until[target] = until + self.lease - self.patience
        self.at(until, "write" if edits else "end", turn)

    def _lists(self, turn: Turn, now: float, *, edits: bool) -> tuple[float, int]:
        """For how long a whole pass waits for the calls of its lists, and how many those are: none if they wait.

        A commit waits for no list, and they are due right after it if they are; what nobody came for reads them all.
        """
        target, rhythm = turn.target, self.rhythms[turn.target]
        calls, due = rhythm.list_calls, self.listed_at[target] + rhythm.list_seconds
        asked = turn.foreign or turn.waited
        wait = 0.0
        if asked or due <= now:
            budget = self.budgets[self.world.credentials[target]]
            wait = budget.wait_needed(Purpose.SWEEP, calls)
        if asked or (due <= now and wait <= 0 and not turn.replica.walks and not edits):
            self.listed_at[target] = now
            self.poll_due[target] = now + rhythm.list_seconds
            return wait, calls
        self.poll_due[target] = due if due > now else now + max(wait, 1.0) if wait > 0 else now
        return 0.0, 0

    def _sort(self, turn: Turn, *, edits: bool, lists: bool, whole: bool) -> str:
        if turn.foreign:
            return "takeover"
        if edits:
            return "git"
        if whole:
            return "poll" if lists or not turn.replica.walks else "bystander"
        return "sweep"

    def _slice(self, target: int, now: float, budget: Budget, rhythm: Rhythm) -> int:
        """How many of the oldest are read now; they are the oldest no more."""
        if self.sweep_due[target] > now or not rhythm.reads_per_second:
            return 0
        lists_wait = self.listed_at[target] + rhythm.list_seconds <= now
        number = 0 if lists_wait else budget.room(Purpose.SWEEP, rhythm.reads_at_once)
        if not number:
            self.sweep_due[target] = now + max(1.0, budget.wait_needed(Purpose.SWEEP))
            return 0
        pause = number / rhythm.reads_per_second
        self.sweep_due[target] = now + pause
        count, first, ring = self.world.swept[target], self.first[target], self.ring[target]
        read = 0
        while read < min(number, count) and self.seen_at[first + ring] <= now - pause / 2:
            self.seen_at[first + ring] = now
            ring = (ring + 1) % count
            read += 1
        self.ring[target] = ring
        return read

    def spend(self, target: int, purpose: Purpose, number: int, until: float) -> None:
        if not number:
            return
        credential = self.world.credentials[target]
        self.budgets[credential]._count([(until, number)])
        self.spent[credential] += number
        self.told.calls[purpose.value] += number
        chunks = chunks_of(number)
        self.told.commits += chunks
        self.told.rows["spending"] += chunks if until > self.end - DAY else 0

    def add_up_spent(self) -> None:
        """In the end: what share of it was used of each token."""
        for credential, budget in self.budgets.items():
            whole = min((lane.usable / lane.seconds for lane in budget._lanes), default=math.inf)
            self.told.used.append(self.spent[credential] / (whole * self.end))
            if self.spent[credential] > whole * self.end + max((lane.usable for lane in budget._lanes), default=0):
                self.told.violations.append(f"credential {credential} was overdrawn")
        self.told.used.sort()

    def write(self, turn: Turn, now: float) -> None:
        """Changes of git, the newest commit's first, as many as there are calls for; then the next ones, or the end."""
        target, plan = turn.target, self.plan
        if not turn.replica.alive:
            return
        groups = self.pending.get(target)
        if not groups or (not plan.ahead and turn.seen < self.committed and turn.edits):
            self.at(now, "end", turn)  # overtaken, or done
            return
        budget = self.budgets[self.world.credentials[target]]
        wanted = int(sum(count for _, count, _ in groups))
        purpose = Purpose.SWEEP if wanted > FEW else Purpose.WRITE  # what is done in bulk leaves a tenth to others
        number = min(budget.room(purpose, _CALLS_A_CHANGE * wanted) // _CALLS_A_CHANGE, wanted)
        if not number:
            self._wait_to_write(turn, now, now + max(0.01, budget.wait_needed(purpose, _CALLS_A_CHANGE)))
            return
        until = turn.replica.works(now, number * self.costs.change_cpu)
        until += -(-number // _AT_ONCE) * _CALLS_A_CHANGE * self.costs.call
        until += number * self.costs.change_commits * self.costs.commit / _AT_ONCE
        for each in (Purpose.LOOK, Purpose.WRITE, Purpose.CONFIRM):
            self.spend(target, each, number, until)
        self.told.commits += number * self.costs.change_commits
        self.told.rows["journal"] += number
        turn.edits += number
        self._live(target, number, until)
        self.lease_until[target] = until + self.lease - self.patience
        self.at(until, "write", turn)

    def _wait_to_write(self, turn: Turn, now: float, until: float) -> None:
        """A pass waits for its budget, in its turn, until a newer commit ends it."""
        turn.edits = turn.edits or 1
        if self.plan.ahead:
            self.poll_due[turn.target] = until
            self.at(now, "end", turn)
            return
        if self.committed < len(self.world.commits):
            until = min(until, max(now, self.world.commits[self.committed].at) + 0.01)
        self.lease_until[turn.target] = until + self.lease - self.patience
        self.told.commits += (until - now) / self.patience
        self.at(until, "write", turn)

    def _live(self, target: int, number: int, now: float) -> None:
        """So many changes have been made, those of the newest commits."""
        groups = self.pending[target]
        while number:
            group = groups[-1]
            done = int(min(number, group[1]))
            (self.told.mass if group[2] else self.told.live).add(now - group[0], done)
            group[1] -= done
            number -= done
            if not group[1]:
                groups.pop()
        if not groups:
            del self.pending[target]
