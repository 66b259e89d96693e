"""The other targets of a configuration, as far as one has to know of them: their manifests and their inventories.

Called by ``once``. A manifest that goes from the folder of one target to that of another one, of the same platform,
server and settings, is the same object: it changes hands (``plan/handover``). Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from agent.model.identity import Key, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired
from agent.plan.handover import Handed, Handover
from agent.reconcile.desired import read_desired
from agent.reconcile.target import Neighbour, Target


def desired_of(target: Target, neighbour: Neighbour, revision: Revision) -> Desired:
    """What git asks for in another target, at the same revision. Raises SourceError."""
    return read_desired(target.source, revision, neighbour.config, neighbour.platform, target.store, neighbour.last)


def handover(target: Target, desired: Desired) -> Handover:
    """What leaves this target for another one of the same system, and what comes from there."""
    twins = [each for each in target.neighbours if _is_same_system(target, each)]
    if not twins:
        return Handover()
    rows = target.store.rows(target.name)
    leaving = [key for key in rows if key not in desired.resources and key not in desired.broken]
    coming = [key for key in desired.resources if key not in rows]
    going: dict[Key, tuple[str, bool]] = {}
    handed: dict[Key, Handed] = {}
    for twin in twins if leaving or coming else ():
        theirs = target.store.rows(twin.name)
        found = [key for key in coming if _at(key, twin) in theirs]
        if not leaving and not found:
            continue
        named = desired_of(target, twin, desired.revision)
        for key in leaving:
            there = _at(key, twin)
            if there in named.resources or there in named.broken:
                going[key] = (twin.name, there in theirs)
        for key in found:
            there = _at(key, twin)
            if there not in named.resources and there not in named.broken:
                handed[key] = Handed(there, theirs[there].uid)
    return Handover(going, handed)


def with_handed(
    target: Target, rows: Mapping[Key, InventoryRow], keys: Iterable[Key], handed: Mapping[Key, Handed]
) -> dict[Key, InventoryRow]:
    """The rows, with those of objects that come from elsewhere as they will be here: not yet in the store."""
    joined = dict(rows)
    for key in keys:
        if key in handed:
            former = target.store.rows(handed[key].key.target).get(handed[key].key)
            if former is not None:
                uid = uid_of(target.platform.name, key)
                joined[key] = replace(former, key=key, uid=uid, applied_digest=None, in_sync=False)
    return joined


def _is_same_system(target: Target, neighbour: Neighbour) -> bool:
    ours, theirs = dict(target.fingerprint()), dict(neighbour.fingerprint())
    if theirs["server"] is None and theirs["platform"] == ours["platform"]:
        theirs["server"] = neighbour.platform.server if neighbour.platform.bundled else None
    return ours == theirs


def _at(key: Key, twin: Neighbour) -> Key:
    return key._replace(target=twin.config.name)
