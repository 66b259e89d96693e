"""Worlds in which a guard matters: a platform that lags, tight windows, an operator who forbids more."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

import httpx

from agent.config.model import TargetConfig
from agent.definitions.platform import Window
from agent.model.identity import Revision
from agent.model.outcome import Report
from agent.model.suspension import Suspension
from agent.model.window import ApplyWindow
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import Commit, Refusal, create_app
from agent.sandbox.rate_limit import RateLimiter
from tests.simulation.kill import Life, MortalStore, MortalTransport
from tests.simulation.rules import Operator
from tests.simulation.story import TOKEN, Happening, World, definition

REQUESTS_MAX = 5000


class Endless(BaseException):
    """A process that sends without end; nothing in the agent may catch it."""


class Lasting(MortalTransport):
    """What was sent arrives, also when nobody waits for the answer any more."""

    def __init__(self, app: Any, life: Life) -> None:
        super().__init__(app, life)
        self._inner = _Shielded(app=app, raise_app_exceptions=True)
        self._sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._sent += 1
        if self._sent > REQUESTS_MAX:
            raise Endless(f"{self._sent} requests of one process, the last: {request.method} {request.url}")
        return await super().handle_async_request(request)


class _Shielded(httpx.ASGITransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        under_way = asyncio.ensure_future(super().handle_async_request(request))
        under_way.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(under_way)


class Cell(World):
    """A world whose stories have more words. Each is drawn with the story, so that a seed tells all."""

    lag = 0.0
    ready_after: float | None = None
    operators: Mapping[str, Any] = {}
    """What the operator wrote, laid over the usual configuration."""
    stopping = False

    def arrange(self) -> None:
        self.sandbox.switches.lag = self.lag

    def wire(self, life: Life) -> httpx.AsyncBaseTransport:
        return Lasting(self.app, life)

    def config(self) -> TargetConfig:
        return dataclasses.replace(super().config(), **self.operators)

    def operator(self) -> Operator:
        config = self.config()
        return dataclasses.replace(
            super().operator(),
            prune=config.prune,
            deletes_max=config.limits.deletes_max,
            deletes_share=config.limits.deletes_share_max,
            drift=config.drift,
            adopt=config.adopt,
        )

    def wish(self, revision: Revision) -> Wish:
        """A process that was told to stop has ended; this is the next one's pass."""
        self.stopping, self.judge.rules.stopped = False, None
        return dataclasses.replace(super().wish(revision), stopping=lambda: self.stopping)

    async def one_pass(self, target: Target) -> Report | None:
        began = self.clock.monotonic()
        try:
            return await super().one_pass(target)
        finally:
            self.judge.lasted(self.clock.monotonic() - began)

    def happen(self, happening: Happening) -> None:
        details = happening.details
        act = getattr(self, "do_" + happening.what.replace(" ", "_"), None)
        if act is None:
            super().happen(happening)
            return
        self.log.append(f"{self.clock.monotonic():9.2f} {happening.what}")
        try:
            act(**details)
        except Refusal:
            pass  # the object is not there to be clicked on

    def do_stop(self) -> None:
        self.stopping, self.judge.rules.stopped = True, self.clock.now()

    def do_switch(self, **changes: Any) -> None:
        self.sandbox.switches.change(changes)

    def do_faults_end(self) -> None:
        self.sandbox.faults.clear()

    def do_person_changes(self, name: str, change: Mapping[str, Any], workspace: str = "public") -> None:
        self.sandbox.person_edit("workflow", name, change, workspace=workspace)

    def do_person_tags(self, name: str, tag: str) -> None:
        there = next((each for each in self.sandbox.resources() if each["name"] == name), None)
        if there is not None:
            self.sandbox.person_edit("workflow", name, {"tags": [*there["tags"], tag]}, workspace="public")

    def do_person_writes(self, document: Mapping[str, Any]) -> None:
        self.sandbox.person_create(document)

    def do_person_takes(self, name: str, workspace: str = "public") -> None:
        self.sandbox.person_delete("workflow", name, workspace=workspace)

    def do_suspend(self, selector: str) -> None:
        """Said in a command beside the running agent."""
        store = MortalStore.open(f"sqlite:///{self.path}", clock=self.clock, random_bytes=lambda n: b"0" * n)
        store.suspend(Suspension("main", selector, "a person looks into it", "a person", self.clock.now(), None))
        store.close()


