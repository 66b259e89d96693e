"""What a stage needs of a definition, and why a kind is exempt from one: read from definition and schema only."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.definitions.platform import FieldRule, Kind
from agent.plan.normalize import live_spec
from agent.plan.rules import Place, RuleBook, pattern_of, split_pointer
from tests.platforms.conformance.examples import Document, Example, document_of, is_valid

KEPT = "kept by a person"
OF_EXAMPLE = "its example"
"""How a reason begins that holds for one example and not for its kind."""


def exemption(example: Example, stage: str) -> str:
    """Why this kind does not go through a stage; "" when it does. Every reason is one that its definition gives."""
    reason = _EXEMPTIONS.get(stage)
    return reason(example) if reason is not None else ""


def _no_update(example: Example) -> str:
    if not example.change:
        return "its manifests cannot say anything, so nothing can change"
    kind = example.kind
    return "" if kind.update is not None or kind.apply is not None else "it has no update"


def _not_frugal(example: Example) -> str:
    operation = example.kind.update or example.kind.apply
    return "" if operation is not None and operation.sends == "changes" else "its update sends the whole"


def _no_via(example: Example) -> str:
    if not any(rule.via for rule in example.kind.fields):
        return "no leaf of it has endpoints of its own"
    return "" if list(via_changes(example, document_of(example))) else f"{OF_EXAMPLE} writes no such leaf"


def _no_set(example: Example) -> str:
    if _no_update(example):
        return _no_update(example)
    if not any(rule.list not in (None, "ordered") for rule in example.kind.fields):
        return "no list of it is a set or has keys"
    return "" if reordered(example) is not None else f"{OF_EXAMPLE} holds none of its sets"


def _nothing_optional(example: Example) -> str:
    if _no_update(example):
        return _no_update(example)
    return "" if optional_members(example) else "nothing that it writes is optional"


def _all_in_place(example: Example) -> str:
    if not example.change:
        return _no_update(example)
    if _no_update(example) or immutable_change(example) is not None:
        return ""
    return "everything changes in place"


def _nothing_differs(example: Example) -> str:
    if not example.change:
        return "its manifests cannot say anything, so nothing can differ"
    return "" if is_found_by_name(example.kind) else "its name identifies nothing, so there is nothing to compare with"


def _no_mark(example: Example) -> str:
    return "" if example.kind.mark is not None else "it carries no mark"


def _cannot_exist_already(example: Example) -> str:
    kind = example.kind
    if kind.create is None:
        return "`apply` creates or replaces in one call, and nothing makes it conditional"
    return "" if kind.unique else "its name identifies nothing, so nothing can be in its place"


def _no_list(example: Example) -> str:
    return "" if example.kind.list is not None else "it has no list"


_EXEMPTIONS = {
    "update": _no_update,
    "foreign": _no_update,
    "sends": lambda example: _no_update(example) or _not_frugal(example),
    "via": _no_via,
    "reorder": _no_set,
    "removed": _nothing_optional,
    "replace": _all_in_place,
    "differs": _nothing_differs,
    "fixed": lambda example: _nothing_differs(example) or _all_in_place(example),
    "owned": _no_mark,
    "exists": _cannot_exist_already,
    "short": _no_list,
}


def is_found_by_name(kind: Kind) -> bool:
    """Whether an object that somebody else made is recognised as the one that a manifest means."""
    return kind.unique


def absence_is_provable(kind: Kind) -> bool:
    """Whether looking can prove that a create whose answer was lost left nothing (7.4)."""
    by_name = kind.get is not None and "id" not in kind.get.request.words
    listed = kind.list is not None and kind.list.complete
    return (kind.unique and (by_name or listed)) or (kind.mark is not None and (by_name or listed))


def comes_back(example: Example, document: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the platform shows every written leaf; where it hides one, nothing can be told to be identical."""
    book = book_of(example)
    shown = live_spec(book, live)
    return all(
        _shows(_at(shown, place), book.at(pattern_of(place)))
        for pattern, _ in book.with_word("write_only", "mask")
        for place, _ in _places(document["spec"], pattern)
    )


def _shows(live: Any, rule: FieldRule) -> bool:
    masked = rule.mask is not None and isinstance(live, str) and re.search(rule.mask, live) is not None
    return live is not None and not masked


def book_of(example: Example) -> RuleBook:
    metadata = document_of(example)["metadata"]
    return RuleBook(example.kind, {word: name for word, name in metadata.items() if word != "name"})


def changed(document: Mapping[str, Any], change: Mapping[str, Any]) -> Document:
    return {**document, "spec": {**document["spec"], **copy.deepcopy(dict(change))}}


