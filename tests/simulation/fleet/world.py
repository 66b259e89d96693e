"""What a fleet has to do: targets of all platforms, their resources, and a week of commits. Made from a seed."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from agent.definitions.load import load_platform
from agent.definitions.platform import Kind, Platform
from agent.reconcile.schedule import is_swept

DAY, HOUR = 86_400.0, 3600.0
# Definition, share of the targets, kinds that a target of it has: what only a read tells, and what lists tell.
PLATFORMS = (
    ("dataos/v1", 0.5, ("Workflow", "Service")),
    ("dataloop/v1", 0.15, ("Rule", "Annotation")),
    ("datalinx/v1", 0.15, ("Mapping", "Pipeline")),
    ("dataops-live/v4", 0.1, ("Project",)),
    ("datachain-studio/v1", 0.1, ("Job",)),
)
_PAGE = 100
_BURSTS = (10 * HOUR, 15 * HOUR)  # when teams have talked


@dataclass(frozen=True)
class Plan:
    """What is played. ``ahead``: as it would be with the next steps of ``agent/docs/explanation/scaling.md``.

    ``changed`` is the share of all resources that commits change on a working day; ``kill`` the day on which a replica
    is killed at eleven, for an hour; ``mass`` resources are changed by one commit on the day after.
    """

    resources: int = 1_000_000
    targets: int = 10_000
    days: float = 7.0
    seed: int = 0
    interval: float = HOUR
    goal: float = 3 * DAY
    changed: float = 0.01
    mass: int = 10_000
    kill: float = 2.0
    ahead: bool = False
    cold: bool = False  # all replicas begin at once, with nothing in memory
    reserve: float = 0.2
    lease: float = 90.0

    @property
    def patience(self) -> float:
        """With a home that is late. A lease is also extended as often."""
        return self.lease / 3


class Commit(NamedTuple):
    at: float
    edits: tuple[tuple[int, int], ...]  # target, and how many of its resources


@cache
def platform_of(name: str) -> Platform:
    return load_platform(name)


@dataclass
class World:
    """Columns, one entry a target: no object stands for a resource."""

    plan: Plan
    sizes: list[int] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    objects: list[Mapping[str, int]] = field(default_factory=list)
    swept: list[int] = field(default_factory=list)
    list_calls: list[int] = field(default_factory=list)
    credentials: list[int] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)

    @property
    def first_of(self) -> list[int]:
        """Where the resources of each target begin, if those that are read by key stand in one row."""
        return [0, *accumulate(self.swept)]


def make_world(plan: Plan) -> World:
    chance = random.Random(f"fleet/{plan.seed}")
    world = World(plan, sizes=_sizes(plan, chance))
    names, shares = [name for name, _, _ in PLATFORMS], [share for _, share, _ in PLATFORMS]
    kinds_of = {name: kinds for name, _, kinds in PLATFORMS}
    world.platforms = chance.choices(names, shares, k=plan.targets)
    last: dict[str, int] = {}
    for number, (name, size) in enumerate(zip(world.platforms, world.sizes, strict=True)):
        kinds = kinds_of[name]
        objects = Counter({kind: size // len(kinds) for kind in kinds})
        objects[kinds[0]] += size - objects.total()
        known: Mapping[str, Kind] = platform_of(name).kinds
        world.objects.append(objects)
        world.swept.append(sum(count for kind, count in objects.items() if is_swept(known[kind])))
        lists = [count for kind, count in objects.items() if known[kind].list is not None]
        world.list_calls.append(sum(max(1, -(-count // _PAGE)) for count in lists))
        # One target in five shares its token with the one before it on the same platform.
        shared = name in last and chance.random() < 0.2
        world.credentials.append(last[name] if shared else number)
        last[name] = world.credentials[-1]
    world.commits = sorted([*_commits(plan, world.sizes, chance), *_mass(plan, world.sizes, chance)])
    return world


def _sizes(plan: Plan, chance: random.Random) -> list[int]:
    """A few with thousands of resources, most with tens; together as many as are wanted."""
    weights = [min(chance.paretovariate(1.2), 400.0) for _ in range(plan.targets)]
    per = plan.resources / sum(weights)
    sizes = [max(3, int(weight * per)) for weight in weights]
    sizes[max(range(len(sizes)), key=sizes.__getitem__)] += max(0, plan.resources - sum(sizes))
    return sizes


def _commits(plan: Plan, sizes: list[int], chance: random.Random) -> list[Commit]:
    """In working hours, a third of them around ten and three; one changes three resources of one target on average."""
    bounds = array("l", accumulate(sizes))
    found = []
    for day in range(int(plan.days)):
        left = int(plan.resources * plan.changed) if day % 7 < 5 else int(plan.resources * plan.changed / 20)
        while left > 0:
            edits = min(left, 1 + int(chance.expovariate(1 / 2.5)))
            left -= edits
            in_burst = chance.random() < 1 / 3
            clock = chance.gauss(chance.choice(_BURSTS), 600.0) if in_burst else chance.uniform(9 * HOUR, 18 * HOUR)
            target = bisect_right(bounds, chance.randrange(bounds[-1]))
            found.append(Commit(day * DAY + clock, ((target, min(edits, sizes[target])),)))
    return found


def _mass(plan: Plan, sizes: list[int], chance: random.Random) -> list[Commit]:
    """One commit that changes many: all of one target after the other."""
    left, edits = min(plan.mass, plan.resources), []
    for target in chance.sample(range(len(sizes)), len(sizes)):
        if left <= 0:
            break
        edits.append((target, min(sizes[target], left)))
        left -= edits[-1][1]
    at = (plan.kill + 1) * DAY + 14 * HOUR if plan.kill + 1 < plan.days else 14 * HOUR
    return [Commit(at, tuple(edits))] if edits else []
