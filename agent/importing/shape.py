"""A live object as the spec that a person would write: less what is the platform's own, secrets as references.

What is left out is told, with the reason: a manifest that does not write a member leaves it alone, so leaving one out
is always safe. What cannot be left out and cannot be written either makes the object :class:`Unfit`. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from agent.definitions.marks import is_mark
from agent.definitions.platform import FieldRule, Kind
from agent.importing.fit import fit, hide_secrets, is_missing, reaches
from agent.importing.guesses import labels_itself, sounds_like_the_platform
from agent.importing.shaped import (
    DEFAULT,
    GONE,
    IDENTITY,
    MARK,
    MASKED,
    NOTHING,
    PLACEHOLDER,
    REFERENCED,
    SERVERS,
    SOUNDS_SERVERS,
    TELLS_SECRET,
    UNFIT,
    UNKNOWN,
    UPLOADED,
    Hidden,
    Shaped,
    Unfit,
)
from agent.json_schema import Schema
from agent.model.identity import Key
from agent.model.secret_names import REFERENCE, is_masked, is_secret_name, named_secrets
from agent.plan.elsewhere import Wires, named
from agent.plan.normalize import live_spec
from agent.plan.rules import Place, RuleBook, join_pointer, pattern_of, split_pointer
from agent.validate import placeholders
from agent.validate.pointers import is_under

_DEEPEST = 90  # a manifest may be 100 levels deep, envelope included
_FIRST = ("name", "type", "key", "id")


def shape(
    book: RuleBook,
    schema: Schema,
    key: Key,
    live: Mapping[str, Any],
    wires: Wires | None = None,
    *,
    platform: str = "",
) -> Shaped:
    """The spec of a live object. ``wires`` say which names stand for what travels in another form; ``platform`` is the
    name of the definition.

    Raises :class:`Unfit` where the schema asks for what cannot be had.
    """
    _refuse_strange(live)
    spec = live_spec(book, live)
    if wires:
        spec = dict(named(book, spec, wires))
    secrets = {place for place, _ in named_secrets(spec)}
    packed = [place for place, _ in book.with_word("encode")]
    walk = _Walk(book, schema, key, Shaped({}), secrets, wires or {}, packed, platform)
    shaped = walk.shaped
    made = walk.mapping(spec, ())
    shaped.spec = made if made is not GONE else {}
    hide_secrets(shaped, walk.values)
    unseen = [place for place, rule in book.with_word("write_only") if rule.mask is None]
    unseen = [place for place in unseen if is_missing(shaped.spec, place)]
    try:
        fit(shaped, schema)
    except Unfit as unfit:
        places = ", ".join(".".join(place) for place in unseen)
        raise (Hidden(f"the platform does not show {places}, and {unfit}") if unseen else unfit) from None
    shaped.hidden = [place for place in unseen if is_missing(shaped.spec, place)]
    shaped.open = [place for place in shaped.open if reaches(shaped.spec, place)]
    shaped.conceal([value for value in walk.values if value])
    return shaped


def _refuse_strange(live: Any) -> None:
    """What no manifest can hold, however much of it is left out."""
    level = [live]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, Mapping):
                if not all(isinstance(name, str) for name in node):
                    raise Unfit("a member of it is called by something that is no text")
                inner.extend(node.values())
            elif isinstance(node, list):
                inner.extend(node)
        if not inner:
            return
        level = inner
    raise Unfit(f"it is nested more than {_DEEPEST} levels deep")


@dataclass(slots=True)
class _Walk:
    book: RuleBook
    schema: Schema
    key: Key
    shaped: Shaped
    named: set[Place]  # places of secrets that their names give away
    wires: Wires
    packed: list[Place]  # what becomes one text on its way: no reference in it would ever be resolved
    platform: str
    values: set[str] = field(default_factory=set)  # of the secrets that are shown
    _names: dict[Place, tuple[str, ...]] = field(default_factory=dict)

    def value(self, value: Any, place: Place) -> Any:
        """The value as a manifest writes it, or that it is gone."""
        rule = self.book.at(pattern_of(place))
        if rule.upload is not None:
            return self.shaped.leave(UPLOADED, place)
        if rule.ref is not None and rule.ref.member and value is not None:
            known = value in self.wires.get(rule.pointer, ()) if isinstance(value, str) else False
            return value if known else self.shaped.leave(REFERENCED, place)
        if rule.has_default and value == rule.default:
            return self.shaped.leave(DEFAULT, place)
        if isinstance(value, Mapping):
            return self.mapping(value, place)
        if isinstance(value, list):
            return self.elements(value, place)
        if self.is_secret(rule, value, place):
            self.values.add(str(value))
            if not rule.secret and is_under(place, self.packed):
                return self.shaped.leave(TELLS_SECRET, place)
            return self.reference(place)
        return self.scalar(rule, value, place)

    def mapping(self, value: Mapping[str, Any], place: Place) -> Any:
        names = self.names(place)
        made: dict[str, Any] = {}
        for name in _in_order(value, names):
            at = (*place, name)
            reason = self.is_foreign(name, value[name], names, at)
            if reason:
                self.shaped.leave(reason, at)
                continue
            member = self.value(value[name], at)
            if member is not GONE:
                made[name] = member
        return made if made or not value else GONE

    def elements(self, value: list[Any], place: Place) -> Any:
        mark = self.book.kind.mark
        marks = mark is not None and mark.in_list and split_pointer(mark.pointer) == place
        rule = self.book.at(pattern_of(place))
        shared = rule.list == "set" and rule.own == "listed"
        made = []
        for index, element in enumerate(value):
            if shared and labels_itself(self.platform, element):
                self.shaped.leave(SERVERS, (*place, element))
                continue
            if marks and (is_mark(mark, element) or str(element).startswith("datakeel.")):  # type: ignore[arg-type]
                self.shaped.leave(MARK, (*place, str(index)))
                continue
            member = self.value(element, (*place, str(index)))
            # An element stays where it is, even with nothing left in it: lists are compared by position.
            made.append({} if member is GONE and isinstance(element, Mapping) else member)
        if any(member is GONE for member in made):
            return self.shaped.leave_whole(place)
        return made if made or not value else GONE

    def names(self, place: Place) -> tuple[str, ...]:
        pattern = pattern_of(place)
        if pattern not in self._names:
            self._names[pattern] = self.schema.names_at(join_pointer(pattern))
        return self._names[pattern]

    def is_foreign(self, name: Any, value: Any, names: tuple[str, ...], place: Place) -> str:
        """Why a member is not what people write, "" when it may be."""
        if self.book.at(pattern_of(place)).read_only:
            return SERVERS
        if name in names:
            return NOTHING if value is None else DEFAULT if self.is_default(value, place) else ""
        if len(place) == 1 and name in _identity(self.book.kind):
            return IDENTITY
        if not self.schema.reaches(join_pointer(pattern_of(place))):
            return UNKNOWN
        if names:
            # Where the platform keeps apart what people wrote (`read: /spec/*`), nothing there is its own.
            if self.book.at(pattern_of(place[:1])).read is None and sounds_like_the_platform(name):
                return SOUNDS_SERVERS
            # Elsewhere an open mapping is open because its members are the author's.
            if self.book.kind.general is None and (len(place) == 1 or place[-2].isdigit()):
                self.shaped.open.append(place)
        return ""

    def is_default(self, value: Any, place: Place) -> bool:
        """Whether the schema says that this is what one gets without a word."""
        declared = self.schema.at(join_pointer(pattern_of(place)))
        return isinstance(declared, Mapping) and "default" in declared and bool(declared["default"] == value)

    def is_secret(self, rule: FieldRule, value: Any, place: Place) -> bool:
        """By the definition, or by its name where the definition does not know better."""
        if value is None or value == "" or rule.tells_plain:
            return False
        return bool(rule.secret) or place in self.named or (is_masked(value) and is_secret_name(place[-1]))

    def reference(self, place: Place) -> dict[str, str]:
        name = secret_name(self.key, place)
        others = {each for at, each in self.shaped.secrets.items() if at != place}
        number = 2
        unique = name
        while unique in others:
            unique, number = f"{name}-{number}", number + 1
        self.shaped.secrets[place] = unique
        return {REFERENCE: unique}

    def scalar(self, rule: FieldRule, value: Any, place: Place) -> Any:
        if rule.mask is not None and isinstance(value, str) and re.search(rule.mask, value):
            return self.shaped.leave(MASKED, place)
        if is_masked(value):
            return self.shaped.leave(MASKED, place)
        mark = self.book.kind.mark
        if mark is not None and split_pointer(mark.pointer) == place and is_mark(mark, value):
            return self.shaped.leave(MARK, place)
        # What looks like a variable is written so that it is none; what somebody forgot to fill in has no such way.
        found = placeholders.find(value.replace("${", "")) if isinstance(value, str) else None
        if found is not None and found[0] == "error":
            return self.shaped.leave(PLACEHOLDER, place)
        if isinstance(value, float):
            return Decimal(repr(value)) if math.isfinite(value) else self.shaped.leave(UNFIT, place)
        if isinstance(value, bytes | bytearray):
            return self.shaped.leave(UNFIT, place)
        return value


def secret_name(key: Key, place: Place) -> str:
    """``depot-raw-lake-password``: kind, name and the last words of the place, as a name below ``secrets`` may be."""
    words = [word for word in place if not word.isdigit()][-2:]
    parts = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", key.kind), key.name, *words]
    text = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
    return re.sub(r"-+", "-", text).strip("-")[:120] or "secret"


def _in_order(value: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """As the schema names them; then what names an element; then by name, whatever order the platform has today."""
    ranks = {name: rank for rank, name in enumerate((*names, *(each for each in _FIRST if each not in names)))}
    return sorted(value, key=lambda name: (ranks.get(name, len(ranks)), str(name)))


def _identity(kind: Kind) -> frozenset[str]:
    """Members of a body that say which object it is: every write adds them by itself."""
    words = {word.word for word in kind.scope} | set(kind.with_)
    if kind.key.plain is not None:
        words.add(kind.key.plain)
    if kind.id is not None and kind.id.plain is not None:
        words.add(kind.id.plain)
    for operation in (kind.create, kind.apply, kind.update):
        if operation is not None and operation.adds is not None and isinstance(operation.adds.value, Mapping):
            words |= set(operation.adds.value)
    return frozenset(words)
