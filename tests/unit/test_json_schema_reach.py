"""Rules of walking a schema along a pointer."""

from __future__ import annotations

import pytest

from agent.json_schema import Schema

PORT = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
REFERENCE = {"type": "object", "properties": {"ref": {"const": "a"}}, "additionalProperties": False}
SPEC = {
    "allOf": [{"properties": {"a": {"type": "integer"}}}, {"anyOf": [{"properties": {"b": {"enum": [1, "x"]}}}]}],
    "unevaluatedProperties": False,
}
CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "spec": {"$ref": "#/$defs/spec"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False},
        "ports": {"type": "array", "items": PORT},
        "free": {"type": "object"},
        "any": {},
        "labels": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "x": {"type": "object", "patternProperties": {"^x-": {"type": "number"}}, "additionalProperties": False},
        "dep": {"oneOf": [{"type": "string"}, REFERENCE]},
        "a/b": {"type": "null"},
        "tree": {
            "type": "object",
            "properties": {"child": {"$ref": "#/properties/tree"}},
            "additionalProperties": False,
        },
        "never": False,
    },
    "if": {"properties": {"name": {"const": "z"}}},
    "then": {"properties": {"name": {"minLength": 1}, "other": {"type": "integer"}}},
    "$defs": {"spec": SPEC},
}


@pytest.mark.parametrize(
    ("pointer", "reachable"),
    [
        ("", True),
        ("/name", True),
        ("/nme", False),
        ("/name/x", False),
        ("/spec/a", True),
        ("/spec/b", True),
        ("/spec/c", False),
        ("/tags/0", True),
        ("/tags/*", True),
        ("/tags/x", False),
        ("/tags/*/x", False),
        ("/pair/1", True),
        ("/pair/2", False),
        ("/ports/*/n", True),
        ("/ports/*/m", False),
        ("/free/anything/below/0", True),
        ("/any/x/*/y", True),
        ("/labels/foo", True),
        ("/labels/*", True),
        ("/labels/foo/x", False),
        ("/x/x-a", True),
        ("/x/y", False),
        ("/dep/ref", True),
        ("/dep/other", False),
        ("/a~1b", True),
        ("/*", True),
        ("/*/ref", True),
        ("/tree/child/child/child", True),
        ("/tree/child/x", False),
        ("/never", False),
        ("/other", False),
    ],
)
def test_pointer_is_reached_exactly_when_an_instance_may_have_it(pointer: str, reachable: bool) -> None:
    assert Schema(CLOSED, "s").reaches(pointer) is reachable


@pytest.mark.parametrize(
    ("pointer", "types"),
    [
        ("", {"object"}),
        ("/name", {"string"}),
        ("/spec/a", {"integer"}),
        ("/spec/b", {"integer", "string"}),
        ("/pair/0", {"integer"}),
        ("/labels/q", {"string", "null"}),
        ("/dep", {"string", "object"}),
        ("/dep/ref", {"string"}),
        ("/x/x-1", {"number"}),
        ("/any", None),
        ("/any/x", None),
        ("/nowhere", None),
        ("/tree/child", {"object"}),
    ],
)
def test_type_is_the_one_declared_at_the_pointer(pointer: str, types: set[str] | None) -> None:
    assert Schema(CLOSED, "s").type_at(pointer) == (None if types is None else frozenset(types))


def test_integer_is_narrower_than_number() -> None:
    schema = {"properties": {"a": {"type": "number", "allOf": [{"type": "integer"}]}}}
    assert Schema(schema, "s").type_at("/a") == frozenset({"integer"})


def test_open_schema_reaches_everything() -> None:
    assert Schema({"properties": {"a": {"type": "string"}}}, "s").reaches("/b/c/d")
