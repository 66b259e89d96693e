"""What applying stands on, and how it reads back what it wrote. Called by ``executor``."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.apply.readiness import Readiness
from agent.apply.request import Sent, WriteStep
from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.live.api import WriteApi
from agent.live.look import look_at
from agent.live.purpose import Purpose
from agent.live.rows import health_of, owner_of
from agent.model.change import Change, Plan
from agent.model.inventory import InventoryRow
from agent.model.outcome import Outcome
from agent.model.resource import Desired, Health, Observed, Resource
from agent.plan.compare import Comparison, compare
from agent.plan.ground import Ground
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.rules import RuleBook


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
    secrets: SecretValues
    clock: Clock
    random: random.Random
    readiness: Readiness
    looked_at: float
    concurrency: int = 8
    wait_for_all: bool = False
    stopping: Callable[[], bool] = lambda: False
    tell: Callable[[Outcome], None] = lambda outcome: None


async def confirm(
    work: Work, change: Change, row: InventoryRow, resource: Resource
) -> tuple[InventoryRow, Health, str]:
    """After a write: the row as it is now, the object's health, and a sentence when live is not what was sent."""
    kind, book = work.ground.platform.kinds[change.key.kind], work.ground.books.of(change.key)
    for wait in (0.0, kind.settle_seconds):
        if wait:
            await work.clock.sleep(wait)
        reply = (await look_at(work.api, kind, change.key, row.server_id, Purpose.CONFIRM, uid=row.uid)).reply
        if reply.answer != "ok":
            continue
        applied = fingerprinted(book, resource.read(), work.ground.fingerprint)
        found = compared(work, book, resource, applied, reply.item, row)
        health = health_of(kind, reply.item)
        ours = kind.mark is None or owner_of(kind, reply.item, row.uid) == row.uid
        reported = _reported(change, found)
        if ours and (found.same or reported):
            return work.step.agree(row, reply, health, in_sync=found.same), health, ""
        if wait:
            return work.step.disagree(row, reply, health, found, desired=applied), health, _unkept(found)
    return row, "unknown", "written; not read back yet"


async def confirm_gone(work: Work, change: Change, sent: Sent) -> Outcome:
    """After a delete: a proved 404, at once or after settling, removes the row and leaves a tombstone."""
    kind = work.ground.platform.kinds[change.key.kind]
    for wait in (0.0, kind.settle_seconds):
        if wait:
            await work.clock.sleep(wait)
        reply = (await look_at(work.api, kind, change.key, change.server_id, Purpose.CONFIRM, uid=change.uid)).reply
        if reply.answer == "notFound" or (reply.answer == "ok" and health_of(kind, reply.item) == "gone"):
            work.step.forget(change.key, tombstone=True)
            return sent.outcome(change, message="confirmed gone")
    return sent.outcome(change, message="accepted; not yet seen gone")


def compared(
    work: Work,
    book: RuleBook,
    resource: Resource,
    applied: Mapping[str, Any] | None,
    live: Mapping[str, Any],
    row: InventoryRow | None,
) -> Comparison:
    """Git against live, exactly as the plan compared them."""
    ground = work.ground
    return compare(
        book,
        fingerprinted(book, resource.read(), ground.fingerprint),
        applied,
        fingerprinted(book, live_spec(book, live), ground.fingerprint),
        types=ground.types(book.kind),
        ignore=resource.lifecycle.ignore,
        create_only=resource.lifecycle.create_only,
        not_kept=row.not_kept if row is not None else None,
    )


def _reported(change: Change, found: Comparison) -> bool:
    """Only leaves that the plan left alone on purpose (drift that is reported, not healed) still differ."""
    planned = {field.pointer for field in change.fields}
    return bool(found.fields) and not any(field.pointer in planned for field in found.fields)


def _unkept(found: Comparison) -> str:
    names = ", ".join(f"`{field.path}`" for field in found.fields[:3])
    return f"written, but the platform answers with another value in {names}"
