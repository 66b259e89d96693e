"""The scheduler of a fleet in virtual time: who takes which target when, and what comes of it.

``Loop`` and ``Tenure`` walk their targets in rounds; that walk is played here, and :func:`may_wait` of the agent says
who takes what. A round that a commit begins comes to every target: those of the replica have a turn, one that nobody
came for is taken over, and of all others the news are passed on. ``beside`` holds it against the real loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop
from typing import Any

from agent.store.leases import Standing, may_wait
from tests.simulation.fleet.alarms import Alarms
from tests.simulation.fleet.costs import Costs
from tests.simulation.fleet.told import Told
from tests.simulation.fleet.turns import Replica, Turn, Turns
from tests.simulation.fleet.world import DAY, HOUR, World

_LANES_AHEAD = 8
_SAMPLE = 3 * HOUR
_SAMPLED = 6  # objects of each target, at each sample
_TICK = 1.0

Tells = Callable[[float, int], object]
"""Called now and then with the moment that is played, and the turns so far."""


class Fleet(Turns):
    """One play."""

    def __init__(self, world: World, replicas: int, costs: Costs, tells: Tells = lambda now, turns: None) -> None:
        super().__init__(world, replicas, costs)
        self.tells = tells
        self.late: set[int] = set(range(self.count))  # that nobody came for
        self.forsaken = Alarms(self.count)  # when that will be so
        self.hastened = bytearray(self.count)
        self.looking_until = 0.0
        self.victims: dict[int, float] = {}
        self.replicas: dict[int, Replica] = {}

    def play(self) -> Told:
        plan = self.plan
        steps: dict[str, Callable[[Any, float], None]] = {
            "end": self.finish,
            "write": self.write,
            "walk": self.walk,
            "wake": self.wake,
            "commit": self.commit,
            "sample": self.sample,
            "kill": self.kill,
            "start": self.start,
        }
        begun = [self._begun() for _ in range(self.told.replicas)]
        if not plan.cold:
            self._settled(begun)
        for replica in begun:
            self.dispatch(replica, 0.0)
        if self.world.commits:
            self.at(self.world.commits[0].at, "commit", 0)
        self.at(0.0, "sample", None)
        if plan.kill < plan.days:
            self.at(plan.kill * DAY + 11 * HOUR, "kill", None)
        events, end, clock = self.events, self.end, self.clock
        while events:
            time, _, what, about = heappop(events)
            if time > end:
                break
            clock.time = time
            steps[what](about, time)
        return self._told()

    def _begun(self) -> Replica:
        lanes = _LANES_AHEAD if self.plan.ahead else 1
        n = self.count
        replica = Replica(len(self.replicas), lanes, bytearray(n), bytearray(n), Alarms(n), since=self.clock.time)
        replica.seen = self.committed
        self.replicas[replica.number] = replica
        return replica

    def _settled(self, replicas: list[Replica]) -> None:
        """They have been at work for long: each target has a home, and turns are spread as they come."""
        self.late.clear()
        for target, rhythm in enumerate(self.rhythms):
            replica = self.chance.choice(replicas)
            self.home[target] = self.worker[target] = replica.number
            replica.mine[target] = replica.known[target] = 1
            self.poll_due[target] = self.chance.random() * rhythm.list_seconds
            self.listed_at[target] = self.known_at[target] = self.poll_due[target] - rhythm.list_seconds
            if self.world.swept[target]:
                self.sweep_due[target] = self.chance.random() * rhythm.slice_seconds
            self.due_at[target] = min(self.poll_due[target], self.sweep_due[target])
        for replica in replicas:
            replica.due.fill([(due, target) for target, due in enumerate(self.due_at) if replica.mine[target]])
        self.forsaken.fill([(due + self.patience, target) for target, due in enumerate(self.due_at)])

    # ---- what happens to them

    def commit(self, number: int, now: float) -> None:
        self.committed = number + 1
        plan, commits = self.plan, self.world.commits
        if self.committed < len(commits):
            self.at(max(now, commits[self.committed].at), "commit", self.committed)
        edits = commits[number].edits
        for target, count in edits:
            self.pending.setdefault(target, []).append([now, count, len(edits) > 1])
            if plan.ahead and self.home[target] >= 0:
                self.poll_due[target] = now
                self._due(target, now)
        homes = {self.home[target] for target, _ in edits} if plan.ahead else self.replicas
        for replica in map(self.replicas.get, homes):
            if replica is not None and replica.is_idle:
                self._wake_at(replica, now)  # not at once: all of them begin together
            elif replica is not None and replica.alive and not replica.free:
                self.told.fetches += 1  # beside a pass somebody looks whether it is newer

    def kill(self, _: object, now: float) -> None:
        """The busiest one, in the middle of what it does. It never comes back; an hour later another begins."""
        victim = max((each for each in self.replicas.values() if each.alive), key=lambda each: sum(each.mine))
        self._account(victim)
        victim.alive = False
        for target in range(self.count):
            if self.holder[target] == victim.number:
                self.lease_until[target] = now + self.lease - self.chance.random() * self.patience
            if self.home[target] == victim.number:
                self.victims[target] = now
                since = self.lease_until[target] if self.holder[target] >= 0 else self.due_at[target] + self.patience
                self.forsaken.set(target, max(now, since))
        self.told.victims = len(self.victims)
        self.at(now + HOUR, "start", None)

    def start(self, _: object, now: float) -> None:
        self.dispatch(self._begun(), now)

    def _due(self, target: int, at: float) -> None:
        """Its next turn is due then."""
        self.due_at[target] = at
        home = self.replicas.get(self.home[target])
        if home is not None:
            home.due.set(target, at)
        self.forsaken.set(target, at + self.patience)

    # ---- a replica's rounds

    def _wake_at(self, replica: Replica, at: float) -> None:
        replica.wake_at = at
        self.at(at, "wake", replica)

    def wake(self, replica: Replica, now: float) -> None:
        if replica.is_idle and replica.wake_at == now:
            replica.wake_at = math.inf
            self.dispatch(replica, now)

    def dispatch(self, replica: Replica, now: float) -> None:
        """What is free begins the next turn of the round, or the next round, or sleeps until something is due."""
        while replica.free:
            if replica.walks:
                self.walk(replica, now)
                return
            if replica.queue:
                target = replica.queue.pop()
                if self.home[target] != replica.number:
                    if target in self.late:
                        self.claim(replica, target, now, waited=True)
                elif self.due_at[target] <= now:
                    self.claim(replica, target, now, waited=bool(self.hastened[target]))
            elif not self._next_round(replica, now):
                break
        if replica.free:
            late = self.forsaken.first() + _TICK  # the look that finds it
            wake_at = max(min(replica.due.first(), late), now + 0.001)
            if wake_at < replica.wake_at or replica.wake_at <= now:
                self._wake_at(replica, wake_at)

    def _next_round(self, replica: Replica, now: float) -> bool:
        """Whether there is one. Without the steps ahead each commit makes every target of it have a turn."""
        woken = not self.plan.ahead and replica.seen < self.committed
        replica.seen = self.committed
        if woken:
            replica.walks, replica.place = True, -1
            return True
        found = set()
        for target in replica.due.ringing(now):
            if self.home[target] == replica.number and self.holder[target] < 0:
                if self.due_at[target] <= now:
                    found.add(target)
                else:
                    replica.due.set(target, self.due_at[target])
        for target in self.forsaken.ringing(now):
            if self.holder[target] >= 0 and self.lease_until[target] > now:
                self.forsaken.set(target, self.lease_until[target])
                continue
            since = self.due_at[target] + (self.patience if self.home[target] >= 0 else 0.0)
            if since <= now:
                self.late.add(target)
            else:
                self.forsaken.set(target, since)
        found |= self.late
        replica.works(now, self.costs.wake * self.count)
        replica.queue = sorted(found, reverse=True)
        return bool(found)

    def walk(self, replica: Replica, now: float) -> None:
        """From target to target in a round about a commit, until one has a turn or time passes."""
        if not replica.alive:
            return
        costs, events, told = self.costs, self.events, self.told
        began = now
        while replica.place + 1 < self.count or replica.passes:
            if replica.passes:
                replica.passes = False
                self._pass_on(replica.place, now)
                continue
            replica.place = target = replica.place + 1
            is_home = self.home[target] == replica.number
            waited = bool(self.hastened[target]) if is_home else self._is_forsaken(target, now)
            if replica.mine[target] or waited:
                if self.claim(replica, target, now, waited=waited):
                    break
                now += costs.commit
            else:
                told.fetches += 1
                told.passed_on += 1
                told.commits += 1
                now += costs.fetch + costs.commit
                replica.passes = True
            if events and events[0][0] <= now:
                self.at(now, "walk", replica)
                break
            self.clock.time = now
        else:
            replica.walks = False
            self._wake_at(replica, now)
        replica.busy += now - began
        replica.walked += now - began

    def _is_forsaken(self, target: int, now: float) -> bool:
        if self.holder[target] >= 0 and self.lease_until[target] > now:
            return False
        return self.due_at[target] + (self.patience if self.home[target] >= 0 else 0.0) <= now

    def _pass_on(self, target: int, now: float) -> None:
        """``Holding.hasten``: the next turn of another's target is due now, unless its last one was about this."""
        if self.due_at[target] > now and self.about[target] != self.committed:
            self.hastened[target] = 1
            self.told.hastened += 1
            if now >= self.looking_until:  # all hear of it, and look at the leases
                self.looking_until = now + self.costs.look * self.count
                for each in self.replicas.values():
                    each.looked += self.costs.look * self.count
            self._due(target, now)
            home = self.replicas.get(self.home[target])
            if home is not None and home.is_idle:
                self._wake_at(home, now)

    def claim(self, replica: Replica, target: int, now: float, *, waited: bool) -> bool:
        """``Tenure.take``: whether it is free, and whose turn it is; its turn has begun then."""
        told, holder, home = self.told, self.holder[target], self.home[target]
        if holder == replica.number:
            return False  # another turn of this process is at it: what has come since is seen to when that ends
        told.commits += 1
        lasts, due_in = self.lease_until[target] - now if holder >= 0 else 0.0, self.due_at[target] - now
        names = (f"r{holder}" if holder >= 0 else None, f"r{home}" if home >= 0 else None)
        standing = Standing("", *names, self.epoch[target], lasts, due_in, 0.0, None)
        self.late.discard(target)
        if (wait := may_wait(standing, replica.name, self.patience)) > 0:
            replica.mine[target] = 0
            self.forsaken.set(target, now + wait)
            return False
        if holder >= 0 and lasts > 0:
            told.violations.append(f"target {target} was taken from {holder} by {replica.number}")
        if target in self.victims:
            killed = self.victims.pop(target)
            told.takeover.add(now - max(killed, self.due_at[target]))
            told.held_again.add(now - killed)
        if due_in <= 0 and now > HOUR:
            told.late.add(-due_in)
        turn = Turn(replica, target, now, self.committed, waited, self.worker[target] != replica.number)
        self.home[target] = self.worker[target] = self.holder[target] = replica.number
        self.lease_until[target], self.epoch[target] = now + self.lease, self.epoch[target] + 1
        self.due_at[target] = min(now, self.due_at[target])  # over when the lease is, and nobody hastens it meanwhile
        self.hastened[target] = 0
        replica.mine[target] = replica.known[target] = 1
        replica.free -= 1
        self.begin(turn, now, holder >= 0)
        return True

    def finish(self, turn: Turn, now: float) -> None:
        """``Tenure.give_back``: the lease goes, and the next turn is due."""
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
        self._due(target, max(due, now))
        replica.busy += now - turn.began
        replica.walked += now - turn.began if turn.sort == "bystander" else 0.0
        replica.free += 1
        self.dispatch(replica, now)

    # ---- what comes of it

    def sample(self, _: object, now: float) -> None:
        """Ages of all that is known: of a row of reads, which is in order, a few for all."""
        self.tells(now, self.told.turns.total())
        self.at(now + _SAMPLE, "sample", None)
        if now < min(1.1 * self.plan.goal, self.end / 3):
            return  # ages are still those that it began with
        ages = self.told.ages
        for target, count in enumerate(self.world.swept):
            first, ring = self.first[target], self.ring[target]
            if listed := self.world.sizes[target] - count:
                ages.add(now - self.known_at[target], listed)
            step = max(1, -(-count // _SAMPLED))
            for place in range(0, count, step):
                ages.add(now - self.seen_at[first + (ring + place) % count], min(step, count - place))

    def _account(self, replica: Replica) -> None:
        took = max(1.0, self.clock.time - replica.since)
        lanes = _LANES_AHEAD if self.plan.ahead else 1
        told, sizes = self.told, self.world.sizes
        looked = replica.looked + (took - replica.looked) * self.count * self.costs.look / _TICK
        told.cpu = max(told.cpu, (replica.cpu + looked) / took)
        told.looked = max(told.looked, looked / took)
        told.busy = max(told.busy, min(1.0, replica.busy / took / lanes))
        told.walked = max(told.walked, min(1.0, replica.walked / took / lanes))
        told.known = max(told.known, sum(size for size, known in zip(sizes, replica.known, strict=True) if known))

    def _told(self) -> Told:
        told, world = self.told, self.world
        self.clock.time = self.end
        for replica in self.replicas.values():
            if replica.alive:
                self._account(replica)
        told.waiting = int(sum(count for groups in self.pending.values() for _, count, _ in groups))
        told.homeless = len(self.victims)
        self.add_up_spent()
        told.rows.update(dict.fromkeys(("lease", "target", "board"), world.plan.targets))
        told.rows.update({name: sum(world.sizes) for name in ("inventory", "applied", "checked")})
        told.rows["event"] = told.rows["journal"]
        return told
