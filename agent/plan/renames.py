"""A create and a delete that look alike: perhaps one resource under another name. It is told, and never guessed. Pure.

Called by ``planner``. Identity is the name, so a renamed resource is another one (``design/fault-model.md`` G9);
``lifecycle.movedFrom`` ties the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.model.canonical import canonical
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.plan.ground import Ground

ALIKE = 0.8
_PAIRS_MAX = 100


def tell_renames(changes: Sequence[Change], desired: Desired, ground: Ground) -> tuple[Change, ...]:
    """The changes; a create says which departing object it looks like."""
    departing = [each for each in changes if Action.DELETE in (each.action, each.would)]
    made = [each for each in changes if each.action is Action.CREATE and not each.message]
    if not departing or not made or len(departing) * len(made) > _PAIRS_MAX:
        return tuple(changes)
    told = {change.key: said for change in made if (said := _said(change, departing, desired, ground))}
    return tuple(replace(each, message=told[each.key]) if each.key in told else each for each in changes)


def _said(change: Change, departing: Sequence[Change], desired: Desired, ground: Ground) -> str:
    resource = desired.resources.get(change.key)
    if resource is None or resource.lifecycle.moved_from is not None:
        return ""
    mine = _leaves(ground.written(resource))
    best = max(
        ((_share(mine, _applied(each.key, ground)), each.key) for each in departing if _near(change, each)),
        default=None,
    )
    if best is None or best[0] < ALIKE:
        return ""
    share, old = best
    return (
        f"{share:.0%} alike with {old}, which goes: if it was renamed, `lifecycle: {{movedFrom: {old.name}}}` says so"
    )


def _near(change: Change, other: Change) -> bool:
    return (change.key.kind, change.key.scope) == (other.key.kind, other.key.scope)


def _applied(key: Key, ground: Ground) -> set[bytes]:
    return _leaves(ground.applied.get(key, {}).get("spec") or {})


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
