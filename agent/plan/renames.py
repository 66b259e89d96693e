"""A create and a delete that look alike: perhaps one resource under another name. It is told, and never guessed. Pure.

Called by ``planner``. Identity is the name, so a renamed resource is another one (``design/fault-model.md`` G9);
``lifecycle.movedFrom`` ties the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.model.canonical import canonical, digest
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.plan.ground import Ground
from agent.plan.moves import old_of

ALIKE = 0.8
_PAIRS_MAX = 100


def tell_renames(changes: Sequence[Change], desired: Desired, ground: Ground) -> tuple[Change, ...]:
    """The changes; a create says which departing object it looks like. Of very many, only those alike to the leaf."""
    leaving = {each.key for each in changes if Action.DELETE in (each.action, each.would)}
    made = [each for each in changes if each.action is Action.CREATE and not each.message]
    if not leaving or not made:
        return tuple(changes)
    leaving -= {old_of(key, desired) for key in desired.resources}
    departing = {key: spec for key in sorted(leaving) if (spec := ground.applied.get(key, {}).get("spec"))}
    same = {(key._replace(name=""), digest(spec)): key for key, spec in departing.items()}
    alike = departing if len(departing) * len(made) <= _PAIRS_MAX else {}
    told = {}
    for change in made:
        resource = desired.resources.get(change.key)
        if resource is not None and resource.lifecycle.moved_from is None:
            told[change.key] = _said(change.key, ground.written(resource), same, alike)
    return tuple(replace(each, message=told[each.key]) if told.get(each.key) else each for each in changes)


def _said(
    key: Key, spec: Mapping[str, Any], same: Mapping[tuple[Key, str], Key], alike: Mapping[Key, Mapping[str, Any]]
) -> str:
    old, how = same.get((key._replace(name=""), digest(spec))), "just as"
    if old is None:
        mine = _leaves(spec)
        near = (each for each in alike if each._replace(name=key.name) == key)
        share, old = max(((_share(mine, _leaves(alike[each])), each) for each in near), default=(0.0, None))
        if old is None or share < ALIKE:
            return ""
        how = f"{share:.0%} alike with"
    return f"{how} {old}, which leaves git: if it was renamed, `lifecycle: {{movedFrom: {old.name}}}` says so"


def _share(mine: set[bytes], theirs: set[bytes]) -> float:
    return len(mine & theirs) / max(len(mine | theirs), 1) if theirs else 0.0


def _leaves(spec: Mapping[str, Any]) -> set[bytes]:
    return {canonical([place, value]) for place, value in _walk(spec, "")}


def _walk(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, member in value.items():
            yield from _walk(member, f"{place}/{name}")
    elif isinstance(value, list) and value:
        for position, member in enumerate(value):
            yield from _walk(member, f"{place}/{position}")
    else:
        yield place, value
