"""Real agents of a fleet in virtual time: the loop, leases, store and budgets, against sandboxes in their own process.

Used by ``measure``, which takes the time of single turns, and by ``beside``, which holds the play against them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from agent.clock import AgreedClock
from agent.live.budget_registry import BudgetRegistry
from agent.reconcile.loop import Loop
from agent.reconcile.pace import Pace
from agent.reconcile.sweep import Sweep
from agent.reconcile.target import Target
from agent.reconcile.tenure import Tenure
from agent.sandbox import create_app
from agent.source import Wakeups
from agent.store.holding import Sharing
from agent.store.store import Store
from tests.simulation.fleet.costs import CALL
from tests.simulation.in_process import InProcess
from tests.simulation.opening import config_of, open_target
from tests.simulation.source import MemorySource
from tests.simulation.story import workflow
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

TOKEN = "canary-token-93b1"
SETTLED = Sharing("r1", 90.0, 30.0)


class Line(httpx.AsyncBaseTransport):
    """The way to one sandbox. Processor time that is spent beyond it is not the agent's."""

    beyond = 0.0

    def __init__(self, app: Any, clock: VirtualClock) -> None:
        self._inner, self._clock = InProcess(app), clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._clock.sleep(CALL / 2)
        began = time.process_time()
        response = await self._inner.handle_async_request(request)
        Line.beyond += time.process_time() - began
        await self._clock.sleep(CALL / 2)
        return response


class Site:
    """What agents share: git and the platforms. ``sizes`` are the resources of the targets."""

    def __init__(self, loop: VirtualLoop, sizes: Sequence[int]) -> None:
        self.timeline, self.clock = loop, VirtualClock(loop)
        self.names = [f"t{number:04}" for number in range(len(sizes))]
        self.source = MemorySource()
        self.files = {
            f"{name}/w{number:04}.json": workflow(f"{name}-w{number:04}", "0 1 * * *")
            for name, size in zip(self.names, sizes, strict=True)
            for number in range(size)
        }
        self.source.commit(self.files)
        # Targets with nothing in them are never called: one sandbox does for all of them.
        made = [self._app() for _ in (self.names if self.files else self.names[:1])]
        self.apps = dict(zip(self.names, made * (1 if self.files else len(self.names)), strict=True))

    def _app(self) -> Any:
        return create_app(token=TOKEN, clock=self.clock, seed=1, ready_after=0.0, keep=10)

    def edit(self, path: str, cron: str) -> None:
        folder, _, file = path.partition("/")
        self.files[path] = workflow(f"{folder}-{file.removesuffix('.json')}", cron)
        self.source.commit(self.files)

    def close(self) -> None:
        for app in {id(app): app for app in self.apps.values()}.values():
            app.state.sandbox.close()


class Agent:
    """One process with the targets of a site, on a store that others may share."""

    def __init__(
        self,
        site: Site,
        state: str,
        interval: float,
        sharing: Sharing = SETTLED,
        store: Callable[..., Store] = Store.open,
    ) -> None:
        self.site, self.clock = site, site.clock
        self.chance = random.Random(f"7/{sharing.me}")
        agreed = AgreedClock(site.clock)
        self.store = store(state, clock=agreed, random_bytes=self.chance.randbytes)
        self.store.share(sharing, site.names)
        self.budgets = BudgetRegistry(agreed, self.store, self.chance)
        self.targets = [self._target(name, agreed, sharing) for name in site.names]
        self.wakeups = Wakeups(clock=site.clock, random=self.chance)
        self.tenure = Tenure(self.store, self.targets)
        self.loop = Loop(self.targets, self.wakeups, interval, tenure=self.tenure)
        self.loop.paces = {name: Pace() for name in site.names}
        self.loop.sweeps = {target.name: Sweep(target, interval) for target in self.targets}

    def _target(self, name: str, clock: AgreedClock, sharing: Sharing) -> Target:
        server = f"http://{name}.example"
        return open_target(
            config_of(
                name, server, folder=name, verify_seconds=86_400.0, deadline_seconds=min(30.0, sharing.seconds / 3)
            ),
            token=TOKEN,
            wire=Line(self.site.apps[name], self.site.clock),
            source=self.site.source,
            store=self.store,
            clock=clock,
            budgets=self.budgets,
            chance=self.chance,
        )

    async def turn(self, place: int, reasons: set[str]) -> None:
        """One turn at a target, as the loop gives it."""
        target = self.targets[place]
        await self.loop._held_turn(target, self.loop.paces[target.name], reasons)

    def close(self) -> None:
        self.store.close()
