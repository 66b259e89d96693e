"""Drift that is told and left alone: what of it still stands without a look, and what a look tells that is new.

Used by ``once``, ``memory`` and ``named``. Such an object would otherwise be read in every pass, since it is not as git
says: a thousand of them would keep the budget from everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.definitions.platform import Platform
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow, Reported
from agent.model.resource import Desired, Resource
from agent.model.stock import restless
from agent.plan.policy import Policy
from agent.reconcile.target import Target

_LEAVES_MAX = 200  # drift in more leaves than these is read again rather than remembered


def standing(target: Target, desired: Desired, rows: Mapping[Key, InventoryRow], policy: Policy) -> frozenset[Key]:
    """The keys whose drift would be told in the same words, as far as git, configuration and definition say."""
    found = []
    for key, row in restless(rows).items():
        told, resource = row.reported, desired.resources.get(key)
        if told is None or resource is None or row.in_sync or row.seen_at is None:
            continue
        same = told.manifest == resource.digest and told.definition == target.platform.digest
        mode = policy.drift_of(resource)
        if same and (mode == "report" or (told.gone and mode == "off")):
            found.append(key)
    return frozenset(found)


def reported(change: Change, resource: Resource, platform: Platform) -> Reported | None:
    """What to remember of a change that reports drift."""
    if len(change.fields) > _LEAVES_MAX or platform.kinds[change.key.kind].is_run:
        return None
    return Reported(resource.digest, platform.digest, change.fields, gone=not change.fields)


def untold(changes: Iterable[Change], rows: Mapping[Key, InventoryRow]) -> set[Key]:
    """The keys of changes that say more than what was reported before."""
    return {change.key for change in changes if not _was_told(change, rows.get(change.key))}


def _was_told(change: Change, row: InventoryRow | None) -> bool:
    if change.action is not Action.NONE or row is None or row.in_sync or row.reported is None:
        return False
    return row.reported.fields == change.fields
