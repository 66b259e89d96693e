"""Which kind a program means by ``type="workflow"`` or ``client.workspaces``, and where an object stands. Pure.

A kind is meant by its own name, by a constant of its definition (the platform's word for the type), or by its plural,
in any spelling: ``InstanceSecret``, ``instance-secret`` and ``instance_secrets`` are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.client.errors import NotSupportedError
from agent.definitions.platform import Kind, Operation, Platform
from agent.errors import UsageError
from agent.validate.findings import nearest, one_of

Scope = tuple[tuple[str, str], ...]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_SEVERAL = re.compile(r"(?:s|x|z|ch|sh)$")
_TYPE = "type"  # the argument's name; a catch-all kind has a scope word that is called so


@dataclass(frozen=True, slots=True)
class Meant:
    """A kind, and the scope words that the way it was named says already."""

    kind: Kind
    said: Mapping[str, str]


class Kinds:
    """The kinds of one platform, by all their names."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._by_name = {_folded(name): kind for name, kind in platform.kinds.items()}
        self._by_plural = {_folded(plural(name)): kind for name, kind in platform.kinds.items()}
        self._by_constant: dict[str, Kind] = {}
        for kind in platform.kinds.values():
            for value in kind.with_.values():
                if isinstance(value, str):
                    self._by_constant.setdefault(_folded(value), kind)

    def meant(self, name: str) -> Meant:
        """The kind that ``type=name`` means. Raises UsageError for one that the platform does not have."""
        found = self._found(name)
        if found is not None:
            return Meant(found, {})
        known = [*self._platform.kinds, *(str(value) for kind in self._all() for value in kind.with_.values())]
        close = nearest(name, known)
        general = next((kind for kind in self._all() if kind.general is not None and _takes_any_type(kind)), None)
        if general is not None and close is None:
            return Meant(general, {_TYPE: name})
        raise UsageError(
            f"{self._platform.api_version} has no kind `{name}`",
            fix=close or one_of(self._platform.kinds),
            code="kind-unknown",
        )

    def collection(self, word: str) -> Kind | None:
        """The kind that ``client.word`` means."""
        return None if word.startswith("_") else self._found(word)

    @property
    def collections(self) -> list[str]:
        """What ``dir(client)`` shows."""
        return sorted(plural(name) for name in self._platform.kinds)

    def _found(self, name: str) -> Kind | None:
        folded = _folded(name)
        return self._by_name.get(folded) or self._by_constant.get(folded) or self._by_plural.get(folded)

    def _all(self) -> Iterable[Kind]:
        return self._platform.kinds.values()


def plural(name: str) -> str:
    """``InstanceSecret`` as ``instance_secrets``."""
    word = "_".join(part.lower() for part in _WORDS.findall(name))
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if _SEVERAL.search(word) else "s")


def place(kind: Kind, given: Mapping[str, Any], defaults: Mapping[str, str]) -> Scope:
    """The scope that the arguments and the client's defaults say, in the kind's order; what nobody says is left out.

    Raises UsageError for a word that the kind does not have.
    """
    words = [word.word for word in kind.scope]
    unknown = [name for name in given if name not in words]
    if unknown:
        fix = f"its words are {', '.join(words)}" if words else "it stands in no scope"
        raise UsageError(f"{kind.name} has no scope word `{unknown[0]}`", fix=fix)
    said = {}
    for word in kind.scope:
        value = given.get(word.word)
        if value is None and not word.optional:
            value = defaults.get(word.word)
        if value is not None:
            said[word.word] = str(value)
    return tuple((word, said[word]) for word in words if word in said)


def operation_of(kind: Kind, name: str) -> Operation:
    """The kind's own operation. Raises :class:`NotSupportedError`, which names what the kind can do."""
    found: Operation | None = getattr(kind, name)
    if found is None:
        raise NotSupportedError.of(kind, name)
    return found


def must_say(kind: Kind, operation: Operation, scope: Scope) -> None:
    """Raises UsageError for a scope word that the call cannot be built without; the platform has a default of its own
    for one that stands by itself in the query or in the body.
    """
    templates = (*kind.headers.values(), *operation.headers.values())
    needed = {word.partition(".")[0] for word in operation.request.path_words}
    needed |= {word.partition(".")[0] for template in templates for word in template.words}
    inside = [template for template in (operation.adds, operation.body) if template is not None]
    needed |= {word.partition(".")[0] for template in inside for word in template.words if "." in word}
    known = dict(scope)
    missing = [word.word for word in kind.scope if word.word in needed and word.word not in known and not word.optional]
    if missing:
        raise UsageError(
            f"which {missing[0]}? {operation.method} {operation.request.source} names it",
            fix=f"say {missing[0]}=… in the call, or once for all where the client is made",
        )


def _takes_any_type(kind: Kind) -> bool:
    return any(word.word == _TYPE and word.kind is None for word in kind.scope)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
