"""The scheduler of a fleet in virtual time: who takes which target when, what it may call, and what comes of it.

What decides is the agent's own code: :func:`rhythm_of`, :class:`Budget` with its windows, :func:`may_wait`, and the
ledger's :class:`Account`. What is played here is how ``Loop`` walks its targets (one after the other, those that are
due), and what takes time: calls, commits of the store, git, the processor. Those costs are measured (``measure``).
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from heapq import heapify, heappop, heappush
from typing import Any

from agent.live.account import LATE_SECONDS, Account
from agent.live.budget import Budget
from agent.live.bulk import FEW
from agent.live.purpose import Purpose
from agent.model.spending import Spent
from agent.reconcile.schedule import AHEAD, Rhythm, rhythm_of
from agent.store.leases import Standing, may_wait
from tests.simulation.fleet.costs import CALL, COMMIT, FETCH, Costs
from tests.simulation.fleet.world import DAY, HOUR, World, platform_of

LEASE, PATIENCE, BEATS = 90.0, 30.0, 30.0
_AT_ONCE = 8  # calls in flight of one target
_AHEAD_LANES = 8
_CALLS_A_CHANGE = 3  # look, write, confirm: counted in ``measure``
_SAMPLE = 3 * HOUR


class Now:
    """The clock of all budgets."""

    time = 0.0

    def now(self) -> float:
        return self.time

    monotonic = now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a simulated budget is asked, and never waited for")


class Buckets:
    """Values by their logarithm: percentiles of many millions in a few hundred numbers."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.most = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self._counts[int(math.log1p(max(0.0, value)) * 40)] += times
        self.most = max(self.most, value)

    @property
    def number(self) -> int:
        return self._counts.total()

    def at(self, share: float) -> float:
        left = share * self.number
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return min(math.expm1((bucket + 1) / 40), self.most)
        return self.most


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
    """One process. ``queue`` are the targets of the round under way that have something to do, by their place."""

    number: int
    free: int
    due: list[tuple[float, int]] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    mine: int = 0
    known: set[int] = field(default_factory=set)  # whose manifests it has read
    place: int = -1
    gap: float = 0.0
    seen: int = 0  # commits
    alive: bool = True
    wake_at: float = math.inf
    cpu_until: float = 0.0
    cpu: float = 0.0
    busy: float = 0.0
    walked: float = 0.0  # of that, past targets that have nothing to do
    since: float = 0.0

    @property
    def name(self) -> str:
        return f"r{self.number}"


@dataclass(slots=True)
class Turn:
    replica: Replica
    target: int
    began: float
    seen: int
    edits: int = 0  # how many have been written in it


@dataclass
class Told:
    """What came of it. Times are in seconds."""

    world: World
    replicas: int
    seconds: float
    calls: Counter[str] = field(default_factory=Counter)
    used: list[float] = field(default_factory=list)  # share of what may be spent, by credential
    stretched: int = 0
    ages: Buckets = field(default_factory=Buckets)
    live: Buckets = field(default_factory=Buckets)
    mass: Buckets = field(default_factory=Buckets)  # of the one commit that changes many
    late: Buckets = field(default_factory=Buckets)
    waiting: int = 0  # changes that are not live in the end
    takeover: Buckets = field(default_factory=Buckets)  # from when the turn was due
    held_again: Buckets = field(default_factory=Buckets)  # from the kill
    victims: int = 0
    homeless: int = 0  # of the victims, in the end
    turns: Counter[str] = field(default_factory=Counter)
    commits: float = 0.0  # of the store
    fetches: float = 0.0
    rows: Counter[str] = field(default_factory=Counter)
    known: int = 0  # resources whose manifests one replica has read, at most
    cpu: float = 0.0  # share of a processor, of the busiest replica
    busy: float = 0.0  # share of its time in which the busiest replica was at a target
    walked: float = 0.0  # and of that, for commits that are about others
    violations: list[str] = field(default_factory=list)
    wall: float = 0.0


