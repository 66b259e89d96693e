"""A platform's own documents as a schema: which members say what a document is, and what stands beside them.

A rule of the definition is an expression. One that is a plain member name is taken over; for any other the document is
not judged, since JSON Schema cannot say it, and to flag what is right would be worse than to let something pass. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.definitions.platform import Kind, NativeRule, Platform
from agent.editor.manifest_words import name_word, scope_word

Form = Callable[[Mapping[str, Any]], dict[str, Any]]
"""The schema of a kind's document, given those of the members that say which resource it is."""


def recognised(constants: Mapping[str, Any]) -> dict[str, Any]:
    """The condition that members have these values."""
    return {"properties": {word: {"const": value} for word, value in constants.items()}, "required": list(constants)}


def native_form(platform: Platform, forms: Mapping[str, Form]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a document without ``apiVersion``, and the members that an editor offers at its top."""
    conditions: list[dict[str, Any]] = []
    values: dict[str, list[Any]] = {}
    offered: dict[str, Any] = {}
    judged: set[str] = set()
    catch_all: list[tuple[str, NativeRule]] = []
    certain = True
    for rule in platform.native:
        told = {word: expression.plain for word, expression in rule.with_.items()}
        if None in told.values() or None in (each.plain for each in rule.metadata.values()):
            certain = False
        elif rule.kind is None:
            for kind in _kinds_of(platform, rule):
                if kind.name not in judged:
                    judged.add(kind.name)
                    constants = {str(told[word]): value for word, value in kind.with_.items()}
                    for member, value in constants.items():
                        values.setdefault(member, []).append(value)
                    form = _document(kind, rule, forms[kind.name], offered)
                    conditions.append({"if": recognised(constants), "then": form})
        elif rule.when.plain is not None:
            catch_all.append((rule.when.plain, rule))
        else:
            certain = False
    if not values:
        return {}, offered
    for member, rule in catch_all:
        kind = platform.kinds[str(rule.kind)]
        others = {
            "required": [member],
            "properties": {each: {"not": {"enum": known}} for each, known in values.items()},
        }
        conditions.append({"if": others, "then": _document(kind, rule, forms[kind.name], offered)})
    for member, known in values.items():
        # A text of which nothing is known is that of a kind that takes all others.
        rest = {"type": "string", "minLength": 1, "examples": known} if catch_all else {"enum": known}
        offered[member] = {**rest, "description": "What the resource is."}
    needed = {"required": list(values), "properties": {each: offered[each] for each in values}} if certain else {}
    return {**needed, "allOf": conditions}, offered


def _kinds_of(platform: Platform, rule: NativeRule) -> list[Kind]:
    words = set(rule.with_)
    return [kind for kind in platform.kinds.values() if kind.managed and kind.with_ and set(kind.with_) == words]


def _document(kind: Kind, rule: NativeRule, form: Form, offered: dict[str, Any]) -> dict[str, Any]:
    """A document of a kind. What tells its name and scope is checked as in ``metadata``."""
    members: dict[str, Any] = dict.fromkeys(sorted(rule.consumed), True)
    scope = {word.word: word for word in kind.scope}
    for word, expression in rule.metadata.items():
        member = str(expression.plain)
        if word == "name":
            members[member] = name_word(kind)
        elif word in scope:
            members[member] = scope_word(scope[word])
        elif member not in {each.plain for each in rule.with_.values()}:
            members[member] = {"not": {}, "doNotSuggest": True, "errorMessage": f"{kind.name} belongs to no {word}"}
            continue
        offered.setdefault(member, {"description": members[member]["description"]})
    name = rule.metadata.get("name")
    needed = {"required": [str(name.plain)]} if name is not None else {}
    return form(members) | needed
