"""Plan -> Outcomes: every change in its own task. Called by ``reconcile/once``.

Changes that depend on one another wait; everything independent goes on when one fails. What a change sends is the
matter of ``writer``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import structlog

from agent.apply.departures import Departures
from agent.apply.readback import Work
from agent.apply.request import Outdated, Withdrawn
from agent.apply.writer import Writer, moved_on
from agent.errors import AgentError, StoreError
from agent.live.haste import is_overtaken
from agent.live.purpose import CALLS_OF_TASK
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.outcome import SUPERSEDED, Outcome, Result
from agent.tracing import note, span

_TURNS = 3
_log = structlog.get_logger("datakeel")


async def apply_plan(work: Work) -> tuple[Outcome, ...]:
    """Send every change of the plan that is to be sent; outcomes come in plan order."""
    executor = _Executor(work)
    tasks = {change.key: asyncio.ensure_future(executor.run(change)) for change in work.plan.changes}
    executor.tasks = tasks
    try:
        return tuple(await asyncio.gather(*tasks.values()))
    finally:
        for task in tasks.values():
            task.cancel()


class _Executor:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.writer = Writer(work)
        self.departures = Departures(sum(change.action is Action.DELETE for change in work.plan.changes))
        self.tasks: Mapping[Key, asyncio.Future[Outcome]] = {}
        self.needed = {key for change in work.plan.changes for key in change.depends_on}
        # An intent must not wait for its turn while it is open: only so many changes are under way at once.
        self.slots = asyncio.Semaphore(work.concurrency)

    async def run(self, change: Change) -> Outcome:
        await asyncio.sleep(0)  # all tasks exist before the first one looks for its dependencies
        counted = [0]
        CALLS_OF_TASK.set(counted)
        outcome = replace(await self.outcome_of(change), calls=counted[0])
        self.work.tell(outcome)
        return outcome

    async def outcome_of(self, change: Change) -> Outcome:
        if change.action in (Action.HOLD, Action.NONE):
            return Outcome(change, Result.HELD, code=change.reason, message=change.message)
        if change.action is Action.RELEASE and not change.unmarks:
            self.work.step.forget(change.key, tombstone=False)
            return Outcome(change, Result.DONE, message=change.message)
        if change.action is Action.DELETE:
            return await self.leave(change)
        return await self.after_dependencies(change) or await self.awaited(await self.in_slot(change))

    async def after_dependencies(self, change: Change) -> Outcome | None:
        """None once all that a change waits for is done and ready; else how it ends."""
        for key in change.depends_on:
            earlier = await asyncio.shield(self.tasks[key])
            if earlier.result is not Result.DONE or earlier.ready is False:
                return Outcome(change, Result.SKIPPED, code="DependencyFailed", message=f"waits for {key}")
        return None

    async def in_slot(self, change: Change) -> Outcome:
        async with self.slots:
            return await self.act(change)

    async def leave(self, change: Change) -> Outcome:
        """A delete that is refused because something else needs the object is tried again after each other delete."""
        outcome = None
        try:
            async with self.departures.aside():
                outcome = await self.after_dependencies(change)
            while outcome is None or outcome.in_use:
                gone = self.departures.gone
                outcome = await self.in_slot(change)
                if outcome.in_use and not await self.departures.after_another(gone):
                    break
            return outcome
        finally:
            await self.departures.ended(outcome is not None and outcome.result is Result.DONE)

    async def act(self, change: Change) -> Outcome:
        if self.work.stopping():
            return _put_off(change)
        if self.work.api.refuses_writes:
            what = "waits for a credential that the platform accepts"
            return Outcome(change, Result.SKIPPED, code="Unauthorized", message=what)
        self.work.begin(change)
        try:
            kind, name = change.key.kind, change.key.name
            with span("change", kind=kind, name=name, action=change.action.value, cause=change.cause.value) as within:
                outcome = await self.sent_in_time(change)
                note(within, result=outcome.result.value, code=outcome.code)
        except Withdrawn:
            return _put_off(change)
        except StoreError:
            raise  # without its journal nothing may be sent: the pass ends
        except AgentError as error:
            # Before the journal and the wire: a secret that cannot be read, for one.
            return Outcome(change, Result.NOT_DONE, code=error.error_code, message=error.what, terminal=True)
        except Exception as error:  # noqa: BLE001 - one of the places that may
            # A mistake of ours in one change must not end the others. Whether it was sent, its intent tells.
            _log.exception("change.crashed", kind=change.key.kind, name=change.key.name)
            told = f"an error of datakeel itself ({type(error).__name__}); the log has it in full"
            return Outcome(change, Result.UNKNOWN, code=AgentError.code, message=told)
        unsent = outcome.result is Result.NOT_DONE and outcome.status is None
        return _put_off(change) if unsent and is_overtaken() else outcome

    async def sent_in_time(self, change: Change) -> Outcome:
        """What a change comes to. One whose turn came long after it was looked at is looked at again first."""
        for _ in range(_TURNS):
            try:
                return await self.sent(change)
            except Outdated:
                continue
        return moved_on(change, "its turn came late, again and again")

    async def sent(self, change: Change) -> Outcome:
        """The requests of one change."""
        if change.action is Action.DELETE:
            return await self.writer.delete(change)
        if change.action is Action.CREATE:
            return await self.writer.create(change)
        if change.action is Action.RELEASE:
            return await self.writer.release(change)
        if change.action is Action.REPLACE:
            return await self.writer.replace(change)
        return self.handed_over(await self.writer.update(change))

    def handed_over(self, outcome: Outcome) -> Outcome:
        """What another target owned, or had another name, has a row of its own: only now is the other one forgotten."""
        handed = self.work.ground.handover.handed.get(outcome.change.key)
        former = handed.key if handed is not None else outcome.change.moved_from
        if former is not None and outcome.result is Result.DONE:
            self.work.step.forget(former, tombstone=False)
        return outcome

    async def awaited(self, outcome: Outcome) -> Outcome:
        """Wait until it is ready, where somebody waits for that; no slot is held meanwhile."""
        key = outcome.change.key
        kind = self.work.ground.platform.kinds[key.kind]
        # A run may take hours, and one that is scheduled never ends: only what depends on it waits for that.
        waits = key in self.needed or (self.work.wait_for_all and not kind.is_run)
        if outcome.ready is not False or not waits:
            return outcome
        health, waited = await self.work.readiness.wait(kind, key, outcome.change.server_id)
        self.work.step.remember_health(key, health)
        return replace(outcome, ready=health == "ready", ready_after_seconds=waited)


def _put_off(change: Change) -> Outcome:
    """Not begun, because somebody else goes first: the end of the agent, or a newer commit."""
    if is_overtaken():
        return Outcome(change, Result.SKIPPED, code=SUPERSEDED, message="a newer commit is there")
    return Outcome(change, Result.SKIPPED, code="Stopping", message="the agent is stopping")
