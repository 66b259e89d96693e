"""Leaves whose form on the platform only the platform knows: files to upload, and names that stand for a member.

A manifest writes the path of a file, and the platform holds the id of a blob; it writes the name of another object, and
the platform holds that object's id. Comparisons, plans and the store keep the written form; *wires* say what travels
instead: pointer of the rule -> what is written -> what goes on the wire. Pure; called by ``ground`` and ``apply``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from agent.definitions.platform import Ref, Upload
from agent.model.identity import Key
from agent.model.resource import Resource
from agent.plan.normalize import rewrite
from agent.plan.rules import Place, RuleBook

Wires = Mapping[str, Mapping[str, Any]]

_BLOB_SHOWN = 12


def described(book: RuleBook, spec: Mapping[str, Any], files: Mapping[str, str]) -> Mapping[str, Any]:
    """The spec with each file as ``path@content``, so that another content of one path is another value."""
    if not files:
        return spec
    known = {path: shown(path, blob) for path, blob in files.items()}
    return _translated(book, spec, {rule.pointer: known for _, rule in book.elsewhere if rule.upload is not None})


def shown(path: str, blob: str) -> str:
    """A file and its content in one text."""
    return f"{path}@{blob[:_BLOB_SHOWN]}"


def path_of(text: str) -> str:
    """The path in what :func:`described` made of it."""
    return text.rpartition("@")[0]


def named(book: RuleBook, spec: Mapping[str, Any], wires: Wires) -> Mapping[str, Any]:
    """A live spec in the written form, as far as ``wires`` tell; another value stays as it is, and so differs."""
    back = {pointer: {str(value): written for written, value in pairs.items()} for pointer, pairs in wires.items()}
    return _translated(book, spec, back)


def wired(book: RuleBook, spec: Mapping[str, Any], wires: Wires) -> Mapping[str, Any]:
    """A described spec as it travels."""
    return _translated(book, spec, wires)


def references_in(book: RuleBook, spec: Mapping[str, Any]) -> Iterator[tuple[str, Ref, str]]:
    """Each name that stands for a member of another object: pointer of its rule, what it refers to, the name."""
    for place, rule in book.elsewhere:
        if rule.ref is not None:
            for name in _texts(spec, place):
                yield rule.pointer, rule.ref, name


def files_in(book: RuleBook, spec: Mapping[str, Any]) -> Iterator[tuple[str, Upload, str]]:
    """Each file to upload: pointer of its rule, how it is uploaded, the leaf (of a described spec)."""
    for place, rule in book.elsewhere:
        if rule.upload is not None:
            for text in _texts(spec, place):
                yield rule.pointer, rule.upload, text


def referred(resource: Resource, kind: str, scope_words: tuple[str, ...], name: str) -> Key:
    """The object that a name in a spec means: what validation resolved, else the one in the same scope."""
    for key in resource.depends_on:
        if key.kind == kind and key.name == name:
            return key
    scope = tuple(pair for pair in resource.key.scope if pair[0] in scope_words)
    return Key(resource.key.target, kind, scope, name)


def _translated(book: RuleBook, spec: Mapping[str, Any], names: Wires) -> Mapping[str, Any]:
    places = [(place, names[rule.pointer]) for place, rule in book.elsewhere if names.get(rule.pointer)]
    if not places:
        return spec
    changed = dict(spec)
    for place, known in places:
        rewrite(changed, place, partial(_other, known))
    return changed


def _other(names: Mapping[str, Any], leaf: Any) -> Any:
    return leaf if isinstance(leaf, bool | dict | list) or leaf is None else names.get(str(leaf), leaf)


def _texts(value: Any, place: Place) -> Iterator[str]:
    if not place:
        if isinstance(value, str):
            yield value
    elif isinstance(value, Mapping):
        for name in list(value) if place[0] == "*" else [place[0]] if place[0] in value else []:
            yield from _texts(value[name], place[1:])
    elif isinstance(value, list) and place[0] == "*":
        for member in value:
            yield from _texts(member, place[1:])
