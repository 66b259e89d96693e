"""A spec made to fit: less what the schema does not allow, and less text that tells a secret or looks unfinished.

Used by ``shape`` once the platform's own is gone. What does not fit is left out from the leaf upwards, as far as what
is left is allowed. Pure, but for the spec that it is handed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from agent.importing.shaped import PLACEHOLDER, TELLS_SECRET, UNFIT, UNKNOWN, Shaped, Unfit
from agent.json_schema import Schema
from agent.model.secret_names import REFERENCE
from agent.plan.rules import Place, split_pointer
from agent.validate import placeholders
from agent.validate.pointers import leaves, select

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@]*:[^/\s@]+@")
_TELLING_MIN = 6  # a shorter secret stands in other text by chance
_ROUNDS = 200


def hide_secrets(shaped: Shaped, values: Collection[str]) -> None:
    """Leaves out texts with an address and its password, or with a secret that stands elsewhere in this object."""
    telling = [value for value in values if len(value) >= _TELLING_MIN]
    for place, leaf, _ in list(leaves(shaped.spec)):
        if not isinstance(leaf, str) or place[:-1] in shaped.secrets:
            continue
        whole = _removable(shaped.spec, place)
        tells = _ADDRESS.search(leaf) is not None or any(value in leaf for value in telling)
        if tells and _remove(shaped.spec, whole):
            shaped.leave(TELLS_SECRET, whole)


def fit(shaped: Shaped, schema: Schema) -> None:
    """Leaves out what the schema does not allow, from the leaf upwards; Unfit where nothing allowed is left."""
    first = ""
    for _ in range(_ROUNDS):
        _drop_placeholder_keys(shaped)
        violations = schema.violations(_plain(shaped.spec))
        if not violations:
            return
        removed, first = False, first or violations[0].what
        for violation in violations:
            place = _removable(shaped.spec, split_pointer(violation.pointer))
            if not place:
                raise Unfit(first)
            if _remove(shaped.spec, place):
                removed = True
                for each in [each for each in shaped.secrets if each[: len(place)] == place]:
                    del shaped.secrets[each]
                shaped.leave(UNKNOWN if violation.code == "unknown-key" else UNFIT, place)
        if not removed:
            break
    raise Unfit(first)


def _removable(spec: Any, place: Place) -> Place:
    """The place, or the list that it is an element of: a list without one of its elements is another list."""
    value = spec
    lists: list[Place] = []
    for depth, token in enumerate(place):
        if isinstance(value, list):
            lists.append(place[:depth])
            value = value[int(token)] if token.isdigit() and int(token) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(token)
        else:
            value = None
    return lists[-1] if lists and len(lists[-1]) == len(place) - 1 else place


def _drop_placeholder_keys(shaped: Shaped) -> None:
    for place, leaf, is_key in list(leaves(shaped.spec)):
        found = placeholders.find(leaf) if is_key else None
        if found is not None and found[0] == "error":
            whole = _removable(shaped.spec, place)
            if _remove(shaped.spec, whole):
                shaped.leave(PLACEHOLDER, whole)


def _plain(value: Any) -> Any:
    """References as the text that schemas expect of a secret."""
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(value.get(REFERENCE), str):
            return "reference"
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _remove(spec: Any, place: Place) -> bool:
    value = spec
    for token in place[:-1]:
        if isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        elif isinstance(value, Mapping) and token in value:
            value = value[token]
        else:
            return False
    if isinstance(value, dict) and place[-1] in value:
        del value[place[-1]]
        return True
    return False


def reaches(value: Any, place: Place) -> bool:
    """Whether something stands at a place, in which ``*`` stands for any member."""
    if not place:
        return True
    if isinstance(value, Mapping):
        members = value.values() if place[0] == "*" else [value[place[0]]] if place[0] in value else []
    elif isinstance(value, list):
        members = value if place[0] == "*" else value[int(place[0]) :][:1] if place[0].isdigit() else []
    else:
        return False
    return any(reaches(member, place[1:]) for member in members)


def is_missing(spec: Any, place: Place) -> bool:
    """Whether a place is empty, and what it would stand in is there: then something may be that is not shown."""
    while place[-1:] == ("*",):
        place = place[:-1]
    within = [spec]
    for token in place[:-1]:
        containers = [each for each in within if isinstance(each, Mapping | list)]
        within = [member for each in containers for member in select(each, (token,))]
    return any(isinstance(each, Mapping) for each in within) and not reaches(spec, place)
