"""Merge patches (RFC 7396) and JSON patches (RFC 6902) that keep account of where each value came from.

Used by ``rendered``. A value and its :class:`Origin` change together and in place; the caller hands in a copy. No
library does both, and each standard is a page. Growth is counted, so that ``copy`` cannot double its way to a bomb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.model.canonical import canonical
from agent.validate.findings import as_shown, nearest
from agent.validate.origins import Origin, Text
from agent.validate.pointers import Tokens, join, split

NODES_MAX = 50_000
"""What overlays may add to one manifest."""
DEPTH_MAX = 100

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_NAMED = re.compile(r"\[([^\[\]=]+)=([^\[\]]*)\]")


class Misfit(Exception):
    """The patch cannot be applied to this manifest; ``place`` is the part of the overlay that does not fit."""

    def __init__(
        self, place: Tokens, what: str, got: str | None = None, fix: str | None = None, code: str = "overlay-misfit"
    ) -> None:
        super().__init__(what)
        self.place = place
        self.what = what
        self.got = got
        self.fix = fix
        self.code = code


class Growth:
    """How many nodes may still be added to a manifest."""

    def __init__(self, nodes_max: int = NODES_MAX) -> None:
        self._max = nodes_max
        self._left = nodes_max

    def copy(self, value: Any, place: Tokens = ()) -> Any:
        """A copy of a JSON value that shares nothing with it. Raises :class:`Misfit` when there is no room for it."""
        self._left -= 1
        if self._left < 0:
            what = f"overlays add more than {self._max:,} nodes to the manifest"
            raise Misfit(place, what, code="overlay-expansion", fix="copy less, or write the manifest itself")
        if isinstance(value, dict):
            return {key: self.copy(member, place) for key, member in value.items()}
        if isinstance(value, list):
            return [self.copy(element, place) for element in value]
        return value


def merge(value: Any, origin: Origin | None, patch: Any, text: Text, at: Tokens, growth: Growth) -> tuple[Any, Origin]:
    """RFC 7396: members are merged, null takes away, anything else replaces. ``at``: where the patch is in ``text``."""
    if not isinstance(patch, dict):
        return growth.copy(patch, at), Origin(text, at)
    if not isinstance(value, dict) or origin is None:
        value, origin = {}, Origin(text, at)
    members = origin.opened(value)
    for key, wanted in patch.items():
        place = (*at, key)
        if wanted is not None:
            value[key], members[key] = merge(value.get(key), members.get(key), wanted, text, place, growth)
        elif key in value:
            del value[key], members[key]
            origin.removed[key] = (text, place)
    return value, origin


def operate(
    value: Any, origin: Origin, operations: Sequence[Mapping[str, Any]], text: Text, at: Tokens, growth: Growth
) -> None:
    """RFC 6902, operation by operation, each of a checked form. Raises :class:`Misfit`; what was done before stays."""
    patched = _Patched(value, origin, text, growth)
    for index, operation in enumerate(operations):
        patched.do(operation, (*at, str(index)))


def checked_depth(value: Any, place: Tokens) -> None:
    """Raises :class:`Misfit` for a value that is nested deeper than a manifest may be."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX + 1:
            what = f"overlays nest the manifest deeper than {DEPTH_MAX} levels"
            raise Misfit(place, what, code="overlay-expansion", fix="copy less, or write the manifest itself")
        level = [
            member
            for node in level
            if isinstance(node, (dict, list))
            for member in (node.values() if isinstance(node, dict) else node)
        ]


