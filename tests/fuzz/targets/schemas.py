"""JSON Schemas: refused with a place, or compiled into two engines that give one verdict on any value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent.json_schema import Schema, check_schema
from agent.live.strict_json import loads
from tests.fuzz.seeds import ROOT, files
from tests.fuzz.target import Target, words_of

SPLIT = b"\n\x00\n"
VALUES: tuple[Any, ...] = (None, 1, "a", [], {}, [1, 1], {"a": 1, "name": "x"}, {"name": None, "tags": ["a", "a"]})


def run(data: bytes) -> None:
    source, _, value = data.partition(SPLIT)
    found, problems = check_schema(source, "x.schema.json")
    assert (found is None) == bool(problems)
    for problem in problems:
        assert problem.where.line and problem.where.column and problem.where.path == "x.schema.json", problem
        assert problem.code.startswith(("schema-", "yaml-", "file-", "merge-", "lfs-")), problem.code
    if found is None:
        return
    schema = Schema(found, "x.schema.json")
    values = list(VALUES)
    try:
        values.append(loads(value))
    except ValueError:
        pass
    for each in values:
        _judged(schema, each)
    for pointer in ("", "/a", "/a/b", "/*/0", "/~1x"):
        schema.reaches(pointer)
        schema.at(pointer)
        schema.type_at(pointer)


def _judged(schema: Schema, value: Any) -> None:
    valid = schema.is_valid(value)
    violations = schema.violations(value)
    assert valid == (not violations)
    assert schema._explainer.is_valid(value) == valid, value
    for violation in violations:
        assert violation.what and violation.pointer is not None
        assert len(violation.what) < 2000


def seeds() -> Iterable[bytes]:
    draft = b'{"$schema": "https://json-schema.org/draft/2020-12/schema", '
    yield (
        draft + b'"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}' + SPLIT + b'{"a": 1}'
    )
    yield draft + b'"oneOf": [{"const": 1}, {"enum": [2, "x"]}], "if": {"type": "string"}, "then": {"maxLength": 2}}'
    yield draft + b'"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}' + SPLIT + b"[[[]]]"
    yield (
        draft
        + b'"patternProperties": {"^a+$": {"pattern": "b?"}}, "propertyNames": {"minLength": 1}}'
        + SPLIT
        + b'{"a":"b"}'
    )
    yield (
        draft
        + b'"uniqueItems": true, "prefixItems": [{"multipleOf": 0.01}], "contains": {"type": "number"}}'
        + SPLIT
        + b"[1.1]"
    )
    yield draft + b'"unevaluatedProperties": false, "allOf": [{"properties": {"a": {"format": "date-time"}}}]}'
    yield b"$schema: http://json-schema.org/draft-07/schema#\ntype: object\ndependencies: {a: [b]}\n"
    example = next(files("schemas/dataos/examples/valid/workflow*", count=1), b"{}")
    for path in sorted(ROOT.glob("schemas/*/*.schema.json"))[:40]:
        yield path.read_bytes() + SPLIT + example


WORDS = words_of(
    '"{}": ',
    "type properties required items additionalProperties patternProperties allOf anyOf oneOf not if then "
    "else enum const minimum maximum exclusiveMinimum multipleOf minLength maxLength pattern format "
    "uniqueItems minItems maxItems contains minContains dependentRequired dependentSchemas propertyNames "
    "unevaluatedItems unevaluatedProperties $ref $defs $id $anchor $dynamicRef $dynamicAnchor $schema "
    "default prefixItems minProperties maxProperties readOnly writeOnly",
)
WORDS += (
    b'{"$ref": "#"}',
    b'"object"',
    b'"integer"',
    b'"date-time"',
    b"(a+)+$",
    b"\\\\p{L}",
    b"(?=a)",
    b"1e308",
    b"true",
    SPLIT,
)
TARGETS = (Target("schemas", run, seeds, WORDS, seconds=2.0),)
