"""What lives in something that is proved absent is absent too, whatever its own read answered there.

Called by ``observe``, so that a workspace and what belongs into it are made in one pass. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agent.definitions.platform import Kind
from agent.model.identity import Key
from agent.model.resource import Absent, Observation, Unknown


def without_parent(
    observations: Mapping[Key, Observation], kinds: Mapping[str, Kind], now: float
) -> dict[Key, Observation]:
    """The observations that are better told so; those of a parent's parent reach down to it."""
    absent = {key for key, seen in observations.items() if type(seen) is Absent}
    found: dict[Key, Observation] = {}
    grown = bool(absent)
    while grown:
        grown = False
        for key, seen in observations.items():
            if type(seen) is Unknown and key not in found and any(each in absent for each in _parents(key, kinds)):
                found[key] = Absent("parent", now)
                absent.add(key)
                grown = True
    return found


def is_nowhere(
    kind: str, scope: Iterable[tuple[str, str]], observations: Mapping[Key, Observation], kinds: Mapping[str, Kind]
) -> bool:
    """Whether a list of this kind, asked of this scope, can show nothing, since what it was asked of is proved absent.

    Whatever it answered then is as good as an empty list: nothing that it could have shown is missing.
    """
    places = tuple(scope)
    targets = {key.target for key in observations}
    absent = {key for key, seen in observations.items() if type(seen) is Absent}
    return any(each in absent for name in targets for each in _parents(Key(name, kind, places, ""), kinds))


def _parents(key: Key, kinds: Mapping[str, Kind]) -> Iterator[Key]:
    """The objects that the scope of a key names, outermost first."""
    kind = kinds.get(key.kind)
    named = {each.word: each.kind for each in kind.scope if each.kind is not None} if kind is not None else {}
    for place, (word, name) in enumerate(key.scope):
        parent = kinds.get(named.get(word, ""))
        if parent is not None:
            words = {each.word for each in parent.scope}
            scope = tuple(pair for pair in key.scope[:place] if pair[0] in words)
            yield Key(key.target, parent.name, scope, name)