class _Patched:
    """The value under its operations. ``self._place`` is the operation at work, in the overlay."""

    def __init__(self, value: Any, origin: Origin, text: Text, growth: Growth) -> None:
        self._value = value
        self._origin = origin
        self._text = text
        self._growth = growth
        self._place: Tokens = ()

    def do(self, operation: Mapping[str, Any], place: Tokens) -> None:
        self._place = place
        path, word = operation["path"], operation["op"]
        if word == "add":
            self._add(path, self._growth.copy(operation["value"], place), Origin(self._text, (*place, "value")))
        elif word == "remove":
            self._remove(path, "path")
        elif word == "replace":
            self._replace(path, operation["value"])
        elif word == "move":
            origin_path = operation["from"]
            if path == origin_path:
                self._there(path, "from")
            elif path.startswith(origin_path + "/"):
                raise self._misfit("path", f"`{origin_path}` cannot move into itself")
            else:
                self._add(path, *self._remove(origin_path, "from"))
        elif word == "copy":
            found, origin = self._there(operation["from"], "from")
            self._add(path, self._growth.copy(found, place), origin.copied())
        else:
            found, _ = self._there(path, "path")
            if canonical(found) != canonical(operation["value"]):
                what = f"the test of `{path}` fails: {as_shown(operation['value'])} was expected"
                raise self._misfit("value", what, got=as_shown(found))

    def _add(self, path: str, value: Any, origin: Origin) -> None:
        parent, members, last = self._parent(path, "path")
        if isinstance(parent, dict):
            parent[last], members[last] = value, origin
            return
        index = len(parent) if last == "-" else self._index(parent, last, path, "path", beyond=1)
        parent.insert(index, value)
        members.insert(index, origin)

    def _replace(self, path: str, value: Any) -> None:
        parent, members, last = self._parent(path, "path")
        step = self._step(parent, last, path, "path")
        parent[step] = self._growth.copy(value, self._place)
        members[step] = Origin(self._text, (*self._place, "value"))

    def _remove(self, path: str, word: str) -> tuple[Any, Origin]:
        parent, members, last = self._parent(path, word)
        step = self._step(parent, last, path, word)
        if isinstance(parent, dict):
            self._origin_at(path).removed[step] = (self._text, (*self._place, word))
        return parent.pop(step), members.pop(step)

    def _origin_at(self, path: str) -> Origin:
        return self._walk(split(path)[:-1], path, "path")[1]

    def _there(self, path: str, word: str) -> tuple[Any, Origin]:
        return self._walk(split(path), path, word)

    def _parent(self, path: str, word: str) -> tuple[Any, Any, str]:
        tokens = split(path)
        value, origin = self._walk(tokens[:-1], path, word)
        if not isinstance(value, (dict, list)):
            raise self._misfit(word, f"`{join(tokens[:-1])}` is neither a mapping nor a list", got=as_shown(value))
        return value, origin.opened(value), tokens[-1]

    def _walk(self, tokens: Tokens, path: str, word: str) -> tuple[Any, Origin]:
        value, origin = self._value, self._origin
        for token in tokens:
            step = self._step(value, token, path, word)
            value, origin = value[step], origin.opened(value)[step]
        return value, origin

    def _step(self, value: Any, token: str, path: str, word: str) -> Any:
        """The key or the number under which ``token`` is found in ``value``."""
        if isinstance(value, dict):
            if token in value:
                return token
            raise self._misfit(word, f"`{path}` names nothing: there is no `{token}`", fix=nearest(token, value))
        if isinstance(value, list):
            return self._index(value, token, path, word)
        what = f"`{path}` names nothing: what holds `{token}` is neither a mapping nor a list"
        raise self._misfit(word, what, got=as_shown(value))

    def _index(self, value: list[Any], token: str, path: str, word: str, *, beyond: int = 0) -> int:
        """A number as RFC 6901 writes it, or ``[name=load]`` for the one element with that member."""
        named = _NAMED.fullmatch(token)
        if named is not None:
            found = [
                index
                for index, element in enumerate(value)
                if isinstance(element, dict) and element.get(named[1]) == named[2]
            ]
            if len(found) == 1:
                return found[0]
            raise self._misfit(word, f"`{path}`: {len(found) or 'no'} elements have {named[1]}: {named[2]}")
        if not _INDEX.fullmatch(token):
            fix = "write its number from 0, or [name=NAME] for the element of that name"
            raise self._misfit(word, f"`{path}`: `{token}` is no element of a list", fix=fix)
        if int(token) >= len(value) + beyond:
            raise self._misfit(word, f"`{path}` names nothing: the list has {len(value)} elements")
        return int(token)

    def _misfit(self, word: str, what: str, *, got: str | None = None, fix: str | None = None) -> Misfit:
        return Misfit((*self._place, word), what, got, fix)
