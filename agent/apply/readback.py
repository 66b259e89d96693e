"""What applying stands on, and how it reads back what it wrote. Called by ``executor``."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.apply.readiness import Readiness
from agent.apply.request import Sent, WriteStep
from agent.apply.secrets import SecretValues
from agent.apply.wiring import Wiring
from agent.clock import Clock
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind
from agent.live.api import Reply, WriteApi
from agent.live.haste import rest
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.live.rows import health_of, id_of, revision_of
from agent.model.change import Change, FieldChange, Plan
from agent.model.inventory import InventoryRow
from agent.model.outcome import Outcome
from agent.model.resource import Desired, Health, Observed, Resource
from agent.plan.compare import Comparison
from agent.plan.ground import BESIDES, Ground
from agent.plan.runs import OVER


@dataclass(frozen=True, slots=True)
class Work:
    """What applying stands on. ``looked_at`` is the monotonic moment of the observation.

    ``wait_for_all`` waits for readiness of every change, not only of those that others depend on. ``stopping`` ends
    the pass before the next intent; what is in flight finishes.
    """

    plan: Plan
    desired: Desired
    observed: Observed
    ground: Ground
    api: WriteApi
    step: WriteStep
    wiring: Wiring
    secrets: SecretValues
    clock: Clock
    random: random.Random
    readiness: Readiness
    looked_at: float
    concurrency: int = 8
    wait_for_all: bool = False
    stopping: Callable[[], bool] = lambda: False
    tell: Callable[[Outcome], None] = lambda outcome: None
    begin: Callable[[Change], None] = lambda change: None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What reading back told. ``live`` is None when the object could not be read; ``found`` then says nothing."""

    row: InventoryRow
    health: Health
    note: str
    live: Mapping[str, Any] | None = None
    found: Comparison = field(default_factory=Comparison)
    etag: str | None = None


async def confirm(
    work: Work,
    change: Change,
    row: InventoryRow,
    resource: Resource,
    owed: Callable[[str], bool] = lambda pointer: False,
) -> Confirmed:
    """Look at once, and once more after settling; ``owed`` are leaves that the change has yet to write."""
    kind = work.ground.platform.kinds[change.key.kind]
    applied = work.ground.written(resource)
    content = work.ground.content(resource) if kind.is_run else None
    sent = work.step.document(change.key) or {}
    wires, before = sent.get("wires"), sent.get(BESIDES, ())
    if row.server_id is None and kind.list is not None and kind.get is not None and "id" in kind.get.request.path_words:
        # Only lists would find it, page by page, and no plan has promised those calls: the next pass reads them anyway.
        return Confirmed(row, "unknown", "written; its answer told no id, so the next pass looks for it")
    for wait in (0.0, kind.settle_seconds):
        if wait and not await rest(work.clock, wait):
            break  # a newer commit is there; the settle window stays in force for its pass
        looked = await look_at(
            work.api, kind, change.key, row.server_id, Purpose.CONFIRM, uid=row.uid, content=content, besides=before
        )
        reply = looked.reply
        work.step.looked(change.key)
        if reply.answer != "ok":
            continue
        if row.server_id is None:
            row = replace(row, server_id=id_of(kind, reply.item))
        found = work.ground.compared(resource, applied, reply.item, row, wires)
        left = [each for each in found.fields if not owed(each.pointer)]
        health = health_of(kind, reply.item)
        ours = kind.mark is None or owner_of(kind, reply.item, row.uid) == row.uid
        if ours and (not left or _reported(change, found)):
            row = replace(row, listed_as=revision_of(kind, reply.item))
            row = work.step.agree(row, health, in_sync=found.same)
            return Confirmed(row, health, "", reply.item, found, reply.headers.get("etag"))
        if wait:
            row = work.step.disagree(row, health, left, desired=applied)
            return Confirmed(row, health, _unkept(left), reply.item, found, reply.headers.get("etag"))
    return Confirmed(row, "unknown", "written; not read back yet")


async def confirm_gone(work: Work, change: Change, sent: Sent) -> Outcome:
    """After a delete: a proved 404, at once or after settling, removes the row and leaves a tombstone."""
    kind = work.ground.platform.kinds[change.key.kind]
    for wait in (0.0, kind.settle_seconds):
        if wait and not await rest(work.clock, wait):
            break  # a newer commit is there; the settle window stays in force for its pass
        reply = (await look_at(work.api, kind, change.key, change.server_id, Purpose.CONFIRM, uid=change.uid)).reply
        work.step.looked(change.key)
        if reply.answer == "notFound" or (reply.answer == "ok" and _is_over(kind, reply)):
            work.step.forget(change.key, tombstone=True)
            return sent.outcome(change, message="confirmed gone")
    return sent.outcome(change, message="accepted; not yet seen gone")


def _is_over(kind: Kind, reply: Reply) -> bool:
    """Gone though it still answers; a run is over as well when it ended by itself before it could be cancelled."""
    health = health_of(kind, reply.item)
    return health == "gone" or (kind.is_run and health in OVER)


def _reported(change: Change, found: Comparison) -> bool:
    """Only leaves that the plan left alone on purpose (drift that is reported, not healed) still differ."""
    planned = tuple(each.pointer for each in change.fields)
    within = tuple(f"{pointer}/" for pointer in planned)  # a create names whole sections
    return bool(found.fields) and not any(
        each.pointer in planned or each.pointer.startswith(within) for each in found.fields
    )


def _unkept(fields: Sequence[FieldChange]) -> str:
    names = ", ".join(f"`{each.path}`" for each in fields[:3])
    return f"written, but the platform answers with another value in {names}"
