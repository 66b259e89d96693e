"""The play held against real agents: ``python -m tests.simulation.fleet.beside``.

Some real loops share small targets in virtual time while commits come, in the proportions of a fleet: a round is longer
than others have patience with a late home. The same is played, and what both did is counted: turns, takeovers, news
that were passed on, calls. Exit 1 when a count is further from the other than ``--within``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.reconcile.target import Target
from agent.store.holding import Lease, Sharing
from agent.store.store import Store
from tests.simulation.fleet.agents import Agent, Site
from tests.simulation.fleet.costs import read_costs
from tests.simulation.fleet.play import Fleet
from tests.simulation.fleet.world import Commit, Plan, World
from tests.simulation.places import memory_folder
from tests.simulation.virtual_time import VirtualLoop, run
from tests.simulation.week import quiet

_FEW = 5


@dataclass(frozen=True)
class Story:
    """Commits come until ``seconds``, one in ``pause`` on average; each changes one resource."""

    targets: int = 30
    resources: int = 2
    replicas: int = 3
    seconds: float = 200.0
    pause: float = 4.0
    lease: float = 12.0
    interval: float = 3600.0
    seed: int = 0

    def commits(self) -> list[Commit]:
        chance, at, found = random.Random(f"beside/{self.seed}"), 0.0, []
        while (at := at + chance.expovariate(1 / self.pause)) < self.seconds - 2 * self.lease:
            found.append(Commit(at, ((chance.randrange(self.targets), 1),)))
        return found


class CountingStore(Store):
    """The real store, whose leases and passed on news are counted. It gives the hints that PostgreSQL does."""

    counts: Counter[str]
    hearers: list[Callable[[], object]]  # one list for all that share the file

    def claim(self, target: str, call_seconds: float, *, anyhow: bool = False) -> Lease | float:
        lease = super().claim(target, call_seconds, anyhow=anyhow)
        if isinstance(lease, Lease):
            self.counts["turns"] += 1
            self.counts["takeovers"] += lease.foreign
        return lease

    def hasten(self, target: str, revision: str | None) -> bool:
        self.counts["passed on"] += 1
        hastened = super().hasten(target, revision)
        self.counts["hastened"] += hastened
        for heard in self.hearers if hastened else ():
            heard()
        return hastened

    def listen(self, heard: Callable[[], object]) -> None:
        self.hearers.append(heard)


def really(story: Story) -> Counter[str]:
    """What real agents do."""
    loop = VirtualLoop()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        site = Site(loop, [story.resources] * story.targets)
        state, hearers = f"sqlite:///{Path(folder) / 'state.db'}", []
        agents = [_agent(site, state, number, story) for number in range(story.replicas)]

        async def lived() -> None:
            chance = random.Random(story.seed)
            for place in range(story.targets):  # each has a home, and all is live
                agent = chance.choice(agents)
                agent.tenure.waiting = frozenset({site.names[place]})
                await agent.turn(place, {"start"})
            for agent in agents:
                _slow(agent)
                agent.store.counts, agent.store.hearers = counts, hearers  # type: ignore[attr-defined]
            running = [asyncio.ensure_future(agent.loop.run()) for agent in agents]
            await site.clock.sleep(story.interval / 2)
            counts.clear()
            began = site.clock.monotonic()
            before = [Counter(target.api.calls) for agent in agents for target in agent.targets]
            for commit in story.commits():
                await site.clock.sleep(began + commit.at - site.clock.monotonic())
                path = f"{site.names[commit.edits[0][0]]}/w{chance.randrange(story.resources):04}.json"
                site.edit(path, f"{chance.randrange(60)} {chance.randrange(24)} * * *")
                for agent in agents:
                    agent.wakeups.poke("git")
            await site.clock.sleep(began + story.seconds - site.clock.monotonic())
            found = dict(counts)
            calls = [target.api.calls for agent in agents for target in agent.targets]
            spent: Counter[str] = sum((Counter(now) - old for now, old in zip(calls, before, strict=True)), Counter())
            for agent in agents:
                agent.loop.stop()
            await asyncio.gather(*running)
            counts.clear()
            counts.update(found | {"lists": spent["list"], "writes": spent["write"]})

        run(lived(), loop)
        for agent in agents:
            agent.close()
        site.close()
    return counts


def _agent(site: Site, state: str, number: int, story: Story) -> Agent:
    sharing = Sharing(f"r{number}", story.lease, story.lease / 3)
    agent = Agent(site, state, story.interval, sharing, CountingStore.open)
    agent.store.counts = Counter()  # type: ignore[attr-defined]
    return agent


def _slow(agent: Agent) -> None:
    """From now on git and the store take the time that the play says they take."""
    costs = read_costs()

    def of(target: Target) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
        async def blocking(step: Callable[[], Any]) -> Any:
            await agent.clock.sleep(costs.fetch if step == target.source.fetch else costs.commit)
            return step()

        return blocking

    for target in agent.targets:
        target.blocking = of(target)


def played(story: Story) -> Counter[str]:
    """What the play says that they do: without a processor, which virtual time does not wait for."""
    days = story.seconds / 86_400.0
    plan = Plan(
        resources=story.targets * story.resources,
        targets=story.targets,
        days=days,
        seed=story.seed,
        interval=story.interval,
        goal=86_400.0,
        kill=9.0,
        lease=story.lease,
    )
    n = story.targets
    world = World(
        plan,
        sizes=[story.resources] * n,
        platforms=["dataos/v1"] * n,
        objects=[{"Workflow": story.resources}] * n,
        swept=[story.resources] * n,
        list_calls=[1] * n,
        credentials=[*range(n)],
        commits=story.commits(),
    )
    costs = read_costs()
    idle = {sort: (0.0, 0.0, commits) for sort, (_, _, commits) in costs.turns.items()}
    fleet = Fleet(world, story.replicas, replace(costs, turns=idle, wake=0.0, look=0.0, change_cpu=0.0))
    told = fleet.play()
    return Counter(
        {
            "turns": told.turns.total(),
            "takeovers": told.turns["takeover"],
            "passed on": told.passed_on,
            "hastened": told.hastened,
            "lists": told.calls["list"],
            "writes": told.calls["write"],
        }
    )


def apart(real: Counter[str], told: Counter[str], within: float) -> set[str]:
    """Counts that differ by more than this share of the larger one, and by more than a few."""
    return {
        name for name in real | told if abs(real[name] - told[name]) > max(_FEW, within * max(real[name], told[name]))
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.fleet.beside", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="stories, whose counts are added up")
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--targets", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--within", type=float, default=0.1, help="share of the larger count")
    words = parser.parse_args()
    quiet()
    real, told = Counter[str](), Counter[str]()
    for seed in range(words.seeds):
        story = Story(words.targets, replicas=words.replicas, seconds=words.seconds, seed=seed)
        real, told = real + really(story), told + played(story)
    differ = apart(real, told, words.within)
    for name in sorted(real | told):
        print(f"{name:10} {real[name]:7} really {told[name]:7} played{'  APART' * (name in differ)}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