def again(value: Any) -> Any:
    """A change once more, to something else."""
    if isinstance(value, Mapping):
        return {name: again(member) for name, member in value.items()}
    return f"{value} again" if isinstance(value, str) else value


def foreign_changes(example: Example, document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a person may add that git does not write: a member at the top, one further down, an element of a set.

    Each with the text by which it is recognised.
    """
    spec, schema = document["spec"], example.kind.schema or {}
    for name, declared in schema.get("properties", {}).items():
        if name not in spec and _is_free_text(declared) and not _has_rule(example.kind, name):
            yield f"{KEPT}: {name}", {name: f"{KEPT}: {name}"}
    operation = example.kind.update or example.kind.apply
    if schema.get("additionalProperties", True) is not False or (operation and operation.sends != "whole"):
        yield f"{KEPT}: more", {"more": f"{KEPT}: more"}
    for name, value in spec.items():
        if isinstance(value, Mapping) and set(value) != {"secretRef"}:
            yield f"{KEPT}: {name}/more", {name: {"more": f"{KEPT}: {name}/more"}}


def reordered(example: Example, document: Mapping[str, Any] | None = None) -> tuple[Document, Place] | None:
    """The manifest with at least two elements in a list whose order means nothing, and where that list is."""
    document = document or document_of(example)
    for rule in example.kind.fields:
        place = split_pointer(rule.pointer)
        if rule.list in (None, "ordered") or "*" in place:
            continue
        made = copy.deepcopy(dict(document))
        elements = _elements(rule, _at(made["spec"], place))
        if elements is not None and _set(made["spec"], place, elements) and is_valid(example, made):
            return made, place
    return None


def _elements(rule: FieldRule, there: Any) -> list[Any] | None:
    there = list(there) if isinstance(there, list) else []
    if rule.list == "set":
        return there if len(there) > 1 else ["alpha", "beta"]
    if not there or not isinstance(rule.list, tuple):
        return None
    if len(there) > 1:
        return there
    more = copy.deepcopy(there[0])
    return [*there, {**more, **{name: f"{more[name]}-two" for name in rule.list}}]


def optional_members(example: Example, document: Mapping[str, Any] | None = None) -> list[str]:
    """Top-level members that a manifest may leave out and that a read shows; what the update changes comes last."""
    document = changed(document or document_of(example), example.change)
    spec, book = document["spec"], book_of(example)
    hidden = {place[0] for place, _ in book.with_word("write_only", "upload", "via")}
    names = [name for name in spec if name not in hidden]
    names.sort(key=lambda name: name in example.change)
    return [name for name in names if is_valid(example, without(document, name))]


def without(document: Mapping[str, Any], *names: str) -> Document:
    return {**document, "spec": {name: value for name, value in document["spec"].items() if name not in names}}


def immutable_change(example: Example) -> Mapping[str, Any] | None:
    """Another value for a written leaf that cannot change in place."""
    document = document_of(example)
    for rule in example.kind.fields:
        name = rule.pointer[1:]
        if rule.immutable and isinstance(document["spec"].get(name), str):
            change = {name: f"{document['spec'][name]}x"}
            if is_valid(example, changed(document, change)):
                return change
    return None


def via_changes(example: Example, document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """For each leaf at the top that has endpoints of its own: every other value that it can have, then its own."""
    for rule in example.kind.fields:
        name = rule.pointer[1:]
        if rule.via and name in document["spec"]:
            others = [json.loads(value) for value in rule.via if json.loads(value) != document["spec"][name]]
            for value in (*others, document["spec"][name]):
                yield {name: value}


def _is_free_text(declared: Any) -> bool:
    if not isinstance(declared, Mapping) or {"enum", "pattern", "format", "const"} & set(declared):
        return False
    types = declared.get("type", ())
    return types == "string" or "string" in types


def _has_rule(kind: Kind, name: str) -> bool:
    """More than a place to read from is said about a member."""
    words = ("read_only", "via", "upload", "encode", "secret", "ref")
    return any(rule.pointer == f"/{name}" and any(getattr(rule, word) for word in words) for rule in kind.fields)


def _at(value: Any, place: Place) -> Any:
    for step in place:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return None
    return value


def _set(value: Any, place: Place, new: Any) -> bool:
    for step in place[:-1]:
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return False
    value[place[-1]] = new
    return True


def _places(value: Any, pattern: Place, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Where a pattern leads to in a value, and what is there."""
    if not pattern:
        yield place, value
        return
    step, rest = pattern[0], pattern[1:]
    if isinstance(value, Mapping):
        for name in value if step == "*" else [step] if step in value else []:
            yield from _places(value[name], rest, (*place, name))
    elif isinstance(value, list) and step == "*":
        for index, member in enumerate(value):
            yield from _places(member, rest, (*place, str(index)))
