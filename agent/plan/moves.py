"""``lifecycle.movedFrom``: a resource that git has under another name now. Pure; called by ``planner``.

Where the platform can give an object another name, the move is one update in place. Elsewhere it is a create and a
delete, whose order and fate are tied: the old object goes only once the new one is live, and both say what belongs
together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Desired, Observation, Observed, Present, Unknown
from agent.plan.ground import Ground
from agent.plan.prune import is_ours


def renamed_in_place(desired: Desired, observed: Observed, ground: Ground) -> Mapping[Key, Key]:
    """New key -> old key, where the object of the old one is ours and there, and nothing has the new name yet."""
    return {
        key: old
        for key, old in _renaming(desired, ground)
        if not {key, old} & ground.deciding.keys()
        and old not in ground.words
        and old not in ground.handover.going
        and _is_there(ground.rows[old], observed.of(old), ground)
        and _is_free(key, ground.rows[old], observed, ground)
    }


def unclear_renames(desired: Desired, observed: Observed, ground: Ground) -> Mapping[Key, str]:
    """New key -> why nothing is made under it yet: what is to be renamed may be there, and would be made a second time
    and the first one deleted with all that it holds."""
    doubts = {}
    for key, old in _renaming(desired, ground):
        seen = observed.of(old)
        if isinstance(seen, Unknown) and _is_free(key, ground.rows[old], observed, ground):
            doubts[key] = f"is to be renamed from {old.name}, whose live state is unknown: {seen.message}"
    return doubts


def _renaming(desired: Desired, ground: Ground) -> Iterator[tuple[Key, Key]]:
    """New and old key of each move within a kind whose objects can get another name, where the old one is known."""
    kinds = ground.platform.kinds
    if any(kind.rename is not None for kind in kinds.values()):
        for key in desired.special:
            old = old_of(key, desired)
            if old is not None and kinds[key.kind].rename is not None and old in ground.rows:
                yield key, old


def _is_there(row: InventoryRow, seen: Observation, ground: Ground) -> bool:
    if not isinstance(seen, Present) or not seen.is_read or seen.health == "gone":
        return False
    return is_ours(ground.platform.kinds[row.key.kind], row, seen)


def _is_free(key: Key, old: InventoryRow, observed: Observed, ground: Ground) -> bool:
    """Whether the new name can be taken. It may have a row of the same object: it was renamed back before the row of
    its former name was forgotten, and is now seen under the other one."""
    row, seen = ground.rows.get(key), observed.of(key)
    if row is None:
        return isinstance(seen, Absent)
    return _same_object(row, old) and not isinstance(seen, Present)


def is_under_a_new_name(
    row: InventoryRow, seen: Observation, desired: Desired, observed: Observed, ground: Ground
) -> Key | None:
    """The key whose row speaks of the same object: it was renamed, and only the old row is still to be forgotten.

    The two rows do not tell which of the names it has, since git may have gone back meanwhile: what was seen does.
    """
    if isinstance(seen, Present) or ground.platform.kinds[row.key.kind].rename is None:
        return None
    for key, other in ground.rows.items():
        if key.kind == row.key.kind and _same_object(other, row) and old_of(key, desired) == row.key:
            return key if isinstance(seen, Absent) or isinstance(observed.of(key), Present) else None
    return None


def _same_object(one: InventoryRow, other: InventoryRow) -> bool:
    return one.server_id == other.server_id is not None


def tie_moves(changes: Sequence[Change], desired: Desired, rows: Mapping[Key, InventoryRow]) -> tuple[Change, ...]:
    """The ordered changes, with each pair of a move tied together; the delete waits for the change of the new name."""
    former = {key: old for key in desired.special if (old := old_of(key, desired)) is not None and old in rows}
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