class Hurried(Cell):
    """The agent looks every five seconds, and comes back as soon after a death."""

    interval = 5.0


class Overtaken(Hurried):
    """The same, and reads are eight seconds old."""

    lag = 8.0


class Patient(Cell):
    """Reads are ten seconds old, and the agent looks every seven."""

    lag = 10.0
    interval = 7.0


class Reporting(Cell):
    """Drift is told and not healed."""

    operators = {"drift": "report"}  # noqa: RUF012 - read only


class Scattered(Cell):
    """Reads may be ten seconds old, the agent looks every three, and drift is told and not healed."""

    interval = 3.0
    operators = {"drift": "report"}  # noqa: RUF012

    def operator(self) -> Operator:
        return dataclasses.replace(super().operator(), lag=10.0)


class KeepsAll(Cell):
    """Nothing is pruned."""

    operators = {"prune": False}  # noqa: RUF012


class Careful(Cell):
    """Objects that exist already are never taken over."""

    operators = {"adopt": "never"}  # noqa: RUF012


class Windowed(Cell):
    """Writes are allowed in the first three minutes of each ten."""

    operators = {"windows": (ApplyWindow(True, "*/10 * * * *", 180.0),)}  # noqa: RUF012

    def operator(self) -> Operator:
        return dataclasses.replace(super().operator(), closed=lambda moment: moment % 600.0 > 180.0 + 40.0)


class Tight(Cell):
    """Windows that a handful of manifests fills."""

    windows = {60.0: 30, 900.0: 120}  # noqa: RUF012
    interval = 15.0

    def arrange(self) -> None:
        super().arrange()
        self.sandbox.limiter = RateLimiter(tuple((limit, seconds) for seconds, limit in self.windows.items()))
        windows = tuple(Window(limit, seconds) for seconds, limit in self.windows.items())
        platform = definition()
        self.platform = dataclasses.replace(platform, budget=dataclasses.replace(platform.budget, windows=windows))


class Fixed(Cell):
    """A platform whose workflows cannot change their schedule in place, and whose operator asks for it."""

    def arrange(self) -> None:
        super().arrange()
        platform = definition()
        kind = platform.kinds["Workflow"]
        rule = next(rule for rule in kind.fields if rule.pointer == "/*")
        fixed = dataclasses.replace(rule, pointer="/workflow/schedule/cron", read="/spec/workflow/schedule/cron")
        fields = (*kind.fields, dataclasses.replace(fixed, immutable=True))
        self.platform = dataclasses.replace(
            platform,
            kinds={**platform.kinds, "Workflow": dataclasses.replace(kind, fields=fields, replace="deleteFirst")},
        )


class Owned(Cell):
    """The platform makes the caller the owner, whatever a document says."""

    def arrange(self) -> None:
        super().arrange()
        self.sandbox.switches.change({"force_owner": True})


class Moving(Cell):
    """From a moment on the server's name in the configuration is another one, and leads to another system."""

    moved = False

    def arrange(self) -> None:
        super().arrange()
        self.elsewhere = create_app(token=TOKEN, clock=self.clock, seed=self.seed)
        self.elsewhere.state.sandbox.on_commit(self.written_elsewhere)

    def written_elsewhere(self, commit: Commit) -> None:
        self.judge.violations.append(f"I6: made {commit.name} in another system than the inventory's")

    def do_move(self) -> None:
        self.moved = True

    def do_return(self) -> None:
        self.moved = False

    async def one_pass(self, target: Target) -> Report | None:
        target.server = "http://elsewhere.example" if self.moved else "http://sandbox.example"
        return await super().one_pass(target)

    def wire(self, life: Life) -> httpx.AsyncBaseTransport:
        return _Fork(self, life)


class _Fork(Lasting):
    """Leads to the one system or to the other."""

    def __init__(self, world: Moving, life: Life) -> None:
        super().__init__(world.app, life)
        self._world = world
        self._other = httpx.ASGITransport(app=world.elsewhere)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._world.moved:
            return await self._other.handle_async_request(request)
        return await super().handle_async_request(request)
