"""Which calls belong to one kind: a collection, its item, and what else lists, finds, creates, changes or deletes one.

Called by ``kinds``. Guessed from paths and methods alone: ``/books`` and ``/books/{id}`` are one family, and what
stands below an item belongs to its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.drafting.endpoints import Endpoint
from agent.drafting.names import kind_name, squeezed

Steps = tuple[str, ...]
_SEARCH = frozenset(["filter", "search", "query", "list", "find", "searches", "paginate"])
_BY_NAME = frozenset(["name", "byname", "bykey", "key", "slug", "byslug"])
_CREATE = frozenset(["create", "new", "add", "register"])
_VERSION = re.compile(r"v[0-9]{1,3}")
_MAKES = re.compile(r"(?i)\b(?:create|add|new|register|insert)s?|^create|^add[A-Z_]")
_CHANGES = re.compile(r"(?i)update|modif|edit|change|patch|replace|set[A-Z_ ]")


@dataclass(slots=True)
class Family:
    """The calls of one kind. ``collection`` are the steps of its list, ``parameter`` that of its item's path."""

    collection: Steps
    parameter: str | None = None
    list: Endpoint | None = None
    searches: bool = False  # the list is a POST that only reads
    get: Endpoint | None = None
    finds: Endpoint | None = None  # a GET by name beside that by id
    create: Endpoint | None = None
    apply: Endpoint | None = None
    update: Endpoint | None = None
    other_update: Endpoint | None = None  # a PUT beside a PATCH
    delete: Endpoint | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def managed(self) -> bool:
        """Whether its objects can be created and looked at."""
        return (self.create is not None or self.apply is not None) and self.observed

    @property
    def whole(self) -> bool:
        """Whether a kind is worth drafting unasked: what is only listed and added to is no resource."""
        return self.managed and (self.parameter is not None or self.update is not None or self.delete is not None)

    @property
    def observed(self) -> bool:
        return self.list is not None or self.get is not None or self.finds is not None

    @property
    def calls(self) -> tuple[Endpoint, ...]:
        found = (self.list, self.get, self.finds, self.create, self.apply, self.update, self.delete)
        return tuple(one for one in found if one is not None)


def families(calls: Iterable[Endpoint]) -> list[Family]:
    """All that can be at least observed, those with the shortest paths first, each under a name of its own."""
    by_steps: dict[Steps, dict[str, Endpoint]] = {}
    for call in calls:
        if not call.deprecated:
            by_steps.setdefault(bare(call.steps), {}).setdefault(call.method, call)
    found = []
    for steps in sorted(_collections(by_steps), key=lambda one: (len(one), one)):
        family = _family(steps, by_steps)
        if family.managed or family.list is not None:
            found.append(family)
    _name(found)
    return [family for family in found if family.name]


def bare(steps: Steps) -> Steps:
    """The steps with ``{}`` for each parameter, so that two paths that name theirs differently are one."""
    return tuple("{}" if step.startswith("{") else step for step in steps)


def _collections(by_steps: Mapping[Steps, Mapping[str, Endpoint]]) -> set[Steps]:
    """Every path that has an item below it, or that lists and creates."""
    found = set()
    for steps, methods in by_steps.items():
        if len(steps) > 1 and steps[-1] == "{}" and steps[-2] != "{}":
            if squeezed(steps[-2]) in _BY_NAME and len(steps) > 2 and (*steps[:-2], "{}") in by_steps:
                continue
            found.add(steps[:-1])
        elif steps and steps[-1] != "{}" and {"GET", "POST"} <= methods.keys():
            found.add(steps)
    return found


def _family(collection: Steps, by_steps: Mapping[Steps, Mapping[str, Endpoint]]) -> Family:
    at_top, at_item = by_steps.get(collection, {}), by_steps.get((*collection, "{}"), {})
    family = Family(collection)
    if at_item:
        family.parameter = next(iter(at_item.values())).steps[-1][1:-1]
    family.list, family.get, family.delete = at_top.get("GET"), at_item.get("GET"), at_item.get("DELETE")
    for steps, methods in by_steps.items():
        if steps[:-1] == collection and squeezed(steps[-1]) in _SEARCH and "POST" in methods and family.list is None:
            family.list, family.searches = methods["POST"], True
        elif steps[:-1] == collection and squeezed(steps[-1]) in _CREATE and "POST" in methods:
            family.create = methods["POST"]
        elif steps[:-2] == collection and squeezed(steps[-2]) in _BY_NAME and steps[-1] == "{}" and "GET" in methods:
            family.finds = methods["GET"]
    _writes(family, at_top, at_item)
    return family


def _writes(family: Family, at_top: Mapping[str, Endpoint], at_item: Mapping[str, Endpoint]) -> None:
    """Which call creates, and which changes."""
    post, put, patch = at_item.get("POST"), at_item.get("PUT"), at_item.get("PATCH")
    if patch is not None and "json-patch" in patch.media:
        patch = None  # a list of edits, which no word describes
    family.create = family.create or at_top.get("POST")
    if post is not None and (family.create is None or ((put or patch) and _says(post, _MAKES))):
        if put is None and patch is None and not _says(post, _MAKES) and _says(post, _CHANGES):
            family.update = post
        else:
            family.create = post
            family.reasons["create"] = "POST to the path of the item itself"
    elif post is not None and put is None and patch is None and not _says(post, _MAKES):
        family.update = post
    if family.update is None:
        family.update, family.other_update = patch or put, put if patch is not None else None
    if put is not None and "201" in put.statuses and patch is not None and _has_header(put, "if-none-match"):
        family.create, family.reasons["create-only"] = put, ""
        family.reasons["create"] = "a PUT that may answer 201"
    if family.create is None and put is not None:
        family.apply, family.update = put, None
    if family.update is None and family.apply is None and "PUT" in at_top and family.parameter is not None:
        family.update = at_top["PUT"]  # of the collection, with the id in its body


def _has_header(call: Endpoint, name: str) -> bool:
    return any(one.name.lower() == name for one in call.asks("header"))


def _says(call: Endpoint, words: re.Pattern[str]) -> bool:
    return words.search(call.words) is not None


def _name(found: list[Family]) -> None:
    """The shortest name that is its own: the last step, with those before where two would be called alike.

    Of two that would be, the one that can be changed has it, then the one of the newer version, then the shorter path.
    """
    taken: set[str] = set()
    for family in sorted(found, key=lambda one: (not one.managed, one.update is None, -_version(one))):
        literal = [step for step in family.collection if step != "{}" and not _VERSION.fullmatch(step)]
        names = [name for count in range(1, min(len(literal), 4) + 1) if (name := kind_name(*literal[-count:]))]
        names += [f"{names[0]}{number}" for number in range(2, 50)] if names else []
        family.name = next((name for name in names if name not in taken), "")
        taken.add(family.name)


def _version(family: Family) -> int:
    return max((int(step[1:]) for step in family.collection if _VERSION.fullmatch(step)), default=0)
