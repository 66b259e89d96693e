"""What the checks need of each kind, compiled once for a platform: its schema, secret places, references, mark.

Built from the definition by :func:`rules_of`, which keeps the last few platforms, since an agent checks thousands of
files against the same one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.definitions.platform import Kind, Platform
from agent.json_schema import Schema
from agent.validate.pointers import Tokens, split

_KEPT_MAX = 16
_kept: dict[int, PlatformRules] = {}


def rules_of(platform: Platform) -> PlatformRules:
    """The compiled rules of a platform; the same one for the same platform."""
    rules = _kept.get(id(platform))
    if rules is None:
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        rules = _kept[id(platform)] = PlatformRules(platform)  # holds the platform, so that its id stays its own
    return rules


class PlatformRules:
    """The rules of all kinds that a manifest may name."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._kinds: dict[str, KindRules] = {}
        self.managed = tuple(name for name, kind in platform.kinds.items() if kind.managed)
        told_by = {expression.source for rule in platform.native for expression in rule.with_.values()}
        self.deciding = ("apiVersion", "kind", *sorted(told_by))  # members that say what a document is
        told = [kind for kind in platform.kinds.values() if kind.with_ and kind.managed]
        self._by_constants = {_constants(kind.with_): kind for kind in told}
        self._by_word = {
            (word, value): kind
            for kind in told
            for word, value in kind.with_.items()
            if len(kind.with_) == 1 and isinstance(value, str)
        }

    def of(self, kind: Kind) -> KindRules:
        rules = self._kinds.get(kind.name)
        if rules is None:
            rules = self._kinds[kind.name] = KindRules(kind)
        return rules

    def with_constants(self, constants: Mapping[str, Any]) -> Kind | None:
        """The kind whose constants are these."""
        if len(constants) == 1:
            ((word, value),) = constants.items()
            if isinstance(value, str):  # the common case, without the cost of the general one
                return self._by_word.get((word, value))
        return self._by_constants.get(_constants(constants))

    def constants_named(self, word: str) -> dict[str, Kind]:
        """Values that kinds have for one constant."""
        return {
            kind.with_[word]: kind
            for kind in self.platform.kinds.values()
            if kind.managed and isinstance(kind.with_.get(word), str)
        }


class KindRules:
    """The rules of one kind. Pointers of the definition are token tuples here."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.schema = Schema(kind.schema or {}, kind.schema_path)
        described = (kind.schema or {}).get("$defs", {}).get("name")
        self.name_schema = Schema(described, kind.schema_path) if isinstance(described, Mapping) else None
        self.name_advice = described.get("description") if isinstance(described, Mapping) else None
        self._secrets = tuple(split(rule.pointer) for rule in kind.fields if rule.secret)
        self.plain = tuple(split(rule.pointer) for rule in kind.fields if rule.tells_plain)
        self.packed = tuple(split(rule.pointer) for rule in kind.fields if rule.encode)
        self._read_only = tuple(split(rule.pointer) for rule in kind.fields if rule.read_only)
        self._is_scoped = any("{" in rule.pointer for rule in kind.fields)
        self._references = tuple((split(rule.pointer), rule.ref.kind) for rule in kind.fields if rule.ref)
        self.uploads = tuple(split(rule.pointer) for rule in kind.fields if rule.upload)
        self._mark = re.compile(kind.mark.pattern) if kind.mark else None
        self.mark_place = (*split(kind.mark.pointer), *(("*",) if kind.mark.in_list else ())) if kind.mark else ()

    def secrets(self, scope: Mapping[str, str]) -> tuple[Tokens, ...]:
        return _filled(self._secrets, scope) if self._is_scoped else self._secrets

    def read_only(self, scope: Mapping[str, str]) -> tuple[Tokens, ...]:
        return _filled(self._read_only, scope) if self._is_scoped else self._read_only

    def is_mark(self, text: Any) -> bool:
        """Whether a text looks like a mark of ours: this definition's, or one that only the agent writes anywhere."""
        if self._mark is None or not isinstance(text, str):
            return False
        return text.startswith("datakeel.") or self._mark.fullmatch(text) is not None

    @property
    def references(self) -> tuple[tuple[Tokens, str], ...]:
        return self._references


def _constants(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((word, repr(value)) for word, value in values.items()))


def _filled(patterns: tuple[Tokens, ...], scope: Mapping[str, str]) -> tuple[Tokens, ...]:
    """The patterns with ``{word}`` of the scope put in."""
    words = {f"{{{word}}}": name for word, name in scope.items()}
    return tuple(tuple(words.get(token, token) for token in pattern) for pattern in patterns)
