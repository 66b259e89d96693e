"""Which pointers an instance of a schema can have, and of which types: for definitions, defaults and live values.

A generous walk: where a condition decides, both ways count. Follows references inside the schema only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from agent.json_schema.patterns import matcher, pattern_fault

_DEEPEST: Final = 100


class _Way(Enum):
    OPEN = "says nothing"
    CLOSED = "cannot be"


def resolve_reference(root: Mapping[str, Any], reference: str) -> tuple[str, Any] | None:
    """Pointer and schema that a reference ``#…`` inside a schema names."""
    if reference in {"#", ""}:
        return "", root
    if not reference.startswith("#/"):
        return _anchored(root, reference.removeprefix("#"))
    from urllib.parse import unquote

    pointer = unquote(reference[1:])
    node: Any = root
    for word in pointer.split("/")[1:]:
        word = word.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and word in node:
            node = node[word]
        elif isinstance(node, list) and word.isdecimal() and int(word) < len(node):
            node = node[int(word)]
        else:
            return None
    return pointer, node


def _anchored(root: Any, name: str) -> tuple[str, Any] | None:
    pending: list[tuple[str, Any]] = [("", root)]
    while pending:
        pointer, node = pending.pop()
        if isinstance(node, Mapping):
            if name in (node.get("$anchor"), node.get("$dynamicAnchor")) or node.get("$id") == f"#{name}":
                return pointer, node
            words = ((str(key).replace("~", "~0").replace("/", "~1"), member) for key, member in node.items())
            pending.extend((f"{pointer}/{word}", member) for word, member in words)
        elif isinstance(node, list):
            pending.extend((f"{pointer}/{index}", member) for index, member in enumerate(node))
    return None


# A schema, or what is known without one.
_Step = Mapping[str, Any] | _Way


