"""The other targets of a configuration, as far as one has to know of them: their manifests and their inventories.

Called by ``once``. A manifest that goes from the folder of one target to that of another one, of the same platform,
server and settings, is the same object: it changes hands (``plan/handover``). Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from agent.definitions.platform import Kind
from agent.errors import SourceError
from agent.model.identity import Key, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired
from agent.plan.handover import Handed, Handover
from agent.plan.waiting import Awaited
from agent.reconcile.desired import read_desired
from agent.reconcile.target import Neighbour, Target
from agent.validate.across import find_across, find_twice, is_named, resource_named, waits, without_wrong
from agent.validate.attributable import find_unattributable
from agent.validate.references import Wrong


def desired_of(target: Target, neighbour: Neighbour, revision: Revision) -> Desired:
    """What git asks for in another target, at the same revision. Raises SourceError."""
    return read_desired(target.source, revision, neighbour.config, neighbour.platform, target.store, neighbour.last)


def handover(target: Target, desired: Desired) -> Handover:
    """What leaves this target for another one of the same system, and what comes from there."""
    twins = _twins(target)
    if not twins:
        return Handover()
    rows = target.store.rows(target.name)
    leaving = [key for key in target.apart.between(desired.resources, rows).gone if key not in desired.broken]
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


def held_by_twins(target: Target, revision: Revision) -> Mapping[Key, str]:
    """Objects of this system that another target of it names in git or has in its inventory, as keys of this target,
    each with the name of that target. Raises SourceError.
    """
    found: dict[Key, str] = {}
    for twin in _twins(target):
        named = desired_of(target, twin, revision) if revision.commit else None
        keys = set(target.store.rows(twin.name))
        keys |= {*named.resources, *named.broken} if named is not None else set()
        found |= {key._replace(target=target.name): twin.name for key in keys}
    return found


def waiting(target: Target, desired: Desired, preceding: Collection[str] = ()) -> Mapping[Awaited, str]:
    """What this target waits for and is not live and ready as git says, with the reason. Read from the store alone.

    ``preceding`` are targets that are about to be applied before: what they lack now says nothing.
    """
    awaited = dict.fromkeys((name, "") for name in target.config.depends_on)
    awaited |= dict.fromkeys(each for resource in desired.special.values() for each in resource.lifecycle.awaits)
    by_name = {each.name: each for each in target.neighbours} if awaited else {}
    found = {}
    for name, path in awaited:
        if name in by_name and name not in preceding:
            why = _unready(target, by_name[name], desired.revision, path)
            if why:
                found[name, path] = why
    return found


def needed_elsewhere(target: Target, desired: Desired, rows: Mapping[Key, InventoryRow]) -> Mapping[Key, str]:
    """Of what leaves this target: who in another one depends on it, as it was applied last. Read from the store alone.

    Whoever needs all of this target needs what it names now; only one that leaves as well may need what leaves.
    """
    leaving = [key for key in target.apart.between(desired.resources, rows).gone if key not in desired.broken]
    found: dict[Key, str] = {}
    for each in target.neighbours if leaving else ():
        theirs = target.store.rows(each.name)
        if not theirs:
            continue
        named = desired_of(target, each, desired.revision)
        for key, awaits in _awaiting(target, each, theirs, named):
            goes = key not in named.resources and key not in named.broken
            for one in leaving:
                if any(is_named(one, path) if path else goes for path in awaits):
                    found.setdefault(one, f"{key} of target {each.name}")
    return found


def _awaiting(
    target: Target, neighbour: Neighbour, theirs: Mapping[Key, InventoryRow], named: Desired
) -> Iterable[tuple[Key, list[str]]]:
    """Live objects of another target, each with what it needs of this one: resources, or "" for all of it."""
    git = named.resources
    moved = [key for key, row in theirs.items() if key not in git or git[key].digest != row.applied_digest]
    applied = target.store.applied(moved)
    whole = [""] if target.name in neighbour.config.depends_on and neighbour.config.prune else []
    for key in theirs:
        kept = applied[key].get("awaits", ()) if key in applied else git[key].lifecycle.awaits if key in git else ()
        awaits = [path for name, path in kept if name == target.name] + whole
        if awaits:
            yield key, awaits


def blocked(target: Target, desired: Desired) -> frozenset[Any]:
    """What this target waits for in others, as the store has it now."""
    rows = target.store.rows(target.name)
    return frozenset([*waiting(target, desired), *needed_elsewhere(target, desired, rows)])


def crossed(target: Target, desired: Desired) -> Desired:
    """The same, with what is wrong between targets: a resource that another has too, or lacks; a circle of waiting."""
    desired = without_wrong(desired, _declared_twice(target, desired))
    if target.among_several:
        desired = without_wrong(desired, [*find_unattributable(desired, target.platform.kinds)])
    if not waits(desired) and not target.config.depends_on:
        return desired
    gits = {each.name: desired_of(target, each, desired.revision) for each in target.neighbours}
    needs = {target.name: target.config.depends_on, **{each.name: each.config.depends_on for each in target.neighbours}}
    wrong = [fault for name, fault in find_across({**gits, target.name: desired}, needs) if name == target.name]
    return without_wrong(desired, wrong)


def _declared_twice(target: Target, desired: Desired) -> list[Wrong]:
    """Resources that another target of the same system declares too, while neither has made them.

    What one of them owns stays its own: here nothing is wrong, and there the other's mark holds it.
    """
    twins = _twins(target)
    rows = target.store.rows(target.name) if twins else {}
    coming = [key for key in desired.resources if key not in rows] if twins else []
    found: list[Wrong] = []
    for twin in twins if coming else ():
        try:
            named = desired_of(target, twin, desired.revision)
        except SourceError:
            continue  # told by that target's own pass
        theirs = target.store.rows(twin.name)
        found += find_twice(desired, named, [key for key in coming if _at(key, twin) not in theirs])
    return found


def in_turn(targets: Sequence[Target], revision: Revision | None) -> list[tuple[Target, frozenset[str]]]:
    """The targets in the order in which they are applied, each with those of them that it waits for.

    What waits for each other cannot come first: such targets keep their places and wait for what the store says.
    """
    by_name = {target.name: target for target in targets}
    needs = {name: {*target.config.depends_on} & by_name.keys() for name, target in by_name.items()}
    if revision is not None and len(targets) > 1:
        for name, target in by_name.items():
            needs[name] |= _awaited(target, revision) & by_name.keys()
    try:
        order = [*TopologicalSorter({name: sorted(needs[name]) for name in by_name}).static_order()]
    except CycleError:
        order = [*by_name]
    # Who waits for nobody stays where the configuration has it.
    order.sort(key=lambda name: _depth(name, needs, frozenset()))
    return [(by_name[name], frozenset(needs[name]) & {*order[:place]}) for place, name in enumerate(order)]


def _depth(name: str, needs: Mapping[str, Collection[str]], above: frozenset[str]) -> int:
    below = [_depth(each, needs, above | {name}) for each in needs[name] if each not in above and each != name]
    return 1 + max(below, default=-1)


def _awaited(target: Target, revision: Revision) -> set[str]:
    """The targets that manifests of this one wait for; none while they cannot be read."""
    try:
        desired = read_desired(target.source, revision, target.config, target.platform, target.store, target.last)
    except SourceError:
        return set()
    return {name for resource in desired.special.values() for name, _ in resource.lifecycle.awaits}


def _unready(target: Target, neighbour: Neighbour, revision: Revision, path: str) -> str:
    named = desired_of(target, neighbour, revision)
    rows, kinds = target.store.rows(neighbour.name), neighbour.platform.kinds
    keys = resource_named(named, path) if path else tuple(named.resources)
    if path and len(keys) != 1:
        return f"{path} of target {neighbour.name}, which {'is ambiguous' if keys else 'declares no such resource'}"
    if not path and not named.complete:
        return f"target {neighbour.name}, of which a manifest is invalid"
    unready = [key for key in keys if not _is_ready(named, key, rows.get(key), kinds)]
    if not unready:
        return ""
    if path:
        row = rows.get(unready[0])
        state = "not live yet" if row is None else f"{row.health}, or not yet as git says"
        return f"{path} of target {neighbour.name}, which is {state}"
    first = min(unready)
    return f"target {neighbour.name}, where {len(unready)} of {len(keys)} are not live and ready as git says: {first}"


def _is_ready(named: Desired, key: Key, row: InventoryRow | None, kinds: Mapping[str, Kind]) -> bool:
    resource, kind = named.resources.get(key), kinds.get(key.kind)
    if resource is None or kind is None or row is None or row.applied_digest != resource.digest:
        return kind is not None and not kind.managed
    return kind.ready is None or row.health == "ready"


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
                joined[key] = replace(former, key=key, uid=uid, applied_digest=None, in_sync=False, reported=None)
    return joined


def _twins(target: Target) -> Sequence[Neighbour]:
    """The targets of the same system. Every pass asks twice, and of ten thousand targets most have none."""
    known = target.twins
    if known is None or known[0] is not target.neighbours or known[1] is not target.config:
        found = [each for each in target.neighbours if _is_same_system(target, each)]
        known = target.twins = (target.neighbours, target.config, found)
    return known[2]


def _is_same_system(target: Target, neighbour: Neighbour) -> bool:
    ours, theirs = dict(target.fingerprint()), dict(neighbour.fingerprint())
    if theirs["server"] is None and theirs["platform"] == ours["platform"]:
        theirs["server"] = neighbour.platform.server if neighbour.platform.bundled else None
    return ours == theirs


def _at(key: Key, twin: Neighbour) -> Key:
    return key._replace(target=twin.config.name)
