"""What has left git: deletes are earned by an inventory row, a proof of ownership and a complete revision."""

from __future__ import annotations

from dataclasses import replace

from agent.definitions.platform import Kind
from agent.model.change import Action, Cause, Change
from agent.model.identity import Origin
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observation, Present, Unknown
from agent.plan.cost import requests_of
from agent.plan.policy import Policy
from agent.plan.rules import RuleBook
from agent.plan.runs import OVER

PROTECTED = "Protected"
"""Reason of a hold that ``lifecycle.protect`` asks for."""
_LIFT = "protected; lift `protect` in one commit, remove the manifest in a later one"


def prune_row(
    row: InventoryRow,
    kind: Kind | None,
    seen: Observation,
    desired: Desired,
    policy: Policy,
    *,
    predecessor: bool = False,
    pages: int = 1,
    doubt: str | None = None,
) -> Change | None:
    """The decision for one row without a manifest; None when its manifest is only invalid (nothing happens to it).

    ``predecessor``: the object that this one replaced is still there, and goes with it. ``doubt`` says why the end of
    the last write is not known: a delete that may still land is not sent again, for it might meet what is made next.
    """
    if row.key in desired.broken:
        return None
    if doubt is not None:
        return _held(row, "NeedsDecision", doubt)
    if kind is None:
        return _held(row, "KindUnknown", f"the definition no longer has a kind {row.key.kind}")
    if isinstance(seen, Absent) and not predecessor:
        return let_go(row, "gone already; the inventory forgets it")
    if isinstance(seen, Present) and seen.health == "gone" and not predecessor:
        return let_go(row, "deleted already, the platform says")
    if kind.is_run and isinstance(seen, Present) and seen.health in OVER:
        return let_go(row, f"the run is over ({seen.health}); there is nothing to cancel")
    if isinstance(seen, Present) and seen.owner is not None and seen.owner != row.uid:
        return let_go(row, "carries another owner's mark; it is no longer ours")
    if not policy.prune:
        return _held(
            row, "PruneDisabled", "gone from git and kept live: `prune` is off for this target", configured=True
        )
    if row.protect:
        return _held(row, PROTECTED, _LIFT)
    if not desired.complete:
        return _held(row, "IncompleteRevision", "a manifest of this folder is invalid, so nothing is pruned")
    if isinstance(seen, Unknown):
        return _held(row, "Unknown", f"live state unknown: {seen.message}")
    if kind.delete is None:
        return _held(
            row, "CannotDelete", f"the platform offers no delete for {kind.name}; it stays live", configured=True
        )
    if isinstance(seen, Present) and not is_ours(kind, row, seen):
        return _held(
            row, "OwnershipUnproved", "the live object does not carry our mark any more; delete it by hand or adopt it"
        )
    unverified = policy.unverified(kind, "delete", kind.delete)
    if unverified is not None:
        return _held(row, "Unverified", f"{unverified}; `confirmed: [{kind.name}.delete]` allows it")
    if kind.delete.careful is not None and not policy.careful:
        return _held(row, "Careful", f"{kind.delete.careful}; apply the plan by its digest to allow it")
    return _deleted(row, kind, predecessor=predecessor, pages=pages)


def is_ours(kind: Kind, row: InventoryRow, seen: Present) -> bool:
    """Invariant I2: our mark where the kind carries one, else the server id of a reply that we read, else the key."""
    if kind.mark is not None:
        return seen.owner == row.uid
    if kind.id is not None and row.server_id is not None:
        return seen.id == row.server_id
    return kind.unique


def _deleted(row: InventoryRow, kind: Kind, *, predecessor: bool, pages: int) -> Change:
    proof = "made by us" if row.proof == "created" else f"{row.proof} by us"
    carried = "tag and inventory agree" if kind.mark is not None else "server id and inventory agree"
    requests = requests_of(Action.DELETE, kind, RuleBook(kind, dict(row.key.scope)), pages=pages)
    if predecessor:
        requests = replace(requests, writes=2, looks=2 * requests.looks, confirms=2 * requests.confirms)
    return Change(
        row.key,
        Action.DELETE,
        Cause.GIT,
        origin_of(row),
        uid=row.uid,
        server_id=row.server_id,
        calls=requests.calls_max,
        requests=requests,
        message=(kind.delete.careful or "") if kind.delete is not None else "",
        proof=f"{proof}; {carried}; absent from git, which was read whole",
    )


def _held(row: InventoryRow, reason: str, message: str, *, configured: bool = False) -> Change:
    return Change(
        row.key,
        Action.HOLD,
        origin=origin_of(row),
        would=Action.DELETE,
        reason=reason,
        message=message,
        configured=configured,
        uid=row.uid,
        server_id=row.server_id,
    )


def let_go(row: InventoryRow, message: str) -> Change:
    """The inventory forgets an object; nothing is sent."""
    return Change(
        row.key, Action.RELEASE, Cause.GIT, origin_of(row), message=message, uid=row.uid, server_id=row.server_id
    )


def origin_of(row: InventoryRow) -> Origin | None:
    """Where its manifest last stood."""
    return Origin(row.origin_path, row.origin_line, 1) if row.origin_path else None
