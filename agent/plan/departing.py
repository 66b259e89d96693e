"""Deletes of what other changes of a pass still hold on to. Pure; called by ``planner``.

A manifest that no longer names an object is changed first: until that has landed, its live object needs the other one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.plan.ground import key_from_json


def tie_deletes(changes: Sequence[Change], applied: Mapping[Key, Mapping[str, Any]]) -> tuple[Change, ...]:
    """The ordered changes; each delete waits for those that depended on its object when they were applied last.

    One that is held keeps what it needs.
    """
    leaving = {change.key for change in changes if change.action is Action.DELETE}
    if not leaving:
        return tuple(changes)
    holders: dict[Key, list[Change]] = defaultdict(list)
    for change in changes:
        if change.key not in leaving and (change.sends or change.action is Action.HOLD):
            for need in applied.get(change.key, {}).get("depends_on", ()):
                holders[key_from_json(need)].append(change)
    return tuple(_tied(change, holders[change.key]) if change.key in leaving else change for change in changes)


def _tied(change: Change, holders: Sequence[Change]) -> Change:
    held = next((each.key for each in holders if not each.sends), None)
    if held is not None:
        why = f"{held} still needs it, and is held"
        return change.held("DependencyHeld", why)
    needs = {*change.depends_on, *(each.key for each in holders)}
    return replace(change, depends_on=tuple(sorted(needs))) if holders else change
