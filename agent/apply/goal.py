"""One change under way: what it is about, what is true once all of it has landed, and what is still owed until then.

Made by ``writer``, carried through by ``following``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.apply.readback import Work
from agent.definitions.platform import Kind
from agent.model.change import Action, Cause, Change
from agent.model.inventory import InventoryRow
from agent.model.resource import Resource
from agent.plan.compose import placed, value_at
from agent.plan.flapping import flaps_after
from agent.plan.quiet import is_current, unkept
from agent.plan.rules import Place, RuleBook, split_pointer


@dataclass(frozen=True, slots=True)
class Owed:
    """What follows the first write of a change. ``thin``: the whole spec; ``vias``: leaves with their own endpoints."""

    vias: tuple[Place, ...] = ()
    thin: bool = False

    def owes(self, pointer: str) -> bool:
        return self.thin or split_pointer(pointer) in self.vias

    def row(self, row: InventoryRow) -> InventoryRow:
        """The row after this step: not yet what git says, so that the next pass goes on where this one ended."""
        return replace(row, applied_digest=None) if self.thin or self.vias else row

    def document(self, document: Mapping[str, Any], before: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """What was applied after this step: owed leaves are still what they were ``before``."""
        if self.thin:
            return {**document, "spec": {}}
        if not self.vias:
            return document
        return {**document, "spec": placed(document["spec"], {place: value_at(before, place) for place in self.vias})}


@dataclass(frozen=True, slots=True)
class Goal:
    """One change under way: what it is about, and what is true of it once everything has landed."""

    change: Change
    kind: Kind
    resource: Resource
    book: RuleBook
    row: InventoryRow
    document: Mapping[str, Any]
    before: Mapping[str, Any] | None


def row_after(
    work: Work,
    change: Change,
    resource: Resource,
    row: InventoryRow | None,
    *,
    proof: Any,
    server_id: str | None = None,
) -> InventoryRow:
    """What the inventory says once the write has landed; confirmation makes it ``in_sync``."""
    kind = work.ground.platform.kinds[change.key.kind]
    now = work.clock.now()
    return InventoryRow(
        change.key,
        change.uid,
        server_id or (row.server_id if row is not None else None),
        proof,
        resource.digest,
        work.ground.platform.digest,
        in_sync=False,
        health="progressing" if kind.ready is not None else "unknown",
        seen_at=None,
        written_at=now,
        settle_until=now + kind.settle_seconds,
        origin_path=resource.origin.path,
        origin_line=resource.origin.line,
        revision=work.desired.revision.commit,
        protect=resource.lifecycle.protect or (row is not None and row.protect),
        not_kept=dict(unkept(row, work.ground.platform)) if row is not None else {},
        unkept_once=dict(row.unkept_once) if row is not None and is_current(row, work.ground.platform) else {},
        healed_at=_healed_at(change, row, now),
        flaps=flaps_after(row, change, now),
    )


def _healed_at(change: Change, row: InventoryRow | None, now: float) -> float | None:
    if change.action is Action.UPDATE and change.cause is Cause.DRIFT:
        return now
    return row.healed_at if row is not None else None
