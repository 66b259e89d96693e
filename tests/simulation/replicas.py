"""Several agents on one store in virtual time: ``python -m tests.simulation.replicas --seeds 500``.

The real loop, leases, store and sandbox. Agents are killed at their effects, stand still for longer than a lease, end
and begin anew, lose the database, and live hours apart; commits and people's edits go on. The judge reads
what the platform was sent, and the lease right before each commit. ``--sabotage`` takes one guard away at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog
from sqlalchemy import text

from agent.clock import AgreedClock
from agent.config.model import Limits
from agent.errors import StoreError
from agent.live.budget_registry import BudgetRegistry
from agent.reconcile.loop import Loop
from agent.reconcile.target import Target
from agent.reconcile.tenure import Tenure
from agent.sandbox import create_app
from agent.sandbox.messages import Refusal
from agent.source import Wakeups
from agent.store import versions
from agent.store.holding import Lease, Sharing
from agent.store.store import Store
from tests.simulation.in_process import InProcess
from tests.simulation.kill import Killed, Life
from tests.simulation.opening import config_of, open_target
from tests.simulation.places import memory_folder
from tests.simulation.source import MemorySource
from tests.simulation.story import workflow
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

TOKEN = "canary-token-51c0a7e9"
SERVER = "http://sandbox.example"
LEASE, DEADLINE, INTERVAL = 30.0, 9.0, 15.0
TARGETS = ("t0", "t1", "t2")
EACH = 3
_STORY_SECONDS = 400.0
_QUIET_SECONDS = 120.0
_READS = ("GET", "HEAD")
_SHARED: dict[str, Any] = {}  # what is made of the definition alone, and takes longer than a story
_NAME = re.compile(r"^name: [\"']?([\w-]+)", re.MULTILINE)


class Ice:
    """A process that stands still: whatever it waits for ends when it thaws."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.until = 0.0

    async def thawed(self) -> None:
        while (wait := self.until - self._clock.monotonic()) > 0:
            await asyncio.sleep(wait)


class OwnClock(VirtualClock):
    """The clock of one machine, which stands still with its process."""

    def __init__(self, loop: VirtualLoop, ice: Ice, wrong_by: float) -> None:
        super().__init__(loop)
        self.wrong_by = wrong_by
        self._ice = ice

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self._ice.thawed()


class SharedStore(Store):
    """The real store with a server's clock, points of death, and a judge that reads the lease before each commit."""

    life: Life | None = None
    world: World
    replica = ""
    fenced = True

    def _on_time(self, connection: Any) -> float:
        now = self.world.true.now()
        asked = self._clock.monotonic()
        if isinstance(self._clock, AgreedClock):
            self._clock.agree(now, asked, asked)
        return now

    def claim(self, target: str, call_seconds: float, *, anyhow: bool = False) -> Lease | float:
        lease = super().claim(target, call_seconds, anyhow=anyhow)
        if isinstance(lease, Lease):
            self.world.taken(target, self.replica)
        return lease

    def _fence(self, connection: Any, target: str) -> None:
        if self.fenced:
            super()._fence(connection, target)
        holder = connection.execute(text("SELECT holder FROM lease WHERE target = :of"), {"of": target}).scalar()
        if holder != self.replica:
            self.world.broken(f"{self.replica} commits for {target}, which {holder} has")

    @contextmanager
    def _write(self, *arguments: Any, **words: Any) -> Iterator[Any]:
        self._reachable()
        with super()._write(*arguments, **words) as connection:
            yield connection
            if self.life is not None:
                self.life.point("commit")
        if self.life is not None:
            self.life.point("committed")

    @contextmanager
    def _read(self) -> Iterator[Any]:
        self._reachable()
        with super()._read() as connection:
            yield connection

    def _reachable(self) -> None:
        if self.life is not None and self.world.true.monotonic() < self.world.away_until:
            raise StoreError("the database is away")


