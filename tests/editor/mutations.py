"""Documents that are right, each with one change: what the agent and the schema for editors say of it.

``python -m tests.editor.mutations`` makes every change at every place of every example and sample, in half a minute,
and prints where the two differ; the suite takes one change a place of one document a kind.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from agent import yaml_io
from agent.editor.umbrella import umbrella
from agent.errors import Problem
from agent.validate.document import check_file
from agent.validate.examples import defaults_of
from tests.editor.corpora import ROOT, as_json, files_of, is_beyond, judged, validator
from tests.platforms.folders import folders, loaded

Place = tuple[Any, ...]
VALUES = ({"secretRef": "x"}, 7, ["a"], {"a": "b"}, None, "zzz zz")
DROPPED, ADDED = len(VALUES), len(VALUES) + 1
CHANGES = len(VALUES) + 2

# What remains, and why it is no fault of the schema.
KNOWN = (
    (
        r".*/(secret|instance-secret)$",
        "a section is called so, and the agent follows a reference there",
    ),
    (r".*/spec/value$", "a value beside a name, which may be that of a secret"),
    (r".*/(vulcan|resource)(/anything)?$", "which member holds secrets is told by the type of the resource"),
)


class Difference(NamedTuple):
    """A changed document of which the two say different things."""

    place: str
    change: int
    agent: tuple[Problem, ...]


def changed(name: str, *, thorough: bool) -> Iterator[tuple[str, int, Any]]:
    """The places, the number of the change, and the document."""
    seen = set()
    own = {path.name for path in files_of(name) if path.is_relative_to(ROOT)}
    for document in judged(name):
        kind = document.value.get("kind") or document.value.get("type") if isinstance(document.value, dict) else None
        if document.errors or document.file.partition(":")[0] not in own or (not thorough and kind in seen):
            continue
        seen.add(kind)
        for number, (place, value) in enumerate(_places(document.value)):
            for change in range(CHANGES) if thorough else (number % CHANGES,):
                made = _change(document.value, place, value, change)
                if made is not None:
                    yield "/".join([document.file, *map(str, place)]), change, made


def differences(name: str, *, thorough: bool) -> tuple[int, list[Difference]]:
    """How many changes were made, and those of which the schema says something else than the agent."""
    platform = loaded(name)
    schema, defaults, found, tried = validator(umbrella(platform)), defaults_of(platform, ""), [], 0
    for place, change, value in changed(name, thorough=thorough):
        tried += 1
        problems = check_file(yaml_io.dump(value).encode(), platform, defaults).problems
        errors = tuple(problem for problem in problems if problem.severity == "error")
        valid = schema.is_valid(as_json(value))
        if valid == bool(errors) and not (valid and is_beyond(errors)):
            found.append(Difference(place, change, errors))
    return tried, found


def _places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield place, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for word, member in inside:
        yield from _places(member, (*place, word))


def _change(document: Any, place: Place, value: Any, change: int) -> Any:
    if change == ADDED:
        return _put(document, place, {**value, "noSuchMember": 1}) if isinstance(value, dict) else None
    if not place:
        return None
    return _put(document, place, VALUES[change]) if change < len(VALUES) else _dropped(document, place)


def _put(node: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    made = copy.copy(node)
    made[place[0]] = _put(node[place[0]], place[1:], value)
    return made


def _dropped(node: Any, place: Place) -> Any:
    made = copy.copy(node)
    if len(place) == 1:
        del made[place[0]]
    else:
        made[place[0]] = _dropped(node[place[0]], place[1:])
    return made


def main() -> int:
    total = 0
    for name, _ in folders():
        tried, found = differences(name, thorough=True)
        total += tried
        for each in found:
            said = each.agent[0].what if each.agent else "the schema alone refuses"
            print(f"{name}: {each.place}: change {each.change}: {said}")
    print(f"{total:,} changed documents")
    return 0


if __name__ == "__main__":
    sys.exit(main())
