"""What a list tells of a run: its row is all that can be read of it, and lists of runs are cut.

Called by ``observe``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.definitions.marks import content_of_run
from agent.definitions.platform import Kind
from agent.live.look import runs_of
from agent.live.rows import Listing, Row
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Observation, Present, Unknown


def run_in_list(
    key: Key,
    row: InventoryRow | None,
    kind: Kind,
    listed: Row | None,
    listing: Listing,
    uid: str,
    rows: Mapping[Key, InventoryRow],
    now: float,
) -> Observation:
    """A run of ours, listed or not. ``rows`` are the inventory's."""
    known = row.server_id if row is not None else None
    ours = [each.id for each in runs_of(key, listing.rows, known, uid) if each.id is not None]
    if listed is not None:
        content = content_of_run(kind, listed.item)
        others = tuple(each for each in ours if each != listed.id)
        return Present(listed.kept, listed.id, listed.owner, listed.health, now, content, others=others)
    if listing.answer != "ok":
        return Unknown(f"api-{listing.answer}", listing.why)
    seen = unlisted_run(key, row, rows, now)
    return replace(seen, others=tuple(ours)) if isinstance(seen, Present) else seen


def unlisted_run(key: Key, row: InventoryRow | None, rows: Mapping[Key, InventoryRow], now: float) -> Observation:
    """A run that the list does not show: lists of runs are cut, so what we made may only be older than its end."""
    if row is None:
        if any(each.proof == "rebuilt" and each.key.kind == key.kind for each in rows.values()):
            why = "no run with its mark is listed, but the inventory was rebuilt and lists of runs are cut"
            return Unknown("absence-unproved", f"{why}; apply the plan by its digest to start it")
        return Absent("never-made", now)
    if row.settle_until is not None and now < row.settle_until:
        return Unknown("settling", "not listed, but we wrote it a moment ago; reads may lag behind")
    if row.in_sync or row.health in ("ready", "failed", "gone"):
        return Present(None, row.server_id, row.uid, row.health, row.seen_at)
    return Unknown("not-listed", "no longer among the runs that the platform lists, and its end was not seen")
