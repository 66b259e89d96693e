"""What a pass leaves behind in the inventory besides its writes: agreement, drift, health.

Called by ``once`` after the plan was applied. Rows that were written or let go are not touched: their own steps told
the store.
"""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Action, Plan
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observed, Present
from agent.plan.ground import Ground
from agent.reconcile.reported import reported
from agent.reconcile.target import Target


def remember(target: Target, desired: Desired, observed: Observed, plan: Plan, ground: Ground) -> None:
    """What was read and agreed with git, what has drifted, and the health that lists told."""
    rows: list[InventoryRow] = []
    applied = {}
    agreed = set(plan.agreed)
    told = {change.key: change for change in plan.drift_reported}
    drifted = {*told}
    # Held differences stay in sight too: a row in sync would not be looked at again for a while.
    drifted |= {change.key for change in plan.held if change.fields and change.would is not None}
    now = target.clock.now()
    for key, there in observed.observations.items():
        row = ground.rows.get(key)
        if row is None or key in ground.handover.handed:
            continue  # what comes from another target has no row here before it is taken over
        resource = desired.resources.get(key)
        again = reported(told[key], resource, target.platform) if key in told and resource is not None else None
        if isinstance(there, Absent) and again is not None and (row.in_sync or there.seen_at != row.seen_at):
            rows.append(replace(row, in_sync=False, seen_at=there.seen_at, reported=again))
        if not isinstance(there, Present):
            continue
        if key in agreed and resource is not None:
            document = ground.applied.get(key, {})
            if row.applied_digest != resource.digest or document.get("spec") is None:
                applied[key] = ground.document(resource, document.get("wires", {}))
            rows.append(
                replace(
                    row,
                    in_sync=True,
                    reported=None,
                    applied_digest=resource.digest,
                    health=there.health,
                    seen_at=there.seen_at or now,
                    listed_as=there.listed_as,
                    server_id=there.id or row.server_id,
                    origin_path=resource.origin.path,
                    origin_line=resource.origin.line,
                    revision=desired.revision.commit,
                )
            )
        elif key in drifted and there.is_read:  # of a run that lists no longer show, nothing new was seen
            seen_at, listed_as = there.seen_at or now, there.listed_as
            rows.append(
                replace(row, in_sync=False, health=there.health, seen_at=seen_at, listed_as=listed_as, reported=again)
            )
        elif not there.is_read and there.listed_as is not None and there.seen_at != row.seen_at:
            rows.append(replace(row, health=there.health, seen_at=there.seen_at))  # the list says that it is the same
        elif row.health != there.health and there.health != "unknown":
            rows.append(replace(row, health=there.health))
    settled = {change.key for change in plan.changes if change.sends or change.action is Action.RELEASE}
    rows = [row for row in rows if row.key not in settled]
    if rows:
        target.store.put_rows(rows, applied)
