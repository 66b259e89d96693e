"""Field rules of a kind, looked up by place: what is special about this leaf?

Built once per kind (and per scope, where a pointer holds a scope word), called by ``normalize``, ``compare`` and
``compose``. List positions are written ``*``, so that one lookup serves every element.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from agent.definitions.platform import FieldRule, Kind
from agent.model.identity import Key

Place = tuple[str, ...]

_WORD = re.compile(r"\{(\w+)\}")
_NO_RULE = FieldRule(pointer="")
# Words that hold for everything below the pointer that carries them.
_INHERITED = ("secret", "write_only", "read_only", "immutable")
_STRICT = (*_INHERITED, "mask", "via", "upload", "ref")


def split_pointer(pointer: str) -> Place:
    """RFC 6901 reference tokens, unescaped."""
    if not pointer:
        return ()
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def join_pointer(place: Place) -> str:
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in place)


def pattern_of(place: Place) -> Place:
    """List positions as ``*``. A mapping's member that looks like a number gains at worst a list's rule."""
    return tuple("*" if token.isdigit() else token for token in place)


def covers(places: Collection[Place], place: Place) -> bool:
    """Whether one of the places, in which ``*`` stands for every element, is this one."""
    return place in places or any("*" in each and len(each) == len(place) and _matches(each, place) for each in places)


class Types(Protocol):
    """The declared JSON types of a pointer, None where the schema is silent (``json_schema.Schema`` is one)."""

    def type_at(self, pointer: str) -> frozenset[str] | None: ...


@dataclass(frozen=True, slots=True)
class Move:
    """Where a member of ``spec`` stands in the live object or in the body; ``*`` binds from the pointer."""

    spec: Place
    other: Place


class RuleBook:
    """All rules of one kind for one scope. ``at`` merges the matching rules, the most specific first, word by word."""

    def __init__(self, kind: Kind, scope: Mapping[str, str]) -> None:
        self.kind = kind
        self._rules = sorted(
            ((split_pointer(_filled(rule.pointer, scope)), rule) for rule in kind.fields),
            key=lambda pair: (len(pair[0]) - pair[0].count("*"), len(pair[0])),
        )
        self.reads = tuple(
            Move(place, split_pointer(_filled(rule.read, scope)))
            for place, rule in self._rules
            if rule.read is not None
        )
        self.writes = tuple(
            Move(place, split_pointer(_filled(rule.write, scope)))
            for place, rule in self._rules
            if rule.write is not None
        )
        self.elsewhere = tuple(
            (place, rule)
            for place, rule in self._rules
            if rule.upload is not None or (rule.ref is not None and rule.ref.member is not None)
        )
        """Leaves that travel in a form that only the platform knows (``elsewhere.py``)."""
        self.vias = {place: rule.via for place, rule in self._rules if rule.via is not None}
        """Leaves with endpoints of their own: never part of a body."""
        self._at: dict[Place, FieldRule] = {}
        self._holding: dict[Place, bool] = {}
        self._secrets = tuple(place for place, rule in self._rules if rule.secret)
        self._unreadable = tuple(place for place, rule in self._rules if rule.write_only)
        self._strict = tuple(place for place, rule in self._rules if any(getattr(rule, word) for word in _STRICT))
        self._types: Types | None = None
        self._declared: dict[Place, frozenset[str] | None] = {}

    def may_hold_secrets(self, place: Place) -> bool:
        """Whether a secret can stand at a place or anywhere below it: nearly everything else need not be looked at."""
        found = self._holding.get(place)
        if found is None:
            found = self._holding[place] = _leads_to(place, self._secrets)
        return found

    def may_hide(self, place: Place) -> bool:
        """Whether something at a place or below it does not come back, so that its absence says nothing."""
        return _leads_to(place, self._unreadable)

    def is_strict_below(self, place: Place) -> bool:
        """Whether a rule from here on makes more of a change than another value."""
        return _leads_to(place, self._strict)

    def declared(self, types: Types, place: Place) -> frozenset[str] | None:
        """``types.type_at`` of a place, remembered: a walk through a schema costs more than a comparison."""
        if types is not self._types:
            self._types, self._declared = types, {}
        if place not in self._declared:
            self._declared[place] = types.type_at(join_pointer(place))
        return self._declared[place]

    def at(self, place: Place) -> FieldRule:
        """The effective rule of a place whose list positions are ``*``."""
        found = self._at.get(place)
        if found is None:
            found = self._at[place] = self._merged(place)
        return found

    def with_word(self, *words: str) -> Iterator[tuple[Place, FieldRule]]:
        """Rules that say any of ``words``, least specific first."""
        for place, rule in self._rules:
            if any(getattr(rule, word) not in (None, False) for word in words):
                yield place, rule

    def _merged(self, place: Place) -> FieldRule:
        words: dict[str, Any] = {}
        for pattern, rule in self._rules:
            if len(pattern) <= len(place) and _matches(pattern, place[: len(pattern)]):
                exact = len(pattern) == len(place)
                for word in _INHERITED:
                    if getattr(rule, word):
                        words[word] = True
                if rule.secret and rule.mask is not None:
                    words["mask"] = rule.mask
                if exact:
                    words |= _said(rule)
        return FieldRule(pointer=join_pointer(place), **words) if words else _NO_RULE


class RuleBooks:
    """The books of one platform; resources share one wherever the kind's pointers do not name their scope."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._scoped = {name for name, kind in kinds.items() if any(_WORD.search(text) for text in _pointers(kind))}
        self._books: dict[tuple[str, tuple[tuple[str, str], ...]], RuleBook] = {}

    def of(self, key: Key) -> RuleBook:
        wanted = (key.kind, key.scope if key.kind in self._scoped else ())
        book = self._books.get(wanted)
        if book is None:
            book = self._books[wanted] = RuleBook(self._kinds[key.kind], dict(key.scope))
        return book


def _pointers(kind: Kind) -> Iterator[str]:
    for rule in kind.fields:
        yield from (rule.pointer, rule.read or "", rule.write or "")


def _filled(pointer: str, scope: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: scope.get(found[1], found[0]).replace("~", "~0").replace("/", "~1"), pointer)


def _leads_to(place: Place, patterns: Iterable[Place]) -> bool:
    return any(_matches(pattern[: len(place)], place[: len(pattern)]) for pattern in patterns)


def _matches(pattern: Place, place: Place) -> bool:
    return all(expected in ("*", token) for expected, token in zip(pattern, place, strict=True))


def _said(rule: FieldRule) -> dict[str, Any]:
    """The words that a rule really says, without those at their default."""
    return {
        member.name: getattr(rule, member.name)
        for member in fields(FieldRule)
        if member.name != "pointer" and getattr(rule, member.name) != getattr(_NO_RULE, member.name)
    }