class Fleet:
    """One play."""

    def __init__(self, world: World, replicas: int, costs: Costs) -> None:
        plan = world.plan
        self.world, self.plan, self.costs = world, plan, costs
        self.chance = random.Random(f"play/{plan.seed}/{replicas}")
        self.clock = Now()
        self.count, self.end = plan.targets, plan.days * DAY
        self.told = Told(world, replicas, self.end)
        self.events: list[tuple[float, int, str, Any]] = []
        self.number = 0
        n = self.count
        self.budgets: dict[int, Budget] = {}
        self.spent: Counter[int] = Counter()
        self.rhythms = self._rhythms()
        self.poll_due, self.sweep_due = array("d", [0.0] * n), array("d", [math.inf] * n)
        self.due_at = array("d", [0.0] * n)
        self.listed_at, self.known_at = array("d", [-math.inf] * n), array("d", [0.0] * n)
        self.home, self.worker = array("l", [-1] * n), array("l", [-1] * n)
        self.holder, self.epoch = array("l", [-1] * n), array("l", [0] * n)
        self.lease_until = array("d", [0.0] * n)
        self.pending: dict[int, list[list[float]]] = {}
        self.first = world.first_of
        self.ring = array("l", [0] * n)
        self.seen_at = array("d", [0.0]) * self.first[-1]
        for target, rhythm in enumerate(self.rhythms):
            self.known_at[target] = -self.chance.random() * plan.interval
            count, age = world.swept[target], AHEAD * plan.goal * rhythm.stretch
            for place in range(count):
                self.seen_at[self.first[target] + place] = -age * (1 - place / count)
        self.late: set[int] = set(range(n))
        self.late_heap: list[tuple[float, int]] = []
        self.victims: dict[int, float] = {}
        self.replicas: dict[int, Replica] = {}
        self.committed = 0
        self.chunks_lately: Counter[int] = Counter()

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

    # ---- time

    def at(self, time: float, what: str, about: Any) -> None:
        self.number += 1
        heappush(self.events, (time, self.number, what, about))

    def play(self) -> Told:
        plan = self.plan
        steps: dict[str, Callable[[Any, float], None]] = {
            "end": self.finish,
            "write": self.write,
            "reach": self.reached,
            "wake": self.wake,
        }
        begun = [self._begun() for _ in range(self.told.replicas)]
        if not plan.cold:
            self._settled(begun)
        for replica in begun:
            self.dispatch(replica, 0.0)
        if self.world.commits:
            self.at(self.world.commits[0].at, "commit", 0)
        self.at(min(1.1 * plan.goal, self.end / 3), "sample", None)
        if plan.kill < plan.days:
            self.at(plan.kill * DAY + 11 * HOUR, "kill", None)
        while self.events:
            time, _, what, about = heappop(self.events)
            if time > self.end:
                break
            self.clock.time = time
            if what in steps:
                steps[what](about, time)
            elif what == "commit":
                self.commit(about, time)
            elif what == "sample":
                self.sample(time)
                self.at(time + _SAMPLE, "sample", None)
            elif what == "kill":
                self.kill(time)
                self.at(time + HOUR, "start", None)
            else:
                self.dispatch(self._begun(), time)
        return self._told()

    def _begun(self) -> Replica:
        replica = Replica(len(self.replicas), _AHEAD_LANES if self.plan.ahead else 1, since=self.clock.time)
        replica.seen = self.committed
        self.replicas[replica.number] = replica
        return replica

    def _settled(self, replicas: list[Replica]) -> None:
        """They have been at work for long: each target has a home, and turns are spread as they come."""
        self.late.clear()
        for target, rhythm in enumerate(self.rhythms):
            replica = self.chance.choice(replicas)
            self.home[target] = self.worker[target] = replica.number
            replica.mine += 1
            replica.known.add(target)
            self.poll_due[target] = self.chance.random() * rhythm.list_seconds
            self.listed_at[target] = self.known_at[target] = self.poll_due[target] - rhythm.list_seconds
            if self.world.swept[target]:
                self.sweep_due[target] = self.chance.random() * rhythm.slice_seconds
            due = self.due_at[target] = min(self.poll_due[target], self.sweep_due[target])
            replica.due.append((due, target))
            self.late_heap.append((due + PATIENCE, target))
        for each in (self.late_heap, *(replica.due for replica in replicas)):
            heapify(each)

    def kill(self, now: float) -> None:
        """The busiest one, in the middle of what it does. It never comes back; an hour later another begins."""
        victim = max((each for each in self.replicas.values() if each.alive), key=lambda each: each.mine)
        self._account(victim)
        victim.alive = False
        for target in range(self.count):
            if self.home[target] == victim.number:
                self.victims[target] = now
            if self.holder[target] == victim.number:
                self.lease_until[target] = now + LEASE - self.chance.random() * BEATS
            if self.home[target] == victim.number:
                since = self.lease_until[target] if self.holder[target] >= 0 else self.due_at[target] + PATIENCE
                heappush(self.late_heap, (max(now, since), target))
        self.told.victims = len(self.victims)

    def commit(self, number: int, now: float) -> None:
        self.committed = number + 1
        plan, commits = self.plan, self.world.commits
        if self.committed < len(commits):
            self.at(max(now, commits[self.committed].at), "commit", self.committed)
        for target, edits in commits[number].edits:
            self.pending.setdefault(target, []).append([now, edits, len(commits[number].edits) > 1])
            home = self.replicas.get(self.home[target])
            if home is None:
                continue
            if plan.ahead:
                self.poll_due[target] = self.due_at[target] = now
                heappush(home.due, (now, target))
                heappush(self.late_heap, (now + PATIENCE, target))
            elif home.seen == number and target > home.place and home.queue:
                heappush(home.queue, target)  # the round under way comes to it
        for replica in self.replicas.values():
            if replica.alive and replica.free:
                self.dispatch(replica, now)

    # ---- a replica's rounds

    def wake(self, replica: Replica, now: float) -> None:
        if replica.alive and replica.wake_at == now:
            replica.wake_at = math.inf
            self.dispatch(replica, now)

    def dispatch(self, replica: Replica, now: float) -> None:
        """What is free begins the next target of the round, or the next round, or sleeps until something is due."""
        while replica.free:
            if not replica.queue and not self._next_round(replica, now):
                break
            target = heappop(replica.queue)
            walked = max(0, target - replica.place) * replica.gap
            replica.place = target
            replica.free -= 1
            turn = Turn(replica, target, now, self.committed)
            replica.busy += walked
            replica.walked += walked
            if walked > 0.02:
                self.at(now + walked, "reach", turn)
            else:
                self.reached(turn, now, dispatching=True)
        if replica.free:
            self._forget_stale()
            due = replica.due[0][0] if replica.due else math.inf
            late = self.late_heap[0][0] + 1.0 if self.late_heap else math.inf  # the tick that finds it
            wake_at = max(min(due, late), now + 0.001)
            if wake_at < replica.wake_at or replica.wake_at <= now:
                replica.wake_at = wake_at
                self.at(wake_at, "wake", replica)

    def _forget_stale(self) -> None:
        """Of what could become late: turns that took place since, and those under way, which end with a new entry."""
        heap, due_at, holder = self.late_heap, self.due_at, self.holder
        while heap and (due_at[heap[0][1]] > heap[0][0] - PATIENCE + 1e-6 or holder[heap[0][1]] >= 0):
            at, target = heap[0]
            if holder[target] >= 0 and self.lease_until[target] <= at:
                break  # its holder died
            heappop(heap)

    def _next_round(self, replica: Replica, now: float) -> bool:
        """Whether there is one. Without the steps ahead each commit makes every target of it have a turn."""
        woken = not self.plan.ahead and replica.seen < self.committed
        replica.seen = self.committed
        found = set()
        while replica.due and replica.due[0][0] <= now:
            due, target = heappop(replica.due)
            if self.home[target] == replica.number and self.due_at[target] == due and self.holder[target] < 0:
                found.add(target)
        while self.late_heap and self.late_heap[0][0] <= now:
            _, target = heappop(self.late_heap)
            is_held = self.holder[target] >= 0 and self.lease_until[target] > now
            if not is_held and self.due_at[target] + (PATIENCE if self.home[target] >= 0 else 0.0) <= now:
                self.late.add(target)
        if self.late:
            found |= self.late
        costs, n = self.costs, self.count
        replica.gap = costs.wake
        replica.cpu += costs.wake * n
        if woken:
            found |= {target for target in self.pending if self.home[target] == replica.number}
            mine, others = replica.mine, n - replica.mine
            cpu, commits = costs.turn("bystander", self.plan.resources / n)
            passed = FETCH + cpu + (commits + 2) * COMMIT
            told = FETCH + COMMIT
            replica.gap = (mine * passed + others * told) / n
            replica.cpu += mine * cpu
            self.told.commits += mine * (commits + 2) + others
            self.told.fetches += n
            self.told.turns["bystander"] += mine
            found.add(n)  # the end of the round
        replica.place = -1
        replica.queue = sorted(found)
        return bool(found)

    def reached(self, turn: Turn, now: float, *, dispatching: bool = False) -> None:
        """The walk has come to this target."""
        replica, target = turn.replica, turn.target
        if not replica.alive:
            return
        turn.began = now
        if target == self.count or not self.claim(turn, now):
            replica.free += 1
            if not dispatching:
                self.dispatch(replica, now)

    def claim(self, turn: Turn, now: float) -> bool:
        """Whether the target was free and there was something to do; its turn has begun then."""
        replica, target, told = turn.replica, turn.target, self.told
        mine, late = self.home[target] == replica.number, target in self.late
        if not (late or (mine and (self.due_at[target] <= now or target in self.pending))):
            return False
        if self.holder[target] == replica.number:
            return False  # another turn of this process is at it: what has come since is seen to when that ends
        told.commits += 1
        holder, home = self.holder[target], self.home[target]
        lasts, due_in = self.lease_until[target] - now if holder >= 0 else 0.0, self.due_at[target] - now
        names = (f"r{holder}" if holder >= 0 else None, f"r{home}" if home >= 0 else None)
        standing = Standing("", *names, self.epoch[target], lasts, due_in, 0.0, None)
        if (wait := may_wait(standing, replica.name, PATIENCE)) > 0:
            if mine:
                self.late.discard(target)
                heappush(self.late_heap, (now + wait, target))
            elif holder >= 0:
                self.late.discard(target)
            return False
        if holder >= 0 and lasts > 0:
            told.violations.append(f"target {target} was taken from {holder} by {replica.number}")
        self.late.discard(target)
        if home != replica.number:
            if home in self.replicas:
                self.replicas[home].mine -= 1
            replica.mine += 1
        if target in self.victims:
            killed = self.victims.pop(target)
            told.takeover.add(now - max(killed, self.due_at[target]))
            told.held_again.add(now - killed)
        if due_in <= 0 and now > HOUR:
            told.late.add(-due_in)
        foreign = self.worker[target] != replica.number
        self.home[target] = self.worker[target] = self.holder[target] = replica.number
        self.lease_until[target], self.epoch[target] = now + LEASE, self.epoch[target] + 1
        replica.known.add(target)
        self.begin(turn, now, foreign, holder >= 0)
        return True

    # ---- a turn

    def begin(self, turn: Turn, now: float, foreign: bool, inherited: bool) -> None:
        """``Loop._turn`` and ``Sweep.take``, by the same rules: what is to be read now, and until when that takes."""
        target, world, told = turn.target, self.world, self.told
        budget, rhythm = self.budgets[world.credentials[target]], self.rhythms[target]
        if foreign:
            self.listed_at[target] = -math.inf
        edits, lists, waited = target in self.pending, False, 0.0
        whole = foreign or edits or self.poll_due[target] <= now
        if whole:
            due = self.listed_at[target] + rhythm.list_seconds
            wait = budget.wait_needed(Purpose.SWEEP, world.list_calls[target]) if due <= now else 0.0
            lists = due <= now and (wait <= 0 or foreign) and not (edits and not foreign)
            waited = wait if lists else 0.0
            self.poll_due[target] = now + rhythm.list_seconds if lists else max(due, now + max(wait, 1.0))
        sort = "takeover" if foreign else "git" if edits else "poll" if whole else "sweep"
        cpu, commits = self.costs.turn(sort, world.sizes[target])
        reads = 0 if edits or foreign else self._slice(target, now, budget, rhythm)
        calls = world.list_calls[target] if lists else 0
        took = waited + (LEASE / 3 if inherited else 0.0) + calls * CALL + -(-reads // _AT_ONCE) * CALL
        if whole:
            took += FETCH
            told.fetches += 1
        until = self._worked(turn.replica, now, cpu) + took + (commits + 2) * COMMIT
        if lists:
            self.listed_at[target] = self.known_at[target] = now
        if foreign and self.sweep_due[target] == math.inf and world.swept[target]:
            self.sweep_due[target] = now + self.chance.random() * rhythm.slice_seconds
        for purpose, number in ((Purpose.LIST, calls), (Purpose.SWEEP, reads)):
            self.spend(target, purpose, number, until)
        told.turns[sort] += 1
        told.commits += commits + 1 + int((until - now) / BEATS)
        self.lease_until[target] = until + LEASE - BEATS
        self.at(until, "write" if edits else "end", turn)

    def _slice(self, target: int, now: float, budget: Budget, rhythm: Rhythm) -> int:
        """How many of the oldest are read now; they are the oldest no more."""
        if self.sweep_due[target] > now or not rhythm.reads_per_second:
            return 0
        lists_wait = self.listed_at[target] + rhythm.list_seconds <= now
        number = 0 if lists_wait else budget.room(Purpose.SWEEP, rhythm.reads_at_once)
        if not number:
            self.sweep_due[target] = now + max(1.0, budget.wait_needed(Purpose.SWEEP))
            return 0
        self.sweep_due[target] = now + number / rhythm.reads_per_second
        count, first = self.world.swept[target], self.first[target]
        for _ in range(min(number, count)):
            self.seen_at[first + self.ring[target]] = now
            self.ring[target] = (self.ring[target] + 1) % count
        return number

    def _worked(self, replica: Replica, now: float, cpu: float) -> float:
        """When the processor is through with it: one thread of Python for all turns of a process."""
        replica.cpu += cpu
        replica.cpu_until = max(replica.cpu_until, now) + cpu
        return replica.cpu_until

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

    def write(self, turn: Turn, now: float) -> None:
        """Changes of git, the newest commit's first, as many as there are calls for; then the next ones, or the end."""
        replica, target = turn.replica, turn.target
        if not replica.alive:
            return
        groups = self.pending.get(target)
        if not groups or (not self.plan.ahead and turn.seen < self.committed and turn.edits):
            self.finish(turn, now)  # overtaken, or done
            return
        budget = self.budgets[self.world.credentials[target]]
        wanted = int(sum(count for _, count, _ in groups))
        purpose = Purpose.SWEEP if wanted > FEW else Purpose.WRITE  # what is done in bulk leaves a tenth to others
        number = min(budget.room(purpose, _CALLS_A_CHANGE * wanted) // _CALLS_A_CHANGE, wanted)
        if not number:
            turn.edits = turn.edits or 1
            until = now + max(0.01, budget.wait_needed(purpose, _CALLS_A_CHANGE))
            if self.plan.ahead:
                self.poll_due[target] = until
                self.finish(turn, now)
                return
            if self.committed < len(self.world.commits):
                until = min(until, max(now, self.world.commits[self.committed].at) + 0.01)
            self.lease_until[target] = until + LEASE - BEATS
            self.told.commits += (until - now) / BEATS
            self.at(until, "write", turn)
            return
        until = self._worked(replica, now, number * self.costs.change_cpu)
        until += -(-number // _AT_ONCE) * _CALLS_A_CHANGE * CALL
        until += number * self.costs.change_commits * COMMIT / _AT_ONCE
        for each in (Purpose.LOOK, Purpose.WRITE, Purpose.CONFIRM):
            self.spend(target, each, number, until)
        self.told.commits += number * self.costs.change_commits
        self.told.rows["journal"] += number
        turn.edits += number
        while number:
            group = groups[-1]
            done = int(min(number, group[1]))
            (self.told.mass if group[2] else self.told.live).add(until - group[0], done)
            group[1] -= done
            number -= done
            if not group[1]:
                groups.pop()
        if not groups:
            del self.pending[target]
        self.lease_until[target] = until + LEASE - BEATS
        self.at(until, "write", turn)

    def finish(self, turn: Turn, now: float) -> None:
        replica, target = turn.replica, turn.target
        if not replica.alive:
            return
        if self.holder[target] != replica.number:
            self.told.violations.append(f"target {target} was given back by {replica.number}, who does not hold it")
        self.told.commits += 1
        self.told.rows["pass"] += turn.edits > 0
        self.holder[target] = -1
        due = min(self.poll_due[target], self.sweep_due[target])
        if target in self.pending and not (self.plan.ahead and self.poll_due[target] > now):
            due = now
        self.due_at[target] = due
        heappush(replica.due, (due, target))
        heappush(self.late_heap, (due + PATIENCE, target))
        replica.busy += now - turn.began
        replica.free += 1
        self.dispatch(replica, now)

    # ---- what comes of it

    def sample(self, now: float) -> None:
        """Ages of all that is known: of a row of reads, which is in order, some twenty for all."""
        for target in range(self.count):
            count, first, ring = self.world.swept[target], self.first[target], self.ring[target]
            listed = self.world.sizes[target] - count
            if listed:
                self.told.ages.add(now - self.known_at[target], listed)
            step = max(1, count // 20)
            for place in range(0, count, step):
                self.told.ages.add(now - self.seen_at[first + (ring + place) % count], min(step, count - place))
        if len(self.late_heap) > 20 * self.count:
            self.late_heap = [(at, each) for at, each in self.late_heap if self.due_at[each] + PATIENCE >= at - 1e-6]
            heapify(self.late_heap)

    def _account(self, replica: Replica) -> None:
        took = max(1.0, self.clock.time - replica.since)
        lanes = _AHEAD_LANES if self.plan.ahead else 1
        self.told.cpu = max(self.told.cpu, (replica.cpu + took * self.count * self.costs.look) / took)
        self.told.busy = max(self.told.busy, min(1.0, replica.busy / took / lanes))
        self.told.walked = max(self.told.walked, min(1.0, replica.walked / took / lanes))
        self.told.known = max(self.told.known, sum(self.world.sizes[each] for each in replica.known))

    def _told(self) -> Told:
        told, world = self.told, self.world
        self.clock.time = self.end
        for replica in self.replicas.values():
            if replica.alive:
                self._account(replica)
        told.waiting = int(sum(count for groups in self.pending.values() for _, count, _ in groups))
        told.homeless = len(self.victims)
        for credential, budget in self.budgets.items():
            whole = min((lane.usable / lane.seconds for lane in budget._lanes), default=math.inf)
            told.used.append(self.spent[credential] / (whole * self.end))
            if self.spent[credential] > whole * self.end + max((lane.usable for lane in budget._lanes), default=0):
                told.violations.append(f"credential {credential} was overdrawn")
        told.used.sort()
        told.rows.update(dict.fromkeys(("lease", "target", "board"), world.plan.targets))
        told.rows.update({name: sum(world.sizes) for name in ("inventory", "applied", "checked")})
        told.rows["event"] = told.rows["journal"]
        return told
