"""Turns at targets that several agents share: take the lease, keep it alive beside the work, give it back.

Called by ``loop``, and by the wiring for what a person runs beside the agents. What a lease guards is in
``store/holding``; here is when it is asked for. The home of a target works at its own pace and the others look once a
second for one that nobody came for; a hint from the database only makes that look come sooner.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from agent.errors import AgentError, LeaseLost, Refused, StoreError
from agent.reconcile.heads import newest
from agent.reconcile.target import Target
from agent.store.holding import Holding, Lease

TICK_SECONDS = 1.0
"""How often an agent asks which targets wait for somebody."""
BESIDE_SECONDS = 60.0
"""How long a person's command waits for an agent's turn to end."""
_BEATS = 3  # in the time of a lease
_AFTER_TROUBLE_SECONDS = 5.0

_log = structlog.get_logger("datakeel")


@dataclass(slots=True)
class Turn:
    """One lease while it is worked under. ``lost``: another agent has the target, so that nothing more is sent."""

    lease: Lease
    lost: bool = False

    def is_over(self, now: float) -> bool:
        """Whether a write that begins now would be refused."""
        return self.lost or self.lease.ends_at - now <= self.lease.call_seconds


@dataclass(slots=True)
class Tenure:
    """The turns of one process. ``mine`` are targets that this process is the home of, as far as it knows."""

    store: Holding
    targets: Sequence[Target]
    mine: set[str] = field(default_factory=set)
    waiting: frozenset[str] = frozenset()  # those that nobody came for, or that somebody has hastened
    current: Turn | None = None
    not_before: dict[str, float] = field(default_factory=dict)  # after trouble with the store, on the monotonic clock
    losses: int = 0  # turns that were lost to another agent
    beside: Callable[[], Awaitable[None]] | None = None  # what else is looked for in the store, as often

    def is_over(self) -> bool:
        """Whether the turn under way may write no more."""
        return self.current is not None and self.current.is_over(self.targets[0].clock.monotonic())

    def due_at(self, target: Target, own: float) -> float:
        """When the next turn is wanted: by the pace of its home, and else when it has waited too long."""
        wanted = -math.inf if target.name in self.waiting else own if target.name in self.mine else math.inf
        return max(wanted, self.not_before.get(target.name, -math.inf))

    async def turn_at(
        self,
        target: Target,
        reasons: set[str],
        own: Callable[[], float],
        work: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        """``work`` under the lease, if this process is the one to take it and there is something to do.

        ``own`` is when the next turn is due by the pace of this process; ``reasons`` are what woke it.
        """
        waited = target.name in self.waiting
        if not waited and target.name not in self.mine:
            await self._pass_on(target, reasons)
            return
        if not (reasons or waited or target.clock.monotonic() >= own()):
            return
        try:
            turn = await self.take(target)
        except StoreError as error:
            _log.warning("store.failed", target=target.name, message=error.what)
            self.not_before[target.name] = target.clock.monotonic() + _AFTER_TROUBLE_SECONDS
            return
        if not isinstance(turn, Turn):
            return
        self.current = turn
        try:
            async with self.beating(target, turn):
                await work(reasons | {"lease"} if waited else reasons)
        finally:
            self.current = None
            await self.give_back(target, turn, own() - target.clock.monotonic())

    async def take(self, target: Target, *, anyhow: bool = False) -> Turn | float:
        """The turn, or after how many seconds to ask again. Whatever others did meanwhile is no longer believed."""
        claimed = await target.blocking(
            lambda: self.store.claim(target.name, target.config.deadline_seconds, anyhow=anyhow)
        )
        self.waiting -= {target.name}
        if not isinstance(claimed, Lease):
            self.mine.discard(target.name)
            return float(claimed)
        if not anyhow:
            self.mine.add(target.name)
        if claimed.foreign:
            target.begin_anew()
        return Turn(claimed)

    @asynccontextmanager
    async def beating(self, target: Target, turn: Turn) -> AsyncIterator[None]:
        """The lease is kept alive until the end of the block. First, what a former holder may still send is waited for.

        A holder that is frozen between its last look at the clock and its socket sends one call when it wakes: the
        journal tells which, and one deadline later it has arrived or has not.
        """
        beat = asyncio.ensure_future(self._beat(target, turn))
        try:
            if turn.lease.inherited:
                opened = target.store.open_intents(target.name)
                _log.info("lease.inherited", target=target.name, epoch=turn.lease.epoch, open_calls=len(opened))
                if opened:
                    await target.clock.sleep(target.config.deadline_seconds)
            yield
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def give_back(self, target: Target, turn: Turn, due_in: float) -> None:
        """The next turn is due in so many seconds. An error is told: the lease ends by itself."""
        due_in = min(max(0.0, due_in), 86_400.0)
        try:
            kept = await target.blocking(lambda: self.store.give_back(turn.lease, due_in, target.walking))
        except StoreError as error:
            _log.warning("store.failed", target=target.name, message=error.what)
            return
        if not kept:
            self.lose(target, turn)

    def lose(self, target: Target, turn: Turn) -> None:
        """Somebody else has the target: said once."""
        if not turn.lost or target.name in self.mine:
            _log.warning("lease.lost", target=target.name, epoch=turn.lease.epoch)
            self.losses += 1
        turn.lost = True
        self.mine.discard(target.name)

    async def watch(self, wake: Callable[[], None]) -> None:
        """Until cancelled: which targets wait for somebody, about once a second and whenever a hint comes."""
        first, hint = self.targets[0], asyncio.Event()
        running = asyncio.get_running_loop()
        listener = self.store.listen(lambda: running.call_soon_threadsafe(hint.set))
        try:
            while True:
                await self.look()
                if self.beside is not None:
                    await self.beside()
                if self.waiting:
                    wake()
                tick = asyncio.ensure_future(first.clock.sleep(TICK_SECONDS * (0.75 + first.random.random() / 2)))
                told = asyncio.ensure_future(hint.wait())
                try:
                    await asyncio.wait((tick, told), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    tick.cancel()
                    told.cancel()
                hint.clear()
        finally:
            if listener is not None:
                listener.close()

    async def look(self) -> None:
        """Ask once which targets wait for somebody."""
        try:
            found = await self.targets[0].blocking(lambda: self.store.may_take(frozenset(self.mine)))
        except StoreError:
            return  # told by those who work; nothing can be taken meanwhile
        self.waiting = found & {target.name for target in self.targets}

    async def _pass_on(self, target: Target, reasons: set[str]) -> None:
        """What woke this process may be news for the one that is the home of the target."""
        if not reasons - {"start"}:
            return
        try:
            revision = (await newest(target)).revision.commit
            await target.blocking(lambda: self.store.hasten(target.name, revision))
        except AgentError as error:
            _log.warning("news.not_passed_on", target=target.name, message=error.what)

    async def leave(self) -> None:
        """The agent ends: the others take what it was the home of, at once."""
        try:
            await self.targets[0].blocking(self.store.leave)
        except StoreError as error:
            _log.warning("store.failed", message=error.what)

    async def _beat(self, target: Target, turn: Turn) -> None:
        """Extends the lease. A store that cannot be asked is asked again: the deadline stands until it answers."""
        sharing = self.store.sharing
        assert sharing is not None
        pause = sharing.seconds / _BEATS
        while not turn.lost:
            await target.clock.sleep(pause)
            try:
                await target.blocking(lambda: self.store.extend(turn.lease))
            except LeaseLost:
                self.lose(target, turn)
            except StoreError as error:
                _log.warning("lease.unconfirmed", target=target.name, message=error.what)
                pause = min(pause, TICK_SECONDS)
            else:
                pause = sharing.seconds / _BEATS


@asynccontextmanager
async def held_for_a_person(store: Holding, targets: Sequence[Target]) -> AsyncIterator[None]:
    """All of these targets, for one command beside the agents; their homes stay what they were.

    Raises Refused for one whose turn does not end in time.
    """
    tenure = Tenure(store, targets)
    async with AsyncExitStack() as stack:
        for target in targets:
            turn = await _waited_for(tenure, target)
            stack.push_async_callback(tenure.give_back, target, turn, 0.0)
            await stack.enter_async_context(tenure.beating(target, turn))
        yield


async def _waited_for(tenure: Tenure, target: Target) -> Turn:
    until = target.clock.monotonic() + BESIDE_SECONDS
    while True:
        turn = await tenure.take(target, anyhow=True)
        if isinstance(turn, Turn):
            return turn
        if target.clock.monotonic() >= until:
            raise Refused(
                f"an agent works at target {target.name}, and has not ended within {BESIDE_SECONDS:g} seconds",
                code="target-held",
                fix="try again once its pass is over; `datakeel status` tells",
            )
        await target.clock.sleep(min(turn, TICK_SECONDS))
