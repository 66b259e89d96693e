"""``lifecycle.movedFrom``: a resource that git has under another name now. Pure; called by ``planner``.

Where the platform can give an object another name, the move is one update in place. Elsewhere it is a create and a
delete, whose order and fate are tied: the old object goes only once the new one is live, and both say what belongs
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observed, Present
from agent.plan.ground import Ground
from agent.plan.prune import is_ours


def renamed_in_place(desired: Desired, observed: Observed, ground: Ground) -> Mapping[Key, Key]:
    """New key -> old key, where the object of the old one is ours and there, and nothing has the new name yet."""
    kinds = ground.platform.kinds
    if not any(kind.rename is not None for kind in kinds.values()):
        return {}
    found = {}
    for key in desired.resources:
        old = old_of(key, desired)
        if old is None or kinds[key.kind].rename is None or key in ground.rows or {key, old} & ground.deciding.keys():
            continue
        row, seen = ground.rows.get(old), observed.of(old)
        if row is None or not isinstance(seen, Present) or seen.live is None or seen.health == "gone":
            continue
        free = isinstance(observed.of(key), Absent) and old not in ground.words and old not in ground.handover.going
        if free and is_ours(kinds[key.kind], row, seen):
            found[key] = old
    return found


def is_under_a_new_name(row: InventoryRow, desired: Desired, ground: Ground) -> Key | None:
    """The key whose row speaks of the same object: it was renamed, and only the old row is still to be forgotten."""
    if ground.platform.kinds[row.key.kind].rename is None or row.server_id is None:
        return None
    for key, other in ground.rows.items():
        if key.kind == row.key.kind and other.server_id == row.server_id and old_of(key, desired) == row.key:
            return key
    return None


def tie_moves(changes: Sequence[Change], desired: Desired, rows: Mapping[Key, InventoryRow]) -> tuple[Change, ...]:
    """The ordered changes, with each pair of a move tied together; the delete waits for the change of the new name."""
    former = {key: old for key in desired.resources if (old := old_of(key, desired)) is not None and old in rows}
    if not former:
        return tuple(changes)
    new_of = {old: new for new, old in former.items()}
    planned = {change.key: change for change in changes}
    return tuple(_tied(change, former, new_of, planned) for change in changes)


def _tied(
    change: Change, former: Mapping[Key, Key], new_of: Mapping[Key, Key], planned: Mapping[Key, Change]
) -> Change:
    if change.action is Action.CREATE and change.key in former:
        was = former[change.key].name
        return replace(
            change, message=f"was {was}: the platform cannot rename, so this is made and {was} deleted after it"
        )
    new = new_of.get(change.key)
    if new is None or change.action is not Action.DELETE:
        return change
    twin = planned.get(new)
    held = twin is not None and twin.action is Action.HOLD and twin.would is not Action.UPDATE
    if twin is None or not (twin.sends or held):
        return replace(change, message=f"is {new.name} now, which is live")
    if held:
        why = f"is to be {new.name}, which is held; it goes once that one is live"
        return change.held("MoveHeld", why)
    told = f"is {new.name} now; it goes once that one is live"
    return replace(change, message=told, depends_on=tuple(sorted({*change.depends_on, new})))


def old_of(key: Key, desired: Desired) -> Key | None:
    """The key that a resource had, where its manifest says so and git no longer holds that one."""
    resource = desired.resources.get(key)
    name = resource.lifecycle.moved_from if resource is not None else None
    old = key._replace(name=name) if name is not None else None
    return old if old is not None and old not in desired.resources else None
