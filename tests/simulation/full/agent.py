"""One agent in the world: its store outlives it, its incarnations are born, pass, die and are told to stop.

:class:`Parts` is the seam for a wrong agent: each collaborator of an incarnation may be replaced, one at a time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.config.model import Limits, TargetConfig
from agent.definitions.platform import Platform, Window
from agent.definitions.promises import guesses
from agent.errors import AgentError, StoreError
from agent.live.api import ReadApi, open_api
from agent.live.budget import Budget
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.model.outcome import Report
from agent.reconcile.looking import look
from agent.reconcile.loop import Loop
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox.faults import read_rules
from agent.secrets import Secret
from agent.source import Source
from tests.platforms.conformance.examples import secret_names
from tests.platforms.folders import defaults_of, loaded
from tests.simulation.full import deaths
from tests.simulation.full.life import Killed, Life
from tests.simulation.full.referee import Referee
from tests.simulation.full.samples import samples_of
from tests.simulation.full.store import FailingStore, Trouble, copy_of, put_back, spoil
from tests.simulation.full.wire import Wire
from tests.simulation.full.world import CANARY, TOKEN, World, named_in

SERVER = "http://sandbox.example"
INTERVAL = 30.0


def unchanged(part: Any) -> Any:
    return part


@dataclass(frozen=True)
class Parts:
    """What an incarnation is made of; each function gets the right part and returns the one to use."""

    store: type[FailingStore] = FailingStore
    transport: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = unchanged
    clock: Callable[[Clock], Clock] = unchanged
    budget: Callable[[Budget], Budget] = unchanged
    source: Callable[[Source], Source] = unchanged
    platform: Callable[[Platform], Platform] = unchanged
    config: Callable[[TargetConfig], TargetConfig] = unchanged
    api: Callable[[ReadApi], ReadApi] = unchanged
    target: Callable[[Target], Target] = unchanged


RIGHT = Parts()


class Agent:
    """``deaths`` are the points at which its processes die, one after the other."""

    def __init__(
        self, world: World, name: str, folder: Path, template: bytes, parts: Parts, points: tuple[int, ...] = ()
    ) -> None:
        self.world = world
        self.target_name = name
        self.parts = parts
        self.points = [*points]
        self.path = folder / f"{name}.db"
        self.template = template
        self.path.write_bytes(template)
        self.referee = Referee(world, f"agent/{name}", name, self.path)
        world.sandbox.on_commit(self.referee.on_commit)
        self.kills = self.passes = self.incarnation = 0
        self.effects: list[str] = []
        self.outputs: list[str] = []
        self.excused: Counter[str] = Counter()
        self.old: bytes = template
        self.restart = ""
        self.pick = 0.0
        self.trouble: Trouble | None = None
        self.nowhere = 0
        """Passes in which the platform knows nothing: a wrong base path looks like this."""
        self.life = Life()
        self.loop: Loop | None = None
        """Its own, where it is at work rather than told when to look."""
        self.passing: asyncio.Future[Report | None] | None = None
        self.revision = ""
        self.target = self.born()

    # An incarnation

    def born(self, *, writable: bool = True) -> Target:
        """Only the store, git and the platform outlive its predecessor."""
        self.incarnation += 1
        self.life = Life(self.points.pop(0) if self.points else None)
        return self._assembled(self.life, writable=writable, name=self.referee.name)

    def _assembled(self, life: Life, *, writable: bool, name: str) -> Target:
        world, parts, cell = self.world, self.parts, self.world.story.cell
        clock = parts.clock(world.clock)
        store = parts.store.open(
            f"sqlite:///{self.path}", clock=clock, write=writable, random_bytes=random.Random(7).randbytes
        )
        if writable:
            store.lock()
            store.life, store.trouble = life, self.trouble
            store.reached = self._reached
            store.acts_on = self.acts_on
        chance = random.Random(f"agent/{world.story.seed}/{self.target_name}/{self.incarnation}")
        platform = parts.platform(loaded(cell.definition))
        config = parts.config(self._config(platform))
        credentials = {
            word: (lambda value=value: Secret(world.secret if value == TOKEN else value))
            for word, value in world.credentials.items()
        }
        connection = Connection(
            target=config.name,
            server=SERVER,
            settings=world.settings,
            credentials=credentials,
            deadline_seconds=config.deadline_seconds,
            concurrency=4,
            allow_http=True,
        )
        windows = tuple(Window(*each) for each in cell.windows) if cell.definition == "dataos/v1" else ()
        budget = BudgetRegistry(clock, store, chance).budget_for(platform, connection, 0.2, windows or None)
        api = open_api(
            platform,
            connection,
            clock=clock,
            budget=parts.budget(budget),
            random=chance,
            writable=writable,
            transport=parts.transport(Wire(world, name, life)),
        )
        values = {word: (lambda word=word: Secret(f"{CANARY} of {word}")) for word in config.secrets}
        secrets = SecretValues(values, store.installation_key)
        source = parts.source(world.source)
        return parts.target(Target(config, platform, parts.api(api), source, store, secrets, clock, chance, SERVER))

    def _config(self, platform: Platform) -> TargetConfig:
        cell = self.world.story.cell
        names = set().union(*(secret_names(sample.lean) for sample in samples_of(cell.definition)))
        return TargetConfig(
            self.target_name,
            platform.api_version,
            server=SERVER,
            settings=self.world.settings,
            secrets=dict.fromkeys(sorted(names)),  # type: ignore[arg-type]
            defaults=defaults_of(platform, ""),
            confirmed=tuple(name for kind in platform.kinds.values() for name, _ in guesses(kind)),
            prune=True,
            drift=cell.drift,  # type: ignore[arg-type]
            adopt=cell.adopt,  # type: ignore[arg-type]
            limits=Limits(deletes_max=3, deletes_share_max=0.9),
            verify_seconds=60.0,
            ready_timeout_seconds=30.0,
        )

    # Passes

    async def mortal_pass(self, wish: Wish | None = None) -> Report | None:
        """One pass; when its process dies in it, or was told to stop, the next one is born."""
        try:
            return await self._pass(wish)
        except Killed:
            self.died()
        return None

    def died(self) -> None:
        """What it was doing is over; another one is born."""
        world = self.world
        self.kills += 1
        point = self.life.points[-1]
        world.say(f"{self.target_name} dies at {point} ({len(self.life.points)})")
        for row in deaths.rows_of(self):
            world.reached[row] += 1
        self.reborn()

    def begins(self) -> None:
        """A pass does; what git's newest commit says is what it may act on."""
        self._admits()
        self.life.pass_began = len(self.life.points)
        self.in_doubt = bool(self.referee.books.open_rows())
        self.passes += 1

    def ended(self, report: Report | None) -> None:
        """A pass did, whatever came of it."""
        self.trouble = getattr(self.target.store, "trouble", None)
        if report is not None:
            self._told(report)
        self._rests()

    async def _pass(self, wish: Wish | None) -> Report | None:
        world, life = self.world, self.life
        self.begins()
        wish = wish or Wish(interval_seconds=INTERVAL, patient=True)
        wish = dataclasses.replace(wish, stopping=lambda: life.stopped)
        passing = self.passing = asyncio.ensure_future(reconcile_once(self.target, wish))
        report: Report | None = None
        try:
            with self.in_nowhere():
                report = await passing
        except AgentError as error:
            world.say(f"{self.target_name} failed: {error.what}")
            self.outputs.append(repr(error.what))
        except asyncio.CancelledError:
            if not life.stopped:
                raise
            world.say(f"{self.target_name} was cut off")
        self.ended(report)
        if life.stopped or self.restart:
            self.reborn()
        return report

    @contextmanager
    def in_nowhere(self) -> Iterator[None]:
        faults = self.world.sandbox.faults
        if self.nowhere <= 0:
            yield
            return
        self.nowhere -= 1
        (rule,) = read_rules({"fault": "not-found", "method": ("GET",), "label": "row A7"})
        faults.add(rule)
        try:
            yield
        finally:
            faults.rules = [each for each in faults.rules if each is not rule]

    def _admits(self) -> None:
        """What git's newest commit says is what this pass may act on; an older head is what it is told instead."""
        source = self.world.source
        older = source.how == "older" and source.fetches > 0 and len(source.revisions) > 1
        revision, tree = source.revisions[-2 if older else -1]
        said = named_in(source, tree)
        self.revision = revision.commit
        self.referee.admitted = dict.fromkeys(said, 0)
        self.referee.ever |= {*said}

    def acts_on(self, commit: str) -> None:
        """A write is for this revision, which need not be the newest any more."""
        source = self.world.source
        tree = next((tree for revision, tree in source.revisions if revision.commit == commit), None)
        if tree is not None and commit != self.revision:
            said = named_in(source, tree)
            self.revision = commit
            self.referee.admitted = dict.fromkeys(said, 0)
            self.referee.ever |= {*said}

    def _told(self, report: Report) -> None:
        done = [
            f"{each.change.action.value} {each.change.key} {each.result.value} {each.code or each.change.reason}"
            for each in report.outcomes
        ]
        played = self.world.source.played
        if played:
            self.world.reached[_PLAYED[played]] += 1
        self.world.say(f"{self.target_name} {report.revision.short}: {'; '.join(done) or 'nothing'}")
        self.outputs.append(repr(report))

    def _rests(self) -> None:
        self.referee.violations += [each for each in self.life.broken if each not in self.referee.violations]
        self.referee.at_rest()

    def reborn(self) -> None:
        """The process is gone; another one is born on what it left."""
        if not self.effects:
            self.effects = [*self.life.points]
        self.target.store.close()
        self._rests()
        how, self.restart = self.restart, ""
        if how:
            self._meddle(how)
        self.target = self.born()

    def _meddle(self, how: str) -> None:
        """What happens to the store while nobody runs."""
        world = self.world
        if how == "rotten":
            if spoil(self.path, self.pick):
                world.reached["S4"] += 1
        elif how in ("lost", "old"):
            self.referee.lost_store()
            world.losses.append(world.true.now())
            put_back(self.path, self.template if how == "lost" else self.old)
            world.reached["S5"] += 1
        world.say(f"the store of {self.target_name} is {how}")

    def keeps_a_copy(self) -> None:
        self.old = copy_of(self.path)

    def close(self) -> None:
        self.target.store.close()
        self.referee.books.close()

    def _reached(self, row: str) -> None:
        self.world.reached[row] += 1

    # Beside the passes

    def second_start(self) -> None:
        """H1: another agent on the same store refuses to start."""
        store = self.parts.store.open(
            f"sqlite:///{self.path}", clock=self.world.clock, random_bytes=random.Random(8).randbytes
        )
        self.world.reached["H1"] += 1
        try:
            store.lock()
            self.referee.broken("H1", "a second agent has the same store")
        except StoreError:
            pass
        finally:
            store.close()

    async def check(self) -> None:
        """I10: a check of a pull request, beside the agent and with another process's eyes, sends reads only."""
        name = f"check/{self.target_name}"
        target = self._assembled(Life(), writable=False, name=name)
        seen = len(self.world.sandbox.requests)
        try:
            await look(target, Wish(fresh=True))
        except AgentError as error:
            self.world.say(f"check failed: {error.what}")
        finally:
            target.store.close()
        logins = {"/api/auth/login"}
        sent = {
            f"{each.method} {each.path}"
            for each in self.world.sandbox.requests[seen:]
            if each.agent == name and each.method not in ("GET", "HEAD") and each.path not in logins
        }
        if sent:
            self.referee.broken("I10", f"a check sent {sorted(sent)}")

    def stop(self, grace: float) -> None:
        """SIGTERM: what is in flight has until the grace time is over."""
        self.life.stopped = True
        self.world.reached["K14"] += 1
        self.world.say(f"{self.target_name} is told to stop")
        passing = self.passing
        if self.loop is not None:
            self.loop.stop()
            passing = self.loop.passing
        if passing is not None:
            asyncio.get_running_loop().call_later(grace, lambda: passing.done() or passing.cancel())


_PLAYED = {"down": "G2", "older": "G13", "rewritten": "G1"}
