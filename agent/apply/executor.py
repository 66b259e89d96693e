"""Plan -> Outcomes: every change in its own task, each mutating call journalled before its first byte.

Called by ``reconcile/once``. Changes that depend on one another wait; everything independent goes on when one fails.
No choice is made here: a change whose live object is no longer what the plan saw is left to the next pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.apply.readback import Work, compared, confirm, confirm_gone
from agent.apply.request import Sent, Verb, Withdrawn
from agent.definitions.platform import Kind
from agent.errors import AgentError, StoreError
from agent.live.look import look_at
from agent.live.purpose import CALLS_OF_TASK, Purpose
from agent.live.rows import id_of, owner_of
from agent.model.canonical import digest
from agent.model.change import Action, Change, FieldOp
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import Outcome, Result
from agent.model.resource import Present, Resource
from agent.plan.compose import compose_create, compose_update, mark_text
from agent.plan.ground import key_to_json
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.prune import is_ours
from agent.plan.rules import RuleBook

# An observation older than this is renewed right before the write (seconds).
LOOK_LASTS = 10.0


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
        if change.action is Action.RELEASE:
            self.work.step.forget(change.key, tombstone=False)
            return Outcome(change, Result.DONE, message=change.message)
        for key in change.depends_on:
            earlier = await asyncio.shield(self.tasks[key])
            if earlier.result is not Result.DONE or earlier.ready is False:
                return Outcome(change, Result.SKIPPED, code="DependencyFailed", message=f"waits for {key}")
        async with self.slots:
            outcome = await self.act(change)
        return await self.awaited(outcome)

    async def act(self, change: Change) -> Outcome:
        if self.work.stopping():
            return Outcome(change, Result.SKIPPED, code="Stopping", message="the agent is stopping")
        try:
            if change.action is Action.DELETE:
                return await self.delete(change)
            if change.action is Action.CREATE:
                return await self.create(change)
            if change.action is Action.REPLACE:
                gone = await self.delete(change)
                return await self.create(change) if gone.result is Result.DONE else gone
            return await self.update(change)
        except Withdrawn:
            return Outcome(change, Result.SKIPPED, code="Stopping", message="the agent is stopping")
        except StoreError:
            raise  # without its journal nothing may be sent: the pass ends
        except AgentError as error:
            # Before the journal and the wire: a secret that cannot be read, for one.
            return Outcome(change, Result.NOT_DONE, code=error.error_code, message=error.what, terminal=True)

    async def awaited(self, outcome: Outcome) -> Outcome:
        """Wait until it is ready, where somebody waits for that; no slot is held meanwhile."""
        key = outcome.change.key
        if outcome.ready is not False or not (self.work.wait_for_all or key in self.needed):
            return outcome
        kind = self.work.ground.platform.kinds[key.kind]
        health, waited = await self.work.readiness.wait(kind, key, outcome.change.server_id)
        self.work.step.remember_health(key, health)
        return replace(outcome, ready=health == "ready", ready_after_seconds=waited)

    async def create(self, change: Change) -> Outcome:
        work, kind, resource, book = self.work, *self.parts(change)
        if change.action is not Action.REPLACE and self.aged():
            reply = (await look_at(work.api, kind, change.key, None, Purpose.LOOK, uid=change.uid)).reply
            if reply.answer != "notFound":
                return _moved_on(change, "it is there now" if reply.answer == "ok" else reply.message or reply.answer)
        mark = self.mark(change)
        body = compose_create(book, resource.read(), mark)
        row = self.row_after(change, resource, None, proof="created")
        operation: Verb = "create" if kind.create is not None else "apply"
        sent = await work.step.send(
            change, operation, kind, None, body, row=row, applied=self.applied(resource, book), base=None
        )
        return await self.finished(change, sent, resource)

    async def update(self, change: Change) -> Outcome:
        """An update, or an adoption: the same write, with another proof."""
        work, kind, resource, book = self.work, *self.parts(change)
        seen = work.observed.of(change.key)
        if not isinstance(seen, Present) or seen.live is None:
            return _moved_on(change, "it was not read")
        live = seen.live
        if self.aged():
            reply = (await look_at(work.api, kind, change.key, change.server_id, Purpose.LOOK, uid=change.uid)).reply
            if reply.answer != "ok":
                return _moved_on(change, reply.message or reply.answer)
            if owner_of(kind, reply.item, change.uid) != seen.owner or id_of(kind, reply.item) != seen.id:
                return _moved_on(change, "it has another owner or identity now")
            live = reply.item
        row = work.ground.rows.get(change.key)
        applied = work.ground.applied.get(change.key, {}).get("spec") if row is not None else None
        found = compared(work, book, resource, applied, live, row)
        planned = {field.pointer for field in change.fields}
        new = [field for field in found.fields if field.pointer not in planned]
        if self.aged() and any(field.cause.value != "drift" for field in new):
            return _moved_on(change, f"`{new[0].path}` changed meanwhile")
        keep = {field.pointer for field in new} | {*resource.lifecycle.ignore, *resource.lifecycle.create_only}
        keep |= set(row.not_kept) if row is not None else set()
        mark = self.mark(change)
        proof = row.proof if row is not None else "rebuilt" if seen.owner == change.uid else "adopted"
        after = self.row_after(change, resource, row, proof=proof, server_id=seen.id)
        if change.action is Action.ADOPT and found.same and (mark is None or seen.owner == change.uid):
            work.step.remember(after, self.applied(resource, book))
            return Outcome(
                change, Result.DONE, message="recorded; nothing had to be sent", ready=seen.health == "ready"
            )
        operation: Verb = "update" if kind.update is not None else "apply"
        body = compose_update(
            book,
            resource.read(),
            applied,
            live,
            mark=mark,
            keep=keep,
            named=_top_level(kind.schema),
            only=_changed(kind, change, mark),
        )
        base = digest(fingerprinted(book, live_spec(book, live), work.ground.fingerprint))
        sent = await work.step.send(
            change,
            operation,
            kind,
            seen.id,
            body,
            row=after,
            applied=self.applied(resource, book),
            base=base,
            live=live,
        )
        return await self.finished(change, sent, resource)

    async def delete(self, change: Change) -> Outcome:
        work, kind = self.work, self.work.ground.platform.kinds[change.key.kind]
        row = work.ground.rows.get(change.key)
        if row is None:
            return _moved_on(change, "it is not in the inventory")
        if self.aged():
            reply = (await look_at(work.api, kind, change.key, row.server_id, Purpose.LOOK, uid=row.uid)).reply
            if reply.answer == "ok":
                there = Present(reply.item, id_of(kind, reply.item), owner_of(kind, reply.item, row.uid))
                if not is_ours(kind, row, there):
                    return _moved_on(change, "it no longer carries our mark")
            elif reply.answer != "notFound":
                return _moved_on(change, reply.message or reply.answer)
        sent = await work.step.send(change, "delete", kind, row.server_id, None, row=row, applied=None, base=None)
        if sent.result is not Result.DONE:
            return sent.outcome(change)
        return await confirm_gone(work, change, sent)

    async def finished(self, change: Change, sent: Sent, resource: Resource) -> Outcome:
        """Read back what was written; ``ready`` False means that it may still become so."""
        if sent.result is not Result.DONE or sent.row is None:
            return sent.outcome(change)
        row, health, note = await confirm(self.work, change, sent.row, resource)
        outcome = sent.outcome(change, message=note, ready=_ready(health))
        return replace(outcome, change=replace(change, server_id=row.server_id))

    def parts(self, change: Change) -> tuple[Any, Resource, RuleBook]:
        return (
            self.work.ground.platform.kinds[change.key.kind],
            self.work.desired.resources[change.key],
            self.work.ground.books.of(change.key),
        )

    def mark(self, change: Change) -> str | None:
        mark = self.work.ground.platform.kinds[change.key.kind].mark
        return mark_text(mark, change.key.target, change.uid, change.key.name) if mark is not None else None

    def applied(self, resource: Resource, book: RuleBook) -> Mapping[str, Any]:
        spec = fingerprinted(book, resource.read(), self.work.ground.fingerprint)
        return {"spec": spec, "depends_on": [key_to_json(key) for key in resource.depends_on]}

    def row_after(
        self, change: Change, resource: Resource, row: InventoryRow | None, *, proof: Any, server_id: str | None = None
    ) -> InventoryRow:
        """What the inventory says once the write has landed; confirmation makes it ``in_sync``."""
        kind = self.work.ground.platform.kinds[change.key.kind]
        now = self.work.clock.now()
        return InventoryRow(
            change.key,
            change.uid,
            server_id or (row.server_id if row is not None else None),
            proof,
            resource.digest,
            self.work.ground.platform.digest,
            in_sync=False,
            health="progressing" if kind.ready is not None else "unknown",
            seen_at=None,
            written_at=now,
            settle_until=now + kind.settle_seconds,
            origin_path=resource.origin.path,
            origin_line=resource.origin.line,
            revision=self.work.desired.revision.commit,
            protect=resource.lifecycle.protect,
            not_kept=dict(row.not_kept) if row is not None else {},
            unkept_once=dict(row.unkept_once) if row is not None else {},
        )

    def aged(self) -> bool:
        return self.work.clock.monotonic() - self.work.looked_at > LOOK_LASTS


def _moved_on(change: Change, why: str) -> Outcome:
    return Outcome(change, Result.NOT_DONE, code="changed-meanwhile", message=f"{why}; planned again in the next pass")


def _ready(health: str) -> bool | None:
    return {"ready": True, "failed": False, "progressing": False}.get(health)


def _changed(kind: Kind, change: Change, mark: str | None) -> set[str] | None:
    """The pointers whose members go into a body that holds changes only; None where the whole is sent."""
    if kind.update is None or kind.update.sends == "whole":
        return None
    pointers = {field.pointer for field in change.fields if field.op is not FieldOp.RELEASE}
    return pointers | ({kind.mark.pointer} if kind.mark is not None and mark is not None else set())


def _top_level(schema: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The members that the kind's schema names at the top; None where it is open."""
    if schema is None or schema.get("additionalProperties", True) is not False:
        return None
    return frozenset(schema.get("properties", {}))
