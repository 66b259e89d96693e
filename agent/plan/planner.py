"""make_plan: every decision of a pass, as one value. Pure; what it says is all that applying will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from agent.definitions.platform import ActionRule, Kind
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observation, Observed, Present, Resource, Unknown
from agent.plan.actions import may_run
from agent.plan.caution import HEEDLESS, Caution, hold_cautiously
from agent.plan.cost import cost
from agent.plan.decide import Decider
from agent.plan.departing import tie_deletes
from agent.plan.ground import PREDECESSOR, Ground, key_from_json
from agent.plan.handover import give_up
from agent.plan.hits import tell_hits
from agent.plan.judging import judged
from agent.plan.limits import Census, census, hold_excess, mass_absence
from agent.plan.moves import is_under_a_new_name, renamed_in_place, tie_moves, unclear_renames
from agent.plan.order import in_order
from agent.plan.ownership import letting_go
from agent.plan.pauses import hold_paused
from agent.plan.prune import let_go, origin_of, prune_row
from agent.plan.renames import tell_renames
from agent.plan.waiting import awaited_by, hold_waiting


def make_plan(desired: Desired, observed: Observed, ground: Ground, caution: Caution = HEEDLESS) -> Plan:
    """Desired x observed x inventory -> Plan. Nothing is sent for a key that is held, unknown or undecided."""
    decider = Decider(ground)
    missing = _mass_absence(observed, ground)
    resources, rows = _looked_at(desired, observed, ground)
    unchanged = len(desired.resources) - len(resources) - len(observed.later & desired.resources.keys())
    remembered = unchanged  # what was not looked at
    renamed, doubts = renamed_in_place(desired, observed, ground), unclear_renames(desired, observed, ground)
    for resource in resources:
        if resource.key in renamed:
            decider.rename(resource, renamed[resource.key], observed.of(renamed[resource.key]))
        elif resource.key in doubts:
            decider.hold(resource, Action.UPDATE, "MoveHeld", doubts[resource.key])
        elif not _decided(decider, resource, seen := _seen(resource.key, observed, ground, missing)):
            unchanged += 1
            remembered += _is_as_last_read(seen, ground.rows.get(resource.key))
    moved = frozenset(renamed.values())
    for row in (each for each in rows if each.key not in moved):
        change = _left(row, _seen(row.key, observed, ground, missing), desired, observed, ground)
        if change is not None:
            decider.changes.append(change)
    decider.changes += (_unclaimed(key, why) for key, why in ground.unclaimed.items())
    allowed = hold_paused(decider.changes, ground.policy)
    allowed = hold_cautiously(allowed, desired, observed, ground, caution)
    known = _census(desired, ground)
    changes, notes = hold_excess(allowed, known, ground.policy)
    changes, verdicts = judged(changes, desired, observed, ground, known)
    changes = hold_waiting(changes, desired.resources, ground.waiting, ground.needs, ground.needed)
    ordered = in_order(_hold_dependants(changes, desired, observed), _Dependencies(desired, ground))
    ordered = tie_deletes(tie_moves(ordered, desired, ground.rows), ground.applied)
    ordered = tell_hits(tell_renames(ordered, desired, ground), desired)
    notes += (*([missing] if missing else ()), *_settling(decider.settling, ground))
    return Plan(
        target=desired.target,
        platform=ground.platform.api_version,
        definition=ground.platform.digest,
        revision=desired.revision,
        changes=ordered,
        unchanged=unchanged - len(decider.settling),
        remembered=remembered,
        calls=replace(
            cost(
                ordered,
                ground.platform,
                ground.pages,
                ground.ready_looks,
                _actions(desired, ground, ordered),
                _listed(observed, ordered),
            ),
            read=sum(observed.calls.values()),
        ),
        strays=observed.strays,
        suppressed=tuple(decider.suppressed),
        complete=observed.complete and desired.complete,
        notes=(*notes, *_after(ordered, desired, ground)),
        later=len(observed.later),
        agreed=tuple(decider.agreed),
        verdicts=verdicts,
    )


def _settling(settling: Sequence[tuple[Key, str]], ground: Ground) -> Iterator[str]:
    """What differs from our own write a moment ago is told as that: not as in sync, and as drift only if it stays."""
    if settling:
        key, path = settling[0]
        others = f", and {len(settling) - 1} more" if len(settling) > 1 else ""
        seconds = max(ground.platform.kinds[each.kind].settle_seconds for each, _ in settling)
        yield (
            f"{key.path}: {path} is not as it was written a moment ago{others}; "
            f"what is read may be {seconds:g} s old, so a look after that decides"
        )


def _actions(desired: Desired, ground: Ground, changes: Sequence[Change]) -> list[tuple[Kind, ActionRule, bool]]:
    """What manifests ask for beside their spec and may be sent once the changes are applied."""
    kinds, rows, confirmed = ground.platform.kinds, ground.rows, ground.policy.confirmed
    due = may_run(ground.platform, desired, rows, ground.generations, changes, confirmed=confirmed)
    return [(kinds[key.kind], rule, key in rows and rows[key].server_id is not None) for key, rule in due]


def _listed(observed: Observed, changes: Sequence[Change]) -> Mapping[str, int]:
    """How many rows the lists of each kind have, where something will be made that makes them longer."""
    if not any(change.action in (Action.CREATE, Action.REPLACE) for change in changes):
        return {}
    there = (key.kind for key, seen in observed.observations.items() if isinstance(seen, Present))
    return Counter(there) + Counter(stray.key.kind for stray in observed.strays)


def _decided(decider: Decider, resource: Resource, seen: Observation) -> bool:
    """The decision for one resource; a mistake of ours in it holds that one and lets the others go on."""
    before = len(decider.changes)
    try:
        return decider.decide(resource, seen)
    except Exception as error:  # noqa: BLE001 - one of the places that may
        del decider.changes[before:]
        told = f"an error of datakeel itself ({type(error).__name__}) in deciding it; the others go on"
        decider.hold(resource, None, "Internal", told)
        return True


def _looked_at(
    desired: Desired, observed: Observed, ground: Ground
) -> tuple[Collection[Resource], Collection[InventoryRow]]:
    """Resources to decide, and rows that have left git. After a partial look they are few among many thousands."""
    if not observed.partial:
        gone = ground.rows.keys() - desired.resources.keys()
        return desired.resources.values(), [row for key, row in ground.rows.items() if key in gone] if gone else []
    keys = list({**observed.observations, **ground.deciding})
    resources = [desired.resources[key] for key in keys if key in desired.resources]
    return resources, [ground.rows[key] for key in keys if key in ground.rows and key not in desired.resources]


def _left(row: InventoryRow, seen: Observation, desired: Desired, observed: Observed, ground: Ground) -> Change | None:
    """The decision for what git does not name."""
    if row.key in ground.handover.going and not isinstance(seen, Absent):
        to, taken = ground.handover.going[row.key]
        return give_up(row, to, taken=taken)
    known = row.key.kind in ground.platform.kinds
    new = is_under_a_new_name(row, seen, desired, observed, ground) if known else None
    if new is not None:
        return let_go(row, f"is {new.name} now, renamed in place")
    kind, word = ground.platform.kinds.get(row.key.kind), ground.words.get(row.key)
    if kind is not None and word is not None and word.verb == "release" and row.key not in ground.deciding:
        return letting_go(row, kind, ground.books.of(row.key), seen, word, origin_of(row))
    return prune_row(
        row,
        kind,
        seen,
        desired,
        ground.policy,
        predecessor=PREDECESSOR in ground.applied.get(row.key, {}),
        pages=ground.pages.get(row.key.kind, 1),
        doubt=ground.deciding.get(row.key),
    )


def _after(changes: Collection[Change], desired: Desired, ground: Ground) -> list[str]:
    """Which targets go before; those that are not there yet hold their changes, which say so themselves."""
    awaited = awaited_by(tuple(changes), desired.resources, ground.needs)
    return [f"applied after target {target}" for target in awaited]


def _unclaimed(key: Key, why: str) -> Change:
    """Something may be there that is ours: told in every pass until somebody has said what became of it."""
    return Change(key, Action.HOLD, reason="NeedsDecision", message=why)


def _census(desired: Desired, ground: Ground) -> Census:
    return ground.census or census(ground.rows, len(desired.resources))


def _mass_absence(observed: Observed, ground: Ground) -> str | None:
    absent = [key for key, seen in observed.observations.items() if type(seen) is Absent and key in ground.rows]
    owned = ground.census.total if ground.census is not None else len(ground.rows)
    return mass_absence(absent, owned, ground.policy)


def _seen(key: Key, observed: Observed, ground: Ground, missing: str | None) -> Observation:
    """An observation, doubted where too much of the inventory is missing at once."""
    seen = observed.of(key)
    if missing is not None and isinstance(seen, Absent):
        return Unknown("mass-absence", missing)
    return seen


def _is_as_last_read(seen: Observation, row: InventoryRow | None) -> bool:
    """Whether content is believed as an earlier look has read it. A list that still shows the same revision vouches."""
    if not isinstance(seen, Present) or seen.is_read:
        return False
    return seen.listed_as is None or row is None or row.listed_as != seen.listed_as


class _Dependencies:
    """What each resource needs, desired or to be pruned; asked for the few that change, so nothing is built for all."""

    def __init__(self, desired: Desired, ground: Ground) -> None:
        self._desired = desired
        self._applied = ground.applied

    def get(self, key: Key, default: tuple[Key, ...] = ()) -> tuple[Key, ...]:
        resource = self._desired.resources.get(key)
        if resource is not None:
            return resource.depends_on
        document = self._applied.get(key)
        return default if document is None else tuple(map(key_from_json, document.get("depends_on", ())))


def _hold_dependants(changes: list[Change], desired: Desired, observed: Observed) -> list[Change]:
    """What needs an object that is not there and is not going to be: held, and so on down the line."""
    lacking = _lacking(changes, desired, observed)
    if not lacking:
        return changes
    held: dict[Key, str] = {}
    grown = True
    while grown:
        grown = False
        for change in changes:
            if change.sends and change.action is not Action.DELETE and change.key not in held:
                resource = desired.resources.get(change.key)
                needed = resource.depends_on if resource is not None else ()
                missing = next((key for key in needed if key in lacking or key in held), None)
                if missing is not None:
                    held[change.key] = f"waits for {missing}, which {lacking.get(missing, 'is held')}"
                    grown = True
    return [change.held("DependencyHeld", held[change.key]) if change.key in held else change for change in changes]


def _lacking(changes: list[Change], desired: Desired, observed: Observed) -> dict[Key, str]:
    """What is needed and not there, and in which sense: held, invalid, or of a kind that is only observed."""
    lacking = {
        change.key: "is held"
        for change in changes
        if change.action is Action.HOLD
        and change.would in (Action.CREATE, None)
        and not isinstance(observed.observations.get(change.key), Present)
    }
    for key in desired.broken:
        if not isinstance(observed.observations.get(key), Present):
            lacking[key] = "is held"
    for key in desired.required:
        seen = observed.of(key)
        if isinstance(seen, Unknown):
            lacking[key] = f"could not be told to be there: {seen.message}"
        elif not isinstance(seen, Present):
            lacking[key] = "is not on the platform"
        elif seen.health != "ready":
            lacking[key] = f"is not ready ({seen.health})"
    return lacking