class Walker:
    """Walks one schema along the words of a pointer."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def reaches(self, pointer: str) -> bool:
        """Can the pointer exist?"""
        return self._at(pointer) is not _Way.CLOSED

    def at(self, pointer: str) -> Mapping[str, Any] | None:
        """The schema that judges what stands there."""
        step = self._at(pointer)
        return None if isinstance(step, _Way) else step

    def type_at(self, pointer: str) -> frozenset[str] | None:
        """The types declared there."""
        return self._types(self._at(pointer), 0)

    def names_at(self, pointer: str) -> tuple[str, ...]:
        """The members declared by name there, in the schema's order; none where it names none or is silent."""
        return tuple(dict.fromkeys(self._names(self._at(pointer), 0)))

    def _names(self, schema: Any, depth: int) -> Iterator[str]:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return
        yield from schema.get("properties", {})
        branches = (branch for keyword in ("anyOf", "oneOf") for branch in schema.get(keyword, ()))
        for part in (*self._all_of(schema), *branches, *_conditional(schema)):
            yield from self._names(part, depth + 1)

    def _at(self, pointer: str) -> _Step:
        """The schema that judges the value at a pointer; OPEN where anything may be, CLOSED where nothing can."""
        state: _Step = self._root
        for word in pointer.split("/")[1:]:
            state = self._step(state, word.replace("~1", "/").replace("~0", "~"), 0)
            if isinstance(state, _Way):
                break
        return state

    def _step(self, schema: Any, word: str, depth: int) -> _Step:
        """One word further down."""
        if schema is False:
            return _Way.CLOSED
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return _Way.OPEN
        types = self._types(schema, depth)
        if types is not None and not types & {"object", "array"}:
            return _Way.CLOSED
        steps = [_own_step(schema, word, types)]
        steps += [self._step(part, word, depth + 1) for part in self._all_of(schema)]
        for keyword in ("anyOf", "oneOf"):
            if schema.get(keyword):
                steps.append(_either([self._step(branch, word, depth + 1) for branch in schema[keyword]]))
        conditional = [self._step(part, word, depth + 1) for part in _conditional(schema)]
        found = [step for step in conditional if not isinstance(step, _Way)]
        steps.append(_either(found) if found else _Way.OPEN)
        step = _both(steps)
        return _Way.CLOSED if step is _Way.OPEN and schema.get("unevaluatedProperties") is False else step

    def _all_of(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Schemas that must hold as well."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(schema.get(keyword), str):
                target = resolve_reference(self._root, schema[keyword])
                if target is not None:
                    yield target[1]
        yield from schema.get("allOf", ())

    def _types(self, schema: Any, depth: int) -> frozenset[str] | None:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return None
        limits: list[frozenset[str]] = []
        named = schema.get("type")
        if named is not None:
            limits.append(frozenset([named] if isinstance(named, str) else named))
        if "const" in schema:
            limits.append(frozenset([_type_of(schema["const"])]))
        elif isinstance(schema.get("enum"), list):
            limits.append(frozenset(map(_type_of, schema["enum"])))
        limits += [types for part in self._all_of(schema) if (types := self._types(part, depth + 1)) is not None]
        for keyword in ("anyOf", "oneOf"):
            branches = [self._types(branch, depth + 1) for branch in schema.get(keyword, ())]
            known = [types for types in branches if types is not None]
            if known and len(known) == len(branches):
                limits.append(frozenset().union(*known))
        return _meet(limits) if limits else None


def _conditional(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Schemas that hold on a condition. What they declare counts; what they forbid does not."""
    if "if" in schema:
        yield from (schema[keyword] for keyword in ("then", "else") if keyword in schema)
    yield from schema.get("dependentSchemas", {}).values()


def _own_step(schema: Mapping[str, Any], word: str, types: frozenset[str] | None) -> _Step:
    """What the keywords of one schema say of a member, apart from those that apply other schemas."""
    steps: list[_Step] = []
    if types is None or "object" in types:
        steps.append(_member(schema, word))
    if (types is None or "array" in types) and (word in {"*", "-"} or word.isdecimal()):
        steps.append(_element(schema, word))
    declared = [step for step in steps if not isinstance(step, _Way)]
    return _either(declared or steps)


def _both(steps: Sequence[_Step]) -> _Step:
    """All must hold."""
    if _Way.CLOSED in steps:
        return _Way.CLOSED
    schemas = [step for step in steps if not isinstance(step, _Way)]
    return {"allOf": schemas} if len(schemas) > 1 else schemas[0] if schemas else _Way.OPEN


def _either(steps: Sequence[_Step]) -> _Step:
    """One must hold."""
    schemas = [step for step in steps if not isinstance(step, _Way)]
    if not schemas:
        return _Way.OPEN if _Way.OPEN in steps else _Way.CLOSED
    if _Way.OPEN in steps:
        schemas.append({})
    return {"anyOf": schemas} if len(schemas) > 1 else schemas[0]


def _judged(schema: Any) -> _Step:
    """A schema where a value is declared."""
    return _Way.CLOSED if schema is False else schema if isinstance(schema, Mapping) else {}


def _member(schema: Mapping[str, Any], word: str) -> _Step:
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    rest = schema.get("additionalProperties", True)
    if word == "*":
        steps = [_judged(part) for part in (*named.values(), *patterns.values())]
        return _either([*steps, _Way.OPEN if rest is True and not steps else _judged(rest)])
    steps = [_judged(named[word])] if word in named else []
    for pattern, part in patterns.items():
        if pattern_fault(pattern) is None and matcher(pattern)(word):
            steps.append(_judged(part))
    return _both(steps) if steps else _Way.OPEN if rest is True else _judged(rest)


def _element(schema: Mapping[str, Any], word: str) -> _Step:
    items = schema.get("items", True)
    first = schema.get("prefixItems", items if isinstance(items, list) else [])
    rest = schema.get("additionalItems", True) if isinstance(items, list) else items
    if word.isdecimal() and int(word[:9]) < len(first):
        return _judged(first[int(word)])
    steps = [_judged(part) for part in first] if word == "*" else []
    return _either([*steps, _Way.OPEN if rest is True and not steps else _judged(rest)])


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, Decimal | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _meet(limits: list[frozenset[str]]) -> frozenset[str]:
    """The types that all limits allow, where a number allows an integer."""
    wide = [limit | {"integer"} if "number" in limit else limit for limit in limits]
    met = frozenset.intersection(*wide)
    return met - {"integer"} if "number" in met else met
