"""Which keywords hold schemas: the map of a schema's parts, shared by the rules at load and by the slow engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ONE: Final = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_MANY: Final = frozenset(["allOf", "anyOf", "oneOf", "prefixItems", "items"])
_NAMED: Final = frozenset(
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"]
)
# Where false alone is a rule of its own, worded as such.
_FALSE_IS_A_RULE: Final = frozenset(
    ["additionalItems", "additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties"]
)


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema with its pointer, itself first; members that only look like schemas are left out."""
    pending: list[tuple[str, Any]] = [("", schema)]
    while pending:
        pointer, node = pending.pop()
        if not isinstance(node, dict):
            continue
        yield pointer, node
        for keyword, member in node.items():
            here = f"{pointer}/{escape(keyword)}"
            if keyword in _NAMED and isinstance(member, dict):
                pending += [(f"{here}/{escape(name)}", part) for name, part in member.items()]
            elif keyword in _MANY and isinstance(member, list):
                pending += [(f"{here}/{index}", part) for index, part in enumerate(member)]
            elif keyword in _ONE:
                pending.append((here, member))


def spelled_out(schema: Any) -> Any:
    """A copy whose ``false`` schemas are ``{"not": {}}``: jsonschema forgets the place where a bare ``false`` failed.

    Recursive: only for schemas that passed the depth limit at load.
    """
    if schema is False:
        return {"not": {}}
    if not isinstance(schema, Mapping):
        return schema
    copy = dict(schema)
    for keyword, member in schema.items():
        if keyword in _NAMED and isinstance(member, Mapping):
            copy[keyword] = {name: spelled_out(part) for name, part in member.items()}
        elif keyword in _MANY and isinstance(member, list):
            copy[keyword] = [spelled_out(part) for part in member]
        elif keyword in _ONE and not (member is False and keyword in _FALSE_IS_A_RULE):
            copy[keyword] = spelled_out(member)
    return copy


def escape(word: str) -> str:
    """A word of a pointer, as RFC 6901 writes it."""
    return word.replace("~", "~0").replace("/", "~1")
