"""``lifecycle.movedFrom``: a resource that git has under another name now. Pure; called by ``planner``.

No definition can say that a platform renames, so a move is a create and a delete. What it adds is their order and their
fate: the old object goes only once the new one is live, and both say what belongs together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired


def tie_moves(changes: Sequence[Change], desired: Desired, rows: Mapping[Key, InventoryRow]) -> tuple[Change, ...]:
    """The ordered changes, with each pair of a move tied together; the delete waits for the change of the new name."""
    old_of = {key: old for key in desired.resources if (old := _old(key, desired)) is not None and old in rows}
    if not old_of:
        return tuple(changes)
    new_of = {old: new for new, old in old_of.items()}
    planned = {change.key: change for change in changes}
    return tuple(_tied(change, old_of, new_of, planned) for change in changes)


def _tied(
    change: Change, old_of: Mapping[Key, Key], new_of: Mapping[Key, Key], planned: Mapping[Key, Change]
) -> Change:
    if change.action is Action.CREATE and change.key in old_of:
        was = old_of[change.key].name
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


def _old(key: Key, desired: Desired) -> Key | None:
    """The key that a resource had, where its manifest says so and git no longer holds that one."""
    name = desired.resources[key].lifecycle.moved_from
    old = key._replace(name=name) if name is not None else None
    return old if old is not None and old not in desired.resources else None