class Wire(httpx.AsyncBaseTransport):
    """The way of one process to the platform: it takes its time, ends with the process, and stands still with it."""

    def __init__(self, world: World, replica: Replica) -> None:
        self._world, self._replica = world, replica
        self._inner = InProcess(world.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, replica = self._world, self._replica
        replica.life.point(f"send {request.method}")
        began = world.true.monotonic()
        await replica.ice.thawed()
        stood_still = world.true.monotonic() > began
        await asyncio.sleep(world.chance.uniform(0.01, 0.4))
        if request.method not in _READS:
            world.written(replica, await request.aread(), request.url.path, stood_still=stood_still)
        response = await self._inner.handle_async_request(request)
        await asyncio.sleep(world.chance.uniform(0.01, 0.4))
        await replica.ice.thawed()
        replica.life.point(f"answer {request.method}")
        return response


class Unleased(SharedStore):
    """Whoever asks gets the target."""

    def claim(self, target: str, call_seconds: float, *, anyhow: bool = False) -> Lease | float:
        with self._write() as connection:
            connection.execute(text("UPDATE lease SET holder = NULL, lease_until = NULL, home = NULL, due_at = 0"))
        return super().claim(target, call_seconds, anyhow=anyhow)


class Unfenced(SharedStore):
    """What is committed is not compared with the lease."""

    fenced = False


class Replica:
    """One process: its loop, its store, its clocks."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.name = f"r{number}"
        chance = random.Random(f"{self.name}/{world.seed}")
        self.ice = Ice(world.true)
        self.life = Life(chance.randint(1, 500) if chance.random() < 0.6 and not world.is_over else None)
        clock = AgreedClock(OwnClock(world.loop, self.ice, chance.choice((0.0, 18_000.0, -25_200.0))))
        self.store = world.store_type.open(f"sqlite:///{world.path}", clock=clock, random_bytes=chance.randbytes)
        self.store.world, self.store.replica, self.store.life = world, self.name, self.life
        self.wakeups = Wakeups(clock=clock, random=chance)
        self.chance, self.clock = chance, clock
        self.loop: Loop | None = None
        self.task = asyncio.ensure_future(self._lives())

    async def _lives(self) -> None:
        try:
            self.store.share(Sharing(self.name, LEASE, LEASE / 3), TARGETS)
            targets = [self._target(name) for name in TARGETS]
            tenure = Tenure(self.store, targets)
            self.loop = Loop(targets, self.wakeups, INTERVAL, tenure=tenure)
            await self.loop.run()
        except (Killed, StoreError) as end:
            self.life.dead = True
            self.life.points.append("")
            self.world.ends[type(end).__name__] += 1

    def _target(self, name: str) -> Target:
        world = self.world
        config = config_of(
            name,
            SERVER,
            folder=name,
            limits=Limits(deletes_max=9, deletes_share_max=1.0),
            verify_seconds=30.0,
            deadline_seconds=DEADLINE,
        )
        made = open_target(
            config,
            token=TOKEN,
            wire=Wire(world, self),
            source=world.source,
            store=self.store,
            clock=self.clock,
            budgets=BudgetRegistry(self.clock, self.store, self.chance),
            chance=self.chance,
            concurrency=3,
            windows=(),
        )
        made._types, made._books = _SHARED.setdefault("types", {}), _SHARED.setdefault("books", made.books)
        return made

    @property
    def is_dead(self) -> bool:
        return self.task.done()

    def stop(self) -> None:
        if self.loop is not None:
            self.loop.stop()

    async def end(self) -> None:
        self.life.dead = True
        self.life.points.append("the end")
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.store.close()


@dataclass
class Told:
    """What came of one seed."""

    seed: int
    violations: list[str]
    reached: Counter[str]


class World:
    """Git, platform, database and processes of one story."""

    def __init__(self, seed: int, folder: Path, loop: VirtualLoop, store_type: type[SharedStore]) -> None:
        self.seed, self.loop, self.store_type = seed, loop, store_type
        self.true = VirtualClock(loop)
        self.chance = random.Random(f"replicas/{seed}")
        self.app = create_app(token=TOKEN, clock=self.true, seed=seed, limits=False, ready_after=0.0)
        self.sandbox = self.app.state.sandbox
        self.path = folder / "state.db"
        self.path.write_bytes(versions.fresh_file())
        self.source = MemorySource()
        self.crons: dict[str, str] = {f"{name}-w{number}": "0 1 * * *" for name in TARGETS for number in range(EACH)}
        self.away_until = 0.0
        self.holders: dict[str, str] = {}
        self.excused: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.violations: list[str] = []
        self.made: Counter[str] = Counter()
        self.is_over = False
        self.later: list[asyncio.Future[None]] = []
        self.replicas: list[Replica] = []
        self.born = 0
        self.commit()

    # What the judge is told

    def broken(self, what: str) -> None:
        self.violations.append(f"{self.true.monotonic():8.2f} {what}")

    def taken(self, target: str, replica: str) -> None:
        self.reached["taken over"] += self.holders.get(target) not in (None, replica)
        self.holders[target] = replica

    def written(self, replica: Replica, body: bytes, path: str, *, stood_still: bool) -> None:
        """A write arrives. Of a process that stood still between its last look and its socket, one may come late."""
        last = path.rstrip("/").rpartition("/")[2]
        name = last if "-w" in last else _NAME.search(body.decode())[1]  # type: ignore[index]
        target = name.partition("-")[0]
        self.reached["writes"] += 1
        if self.holders.get(target) != replica.name:
            if stood_still and self.excused[replica.name] < 3:  # as many as are sent at once
                self.excused[replica.name] += 1
                self.reached["late calls of frozen processes"] += 1
                return
            self.broken(f"{replica.name} wrote {name}, which {self.holders.get(target)} has")

    # What happens

    def commit(self) -> None:
        self.source.commit(
            {f"{name.partition('-')[0]}/{name}.json": workflow(name, cron) for name, cron in self.crons.items()}
        )

    async def play(self, seconds: float) -> None:
        for _ in range(3):
            self._begin()
        end = self.true.monotonic() + seconds
        while self.true.monotonic() < end and not self.violations:
            await asyncio.sleep(self.chance.uniform(1.0, 15.0))
            self._happens()
        self.is_over = True
        for replica in self.replicas:
            replica.ice.until = 0.0
            replica.life.last = None
        self.away_until = 0.0
        for _ in range(0 if self.violations else int(_QUIET_SECONDS / 10)):
            await asyncio.sleep(10.0)
            self._keep_three()
        if not self.violations:
            self._as_git_says()
        for replica in self.replicas:
            await replica.end()

    def _happens(self) -> None:
        chance, what = self.chance, self.chance.random()
        self._keep_three()
        if not self.replicas:
            return  # all have died, and the database is away
        at_work = [each for each in self.replicas if each.loop and each.loop.tenure and each.loop.tenure.current]
        replica = chance.choice(at_work or self.replicas)
        now = self.true.monotonic()
        if what < 0.4:
            self.crons[chance.choice([*self.crons])] = f"{chance.randrange(60)} {chance.randrange(24)} * * *"
            self.commit()
        elif what < 0.65:
            self.reached["frozen"] += 1
            replica.ice.until = now + chance.uniform(0.3, 2.5) * LEASE
        elif what < 0.77:
            self.reached["killed"] += 1
            replica.life.last = len(replica.life.points) + chance.randint(1, 4)
        elif what < 0.85:
            self.reached["stopped"] += 1
            replica.stop()
        elif what < 0.92:
            self.reached["database away"] += 1
            self.away_until = now + chance.uniform(1.0, 2 * LEASE)
        elif what < 0.96:
            self.reached["a person's command"] += 1
            self.later.append(asyncio.ensure_future(self._person(chance.choice(TARGETS), chance.uniform(0.0, 8.0))))
        else:
            name = chance.choice([*self.crons])
            with contextlib.suppress(Refusal):
                self.sandbox.person_edit("workflow", name, {"description": str(chance.random())}, workspace="public")

    async def _person(self, target: str, seconds: float) -> None:
        """Somebody's `apply` holds a target for a while, between two turns of an agent."""
        store = SharedStore.open(f"sqlite:///{self.path}", clock=self.true)
        store.world, store.replica = self, "a person"
        store.share(Sharing(store.replica, LEASE, LEASE / 3), TARGETS)
        lease = store.claim(target, DEADLINE, anyhow=True)
        if isinstance(lease, Lease):
            await asyncio.sleep(seconds)
            store.give_back(lease, 0.0, None)
        store.close()

    def _keep_three(self) -> None:
        for replica in [each for each in self.replicas if each.is_dead]:
            self.replicas.remove(replica)
            replica.store.close()
        while len(self.replicas) < 3 and self.true.monotonic() >= self.away_until:
            self._begin()

    def _begin(self) -> None:
        self.born += 1
        self.replicas.append(Replica(self, self.born))

    def _as_git_says(self) -> None:
        shown = {
            name: record["written"]["workflow"]["schedule"]["cron"]
            for (_, _, _, name), record in self.sandbox.records.items()
            if "written" in record
        }
        for name, cron in self.crons.items():
            if shown.get(name) != cron:
                self.broken(f"{name} is {shown.get(name)} in the end, not {cron}")


def tell(seed: int, store_type: type[SharedStore] = SharedStore, seconds: float = _STORY_SECONDS) -> Told:
    """One story, in which things happen for so long."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        loop = VirtualLoop(random.Random(f"order/{seed}"))
        asyncio.set_event_loop(loop)
        world = World(seed, Path(folder), loop, store_type)
        run(world.play(seconds), loop)
        world.sandbox.close()
        return Told(seed, world.violations, world.reached)


SABOTAGED: dict[str, tuple[type[SharedStore], int]] = {"leases off": (Unleased, 0), "fence off": (Unfenced, 3)}
"""What goes without a guard, and a seed at which it is noticed."""


def first_caught(store_type: type[SharedStore], seeds: int) -> int | None:
    """The first seed whose judge notices."""
    return next((seed for seed in range(seeds) if tell(seed, store_type, 150.0).violations), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.replicas")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--sabotage", action="store_true", help="without one guard at a time: each must be noticed")
    options = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks of the dead end as they like
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if options.sabotage:
        caught = {name: first_caught(wrong, options.seeds) for name, (wrong, _) in SABOTAGED.items()}
        for name, seed in caught.items():
            print(f"{name:12} {'NOT noticed' if seed is None else f'noticed at seed {seed}'}")
        return 1 if None in caught.values() else 0
    began, reached, broken = time.monotonic(), Counter[str](), 0
    for seed in range(options.first, options.first + options.seeds):
        told = tell(seed)
        reached.update(told.reached)
        if told.violations:
            broken += 1
            print(f"seed {seed}: {'; '.join(told.violations[:4])}", flush=True)
    print(f"{options.seeds} seeds, {broken} broken, {time.monotonic() - began:.0f} s; {dict(reached)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
