"""Who is hit when an object is made anew: what depends on it and stays. Pure; called by ``planner``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.resource import Desired


def tell_hits(changes: Sequence[Change], desired: Desired) -> tuple[Change, ...]:
    """The changes; a replacement names the resources that need the object which goes away for a while."""
    replaced = {change.key for change in changes if Action.REPLACE in (change.action, change.would)}
    if not replaced:
        return tuple(changes)
    hit: dict[Key, list[Key]] = {}
    for key, resource in desired.resources.items():
        for needed in resource.depends_on:
            if needed in replaced:
                hit.setdefault(needed, []).append(key)
    return tuple(replace(each, hits=tuple(sorted(hit[each.key]))) if each.key in hit else each for each in changes)
