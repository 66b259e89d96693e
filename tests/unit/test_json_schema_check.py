"""Rules that a schema must keep at load, each refused with its code and place."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from agent.json_schema import check_schema
from agent.json_schema.patterns import _fault_without_engine, matcher, pattern_fault


def codes(source: bytes | dict[str, Any]) -> list[str]:
    text = source if isinstance(source, bytes) else json.dumps(source).encode()
    schema, problems = check_schema(text, "s.yaml")
    assert (schema is None) == bool(problems)
    return [problem.code for problem in problems]


REFUSED = [
    ("remote", b"a: 1\n$ref: http://127.0.0.1:9/x", "schema-remote-ref", "s.yaml:2:7"),
    ("file", b"properties:\n  a:\n    $ref: file:///etc/passwd", "schema-remote-ref", "s.yaml:3:11"),
    ("path", b"items: {$ref: other.json}", "schema-remote-ref", "s.yaml:1:15"),
    ("dynamic", b"items: {$dynamicRef: 'http://x/y#m'}", "schema-remote-ref", "s.yaml:1:22"),
    ("self", b'$ref: "#"', "schema-loop", "s.yaml:1:7"),
    ("two", b'$defs:\n  a: {$ref: "#/$defs/b"}\n  b: {allOf: [{$ref: "#/$defs/a"}]}', "schema-loop", None),
    ("look-behind", b"pattern: (?<=a)b", "schema-pattern", "s.yaml:1:10"),
    ("back-reference", b"patternProperties:\n  '(a)\\1': {}", "schema-pattern", "s.yaml:2:12"),
    ("long pattern", b"pattern: " + b"a" * 513, "schema-pattern", "s.yaml:1:10"),
    ("type", b"properties:\n  a:\n    type: strnig", "schema-invalid", "s.yaml:3:11"),
    ("nothing", b"items: {$ref: '#/$defs/z'}", "schema-invalid", "s.yaml:1:15"),
    ("anchor", b"items: {$ref: '#z'}", "schema-invalid", "s.yaml:1:15"),
    ("nested id", b"properties:\n  a: {$id: http://x/y}", "schema-invalid", "s.yaml:2:12"),
    ("draft", b"$schema: http://example.com/x\ntype: string", "schema-draft", "s.yaml:1:10"),
    ("draft 3", b"$schema: http://json-schema.org/draft-03/schema#", "schema-draft", "s.yaml:1:10"),
    ("list", b"- a", "schema-invalid", "s.yaml:1:1"),
    ("empty", b"", "schema-invalid", "s.yaml:1:1"),
    ("duplicate", b"type: string\ntype: integer", "yaml-duplicate-key", "s.yaml:2:1"),
    ("JSON duplicate", b'{"type": "string",\n "type": "integer"}', "yaml-duplicate-key", "s.yaml:2:2"),
    ("NaN", b'{"minimum": .nan}', "yaml-number", "s.yaml:1:13"),
    ("half a pair", b'{"title": "\\ud800"}', "yaml-surrogate", "s.yaml:1:14"),
    ("half a pair in bytes", b'{"title": "\xed\xa0\x80"}', "yaml-encoding", "s.yaml:1:12"),
    ("UTF-16", '{"type": "string"}'.encode("utf-16"), "yaml-encoding", None),
    ("broken", b"type: [", "yaml-syntax", None),
    ("deep JSON", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "yaml-depth", None),
]


@pytest.mark.parametrize(("source", "code", "place"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_schema_is_refused_with_its_place(source: bytes, code: str, place: str | None) -> None:
    started = time.process_time()
    schema, problems = check_schema(source, "s.yaml")
    assert time.process_time() - started < 2
    assert schema is None
    assert problems[0].code == code
    assert problems[0].where.line
    assert place is None or str(problems[0].where) == place


def test_wrong_type_word_names_the_nearest() -> None:
    _, problems = check_schema(b"type: strnig", "s.yaml")
    assert problems[0].fix == "did you mean `string`?"


@pytest.mark.parametrize(("levels", "expected"), [(11, []), (12, ["schema-budget"]), (18, ["schema-budget"])])
def test_ways_through_branches_are_limited(levels: int, expected: list[str]) -> None:
    assert codes(_levels(levels)) == expected


def _levels(count: int) -> dict[str, Any]:
    defs: dict[str, Any] = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(count)}
    return {"$defs": {**defs, f"l{count}": {}}, "$ref": "#/$defs/l0"}


@pytest.mark.parametrize(("levels", "expected"), [(64, []), (65, ["schema-budget"])])
def test_nesting_is_limited_to_64_levels(levels: int, expected: list[str]) -> None:
    schema: Any = {}
    for _ in range(levels - 1):
        schema = {"not": schema}
    assert codes(schema) == expected


def test_size_is_limited_to_one_mebibyte() -> None:
    head = b'{"$comment": "'
    assert codes(head + b"x" * ((1 << 20) - len(head) - 2) + b'"}') == []
    assert codes(head + b"x" * ((1 << 20) - len(head) - 1) + b'"}') == ["file-too-big"]


def test_recursion_through_members_is_no_loop() -> None:
    assert (
        codes(
            {
                "properties": {"child": {"$ref": "#"}},
                "items": {"$ref": "#/$defs/n"},
                "$defs": {"n": {"items": {"$ref": "#"}}},
            }
        )
        == []
    )


def test_names_that_look_like_keywords_are_not_judged_as_such() -> None:
    schema = {
        "properties": {"$ref": {"type": "string"}, "pattern": {}},
        "enum": [{"$ref": "http://x"}],
        "const": {"pattern": "("},
    }
    assert codes(schema) == []


def test_json_with_tabs_and_exponents_is_a_schema() -> None:
    schema, problems = check_schema(b'{\n\t"minimum":\t1e3,\n\t"multipleOf": 0.01\n}', "s.json")
    assert problems == ()
    assert schema == {"minimum": 1000, "multipleOf": Decimal("0.01")}


def test_yaml_anchors_are_expanded() -> None:
    schema, _ = check_schema(b"properties:\n  a: &t {type: string}\n  b: *t\n", "s.yaml")
    assert schema == {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


@pytest.mark.parametrize(
    "uri",
    [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ],
)
def test_known_draft_is_accepted_and_its_metaschema_asserted(uri: str) -> None:
    assert codes({"$schema": uri, "type": "string"}) == []
    assert codes({"$schema": uri, "minLength": "x"}) == ["schema-invalid"]


def test_all_faults_of_a_schema_are_reported() -> None:
    assert codes(b"properties:\n  a: {pattern: (?=x)}\n  b: {$ref: 'http://x'}\n") == [
        "schema-remote-ref",
        "schema-pattern",
    ]


@pytest.mark.parametrize(
    "pattern", ["^[a-z][a-z0-9-]{0,46}$", r"^(?:a|b)+\.c*$", "(ab+c)?d+", "[(*+]+x", r"\(a\+\)+", "", "(a{2,3})*"]
)
def test_pattern_of_linear_time_is_taken_with_and_without_the_engine(pattern: str) -> None:
    assert pattern_fault(pattern) is None
    assert _fault_without_engine(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?!a)", "(?<=a)", "(?<!a)", r"(a)\1", r"(?P<n>a)(?P=n)", "(", "a{2000}", "(?>a)"]
)
def test_pattern_beyond_linear_time_is_refused_with_and_without_the_engine(pattern: str) -> None:
    assert pattern_fault(pattern) is not None
    assert _fault_without_engine(pattern) is not None


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a*)*", "((a+)b?)*", "(x{2,})+"])
def test_nested_unbounded_repeat_is_refused_without_the_engine(pattern: str) -> None:
    assert _fault_without_engine(pattern) is not None


def test_dollar_is_the_end_of_the_text_only() -> None:
    assert matcher("^a$")("a")
    assert not matcher("^a$")("a\n")
