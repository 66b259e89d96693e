"""What a JSON Schema says of a place, as people read it: its members, type, description, limits and examples.

Used by ``kind_words`` and ``member_words``. A generous reading, as that of ``json_schema.reach``: what holds on a
condition counts as well. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.json_schema import Schema
from agent.json_schema.reach import resolve_reference
from agent.model.canonical import to_json

_LIMITS = {
    "format": "format {}",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
}
_DEEPEST = 50  # of schemas at one place; a loaded schema has no cycle there


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object. ``pointer`` leads to it from the top of ``spec``, list positions as ``*``."""

    name: str
    pointer: str
    type: str
    required: bool
    description: str


class Said:
    """What a schema says at a pointer. What was asked of a place is kept, and of the named places below it."""

    def __init__(self, schema: Schema, pointer: str = "") -> None:
        self._schema = schema
        self.pointer = pointer
        self._below: dict[str, Said] = {}
        self._faces = list(_faces(schema.schema, schema.at(pointer), sure=True, depth=0))

    @cached_property
    def type(self) -> str:
        """``string``, ``list of string``, ``object or null``; ``anything`` where nothing is declared."""
        types = self._schema.type_at(self.pointer)
        if not types:
            return "anything"
        return " or ".join(self._worded(word) for word in sorted(types, key=lambda word: (word == "null", word)))

    @property
    def description(self) -> str:
        """The nearest description: beside a reference it stands before that of what is referred to."""
        return str(self._first("description") or "")

    @property
    def title(self) -> str:
        return str(self._first("title") or "")

    @property
    def deprecated(self) -> bool:
        return self._first("deprecated") is True

    @property
    def is_closed(self) -> bool:
        """Whether no member may stand there beside those that are named."""
        closers = ("additionalProperties", "unevaluatedProperties")
        return any(face.get(word) is False for face, _ in self._faces for word in closers)

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values that it may have, as JSON; empty where others may stand."""
        if "const" in self._named:
            return (_json(self._first("const")),)
        values = self._first("enum")
        return tuple(map(_json, values)) if isinstance(values, list) else ()

    @property
    def limits(self) -> tuple[str, ...]:
        """What else a value must be, one phrase each."""
        told = {word: self._first(word) for word in _LIMITS if word in self._named}
        return tuple(
            "not empty" if word in ("minLength", "minItems") and limit == 1 else _LIMITS[word].format(limit)
            for word, limit in told.items()
        )

    @property
    def examples(self) -> tuple[str, ...]:
        values = self._first("examples")
        return tuple(map(_json, values)) if isinstance(values, list) else ()

    @property
    def default(self) -> str | None:
        return _json(self._first("default")) if "default" in self._named else None

    @property
    def is_list(self) -> bool:
        return "array" in (self._schema.type_at(self.pointer) or ())

    def below(self, word: str) -> Said:
        """What is said one step further down."""
        known = self._below.get(word)
        if known is None:
            known = Said(self._schema, self._pointer_to(word))
            if word == "*" or word in self._names:  # of what others ask for there is no end
                self._below[word] = known
        return known

    def may_hold(self, word: str) -> bool:
        """Whether the schema says anything of a member of this name: its name, or that of any."""
        return self._schema.at(self._pointer_to(word)) is not None

    def lets(self, word: str) -> bool:
        """Whether a member of this name may stand there at all."""
        return self._schema.reaches(self._pointer_to(word))

    def members(self) -> list[Member]:
        """The named members, those that must be there first."""
        return [*self._members]

    @cached_property
    def _members(self) -> list[Member]:
        needed = {name for face, sure in self._faces if sure for name in face.get("required", ())}
        found = []
        for name in filter(self.lets, self._names):
            said = self.below(name)
            found.append(Member(name, said.pointer, said.type, name in needed, said.description))
        return sorted(found, key=lambda member: not member.required)

    @cached_property
    def _names(self) -> dict[str, None]:
        """Members that are named, in the order of the schema."""
        return {name: None for face, _ in self._faces for name in face.get("properties", ())}

    def _pointer_to(self, word: str) -> str:
        return f"{self.pointer}/{word.replace('~', '~0').replace('/', '~1')}"

    @cached_property
    def _named(self) -> set[str]:
        return {word for face, _ in self._faces for word in face}

    def _first(self, word: str) -> Any:
        return next((face[word] for face, _ in self._faces if word in face), None)

    def _worded(self, word: str) -> str:
        types = self._schema.type_at(self.pointer) or frozenset()
        if word == "array":
            inner = self._schema.type_at(f"{self.pointer}/*") if "object" not in types else None
            return f"list of {'/'.join(sorted(inner))}" if inner else "list"
        if word == "object" and "array" not in types and not self.members():
            values = self._schema.type_at(f"{self.pointer}/*")
            return f"map of {'/'.join(sorted(values))}" if values else "object"
        return word


def _faces(root: Mapping[str, Any], schema: Any, *, sure: bool, depth: int) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """A schema and all that speak of the same place, nearest first, each with whether it holds in any case."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    yield schema, sure
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        target = resolve_reference(root, schema[keyword]) if isinstance(schema.get(keyword), str) else None
        if target is not None:
            yield from _faces(root, target[1], sure=sure, depth=depth + 1)
    for part in schema.get("allOf", ()):
        yield from _faces(root, part, sure=sure, depth=depth + 1)
    maybe = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    maybe += [schema[keyword] for keyword in ("then", "else") if keyword in schema]
    maybe += schema.get("dependentSchemas", {}).values()
    for part in maybe:
        yield from _faces(root, part, sure=False, depth=depth + 1)


def _json(value: Any) -> str:
    return to_json(value).decode()
