"""``${NAME}`` in a manifest: a value that is wholly a variable takes the variable's type, so any may stand anywhere.

Only for targets that have variables: elsewhere such a text is a placeholder that was forgotten, and an editor says so.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFINITION = "variable"
_IS_VARIABLE = {"$ref": f"#/definitions/{DEFINITION}"}
_MANY = ("allOf", "anyOf", "oneOf")
_NAMED = ("properties", "patternProperties")
_ANNOTATIONS = frozenset({"description", "markdownDescription", "title", "default", "examples", "deprecationMessage"})


def variable() -> dict[str, Any]:
    """A text with a variable in it."""
    return {"type": "string", "pattern": r"\$\{[A-Za-z_][^{}]*\}"}


def open_to_variables(schema: Any) -> Any:
    """The same schema, in which every value inside may be a variable. References lead to definitions of that kind."""
    if not isinstance(schema, Mapping):
        return schema
    made = dict(schema)
    for word in _NAMED:
        if isinstance(made.get(word), Mapping):
            made[word] = {name: _value(part) for name, part in made[word].items()}
    for word in _MANY:
        if word in made:
            made[word] = [open_to_variables(part) for part in made[word]]
    for word in ("then", "else"):
        if word in made:
            made[word] = open_to_variables(made[word])
    for word in ("additionalProperties", "additionalItems"):
        if word in made:
            made[word] = _value(made[word])
    if "items" in made:
        items = made["items"]
        made["items"] = [_value(part) for part in items] if isinstance(items, list) else _value(items)
    return made


def _value(schema: Any) -> Any:
    """What judges a value that may be a variable. What a person reads of it stays beside the condition."""
    inside = open_to_variables(schema)
    if not isinstance(inside, Mapping) or "not" in inside or not inside.keys() - _ANNOTATIONS:
        return inside
    told = {word: inside[word] for word in inside.keys() & (_ANNOTATIONS - {"default", "examples"})}
    return {**told, "if": _IS_VARIABLE, "else": inside}
