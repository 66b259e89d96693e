"""Rules of judging values: the sentences, their places, the two engines' agreement, the limits."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.json_schema import Schema, Violation
from agent.json_schema.drafts import compile_fast
from agent.json_schema.explain import Explainer
from agent.json_schema.formats import FORMATS
from agent.yaml_io import load

ROOT = Path(__file__).resolve().parents[2]


def violations(schema: Any, value: Any, hidden: str = "-") -> tuple[Violation, ...]:
    return Schema(schema, "s.json").violations(value, sensitive=lambda pointer: pointer == hidden)


def only(schema: Any, value: Any, hidden: str = "-") -> Violation:
    (violation,) = violations(schema, value, hidden)
    return violation


def test_valid_value_has_no_violations() -> None:
    assert violations({"type": "object", "required": ["a"]}, {"a": 1}) == ()


def test_missing_key_points_at_the_parent() -> None:
    found = only({"properties": {"a": {"required": ["name"]}}}, {"a": {"nme": 1}})
    assert (found.pointer, found.at, found.what) == ("/a", "key", "`a` lacks `name`")
    assert "nme" in str(found.fix)


def test_each_missing_key_is_a_violation_of_its_own() -> None:
    assert [v.what for v in violations({"required": ["x", "y"]}, {})] == [
        "the document lacks `x`",
        "the document lacks `y`",
    ]


def test_unknown_key_points_at_itself_and_names_the_nearest() -> None:
    schema = {"properties": {"description": {}, "name": {}}, "additionalProperties": False}
    found = only(schema, {"descripton": 1})
    assert (found.pointer, found.at, found.code) == ("/descripton", "key", "unknown-key")
    assert found.fix == "did you mean `description`?"


def test_unknown_key_without_a_near_one_lists_the_known() -> None:
    found = only({"properties": {"b": {}, "a": {}}, "additionalProperties": False}, {"a/~zz": 1})
    assert (found.pointer, found.fix) == ("/a~1~0zz", "known here: a, b")


def test_unevaluated_key_is_an_unknown_key() -> None:
    schema = {"allOf": [{"properties": {"name": {}}}], "properties": {"size": {}}, "unevaluatedProperties": False}
    found = only(schema, {"name": 1, "nmae": 2})
    assert (found.pointer, found.code, found.fix) == ("/nmae", "unknown-key", "did you mean `name`?")


@pytest.mark.parametrize(
    ("wanted", "text", "what", "fix"),
    [
        ("string", "1.10", "`a` must be text, not a number", 'write "1.10"'),
        ("string", "true", "`a` must be text, not a truth value", 'write "true"'),
        ("string", "null", "`a` must be text, not null", None),
        ("integer", "010", "`a` must be a whole number, not text", "write 10 or 8"),
        ("integer", "0o10", "`a` must be a whole number, not text", "write 8"),
        ("integer", '"7"', "`a` must be a whole number, not text", "write 7 without quotes"),
        ("boolean", "yes", "`a` must be true or false, not text", "write true"),
        ("boolean", "off", "`a` must be true or false, not text", "write false"),
        ("boolean", '"True"', "`a` must be true or false, not text", "write true without quotes"),
        ("array", "x", "`a` must be a list, not text", None),
    ],
)
def test_wrong_type_says_what_to_write(wanted: str, text: str, what: str, fix: str | None) -> None:
    value = load(f"a: {text}".encode()).documents[0].value
    found = only({"properties": {"a": {"type": wanted}}}, value)
    assert (found.pointer, found.what, found.fix, found.code) == ("/a", what, fix, "invalid-manifest")


def test_why_names_the_schema_and_the_place() -> None:
    assert only({"properties": {"a": {"type": "string"}}}, {"a": 1}).why == "s.json, /a"


def test_value_is_shown_and_cut_to_200_characters() -> None:
    assert only({"type": "integer"}, "x" * 500).got == '"' + "x" * 198 + "…"
    assert only({"type": "integer"}, [1, 2]).got == "a list of 2"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"enum": ["hunter3"]},
        {"const": 5},
        {"pattern": "^z"},
        {"format": "email"},
        {"maxLength": 2},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"const": 1}, {"const": 2}]},
        {"not": {}},
    ],
)
def test_sensitive_value_is_never_shown(schema: Any) -> None:
    found = violations({"properties": {"password": schema}}, {"password": "hunter2"}, "/password")
    assert len(found) == 1
    assert "hunter2" not in repr(found)


def test_chosen_condition_names_the_field() -> None:
    schema = {
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["x"], "properties": {"x": {"type": "integer"}}},
        "else": {"required": ["y"]},
    }
    assert only(schema, {"kind": "a", "x": "n"}).pointer == "/x"
    assert only(schema, {"kind": "b"}).what == "the document lacks `y`"


def test_best_branch_is_the_one_whose_constants_fit() -> None:
    def branch(word: str, name: str) -> dict[str, Any]:
        return {"properties": {"type": {"const": word}, name: {"type": "integer"}}, "required": ["type", name]}

    schema = {"oneOf": [branch("a", "x"), branch("b", "y")]}
    assert only(schema, {"type": "b", "y": "1"}).pointer == "/y"
    found = only(schema, {"type": "c", "y": 1})
    assert (found.pointer, found.what) == ("/type", "`type` must be one of a, b")


def test_branches_of_other_types_are_named_together() -> None:
    assert (
        only({"anyOf": [{"type": "string"}, {"type": "array"}]}, 1).what
        == "the document must be text or a list, not a number"
    )


def test_branches_that_lack_one_key_each_are_named_together() -> None:
    found = only({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {})
    assert found.what == "the document needs `a` or `b`"


def test_more_than_one_fitting_form_is_said() -> None:
    assert "more than one" in only({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1).what


def test_near_word_of_a_choice_is_offered() -> None:
    found = only({"enum": ["Workflow", "Service"]}, "workflow")
    assert (found.what, found.fix) == ("the document must be one of Workflow, Service", "did you mean `Workflow`?")


def test_bad_cron_says_how_to_write_one() -> None:
    schema = {"properties": {"schedule": {"properties": {"cron": {"type": "string", "format": "cron"}}}}}
    found = only(schema, {"schedule": {"cron": "every day"}})
    assert found.what == "`schedule.cron` is not a cron expression"
    assert found.fix == 'use five fields, for example "0 3 * * *"'


def test_list_items_are_named_by_their_number() -> None:
    found = only({"properties": {"stack": {"items": {"required": ["n"]}}}}, {"stack": [{"n": 1}, {}]})
    assert found.what == "`stack[1]` lacks `n`"


def test_what_cannot_be_seen_is_escaped_in_a_sentence() -> None:
    assert only({"additionalProperties": False}, {"a\n\u202eb": 1}).what == "`a\\n\\u202eb` is not known"


def test_bad_key_name_points_at_the_key() -> None:
    found = only({"propertyNames": {"pattern": "^[a-z]+$"}}, {"A": 1})
    assert (found.pointer, found.at) == ("/A", "key")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("cron", ["0 3 * * *", "*/5 1-3 * JAN mon"], ["every day", "* * * *", "* * * * * *", "61 * * * *", "@daily"]),
        ("duration", ["15s", "5m", "1h", "720h", "1d", "1h30m", "1.5h", "200ms"], ["15", "s", "1 h", "PT5M", "", "1y"]),
        ("date", ["2024-02-29"], ["2023-02-29", "2020-99-99", "20240101"]),
        ("time", ["03:00:00Z", "23:59:60+01:00"], ["24:00:00Z", "03:00:00"]),
        ("date-time", ["2025-01-31T03:00:00Z", "2025-01-31T03:00:00.5+02:00"], ["2025-01-31", "2025-02-31T03:00:00Z"]),
        ("uri", ["https://example.com/a?b#c", "mailto:a@b.c", "lake://x:y/z"], ["x.com", "http://a b", "http://x:y/"]),
        ("email", ["a.b@example.com"], ["a", "a@", "@b", "a..b@c", "a b@c"]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000", "x"]),
        ("ipv4", ["192.0.2.1"], ["192.0.2.256", "1.2.3", "01.2.3.4"]),
        ("ipv6", ["2001:db8::1", "::"], ["2001:db8::1%eth0", "x:y"]),
        ("hostname", ["a", "db-1.example.com"], ["-a", "a..b", "a_b", "", "x" * 64]),
        ("regex", ["^a+$"], ["(?=a)", "(", r"(a)\1"]),
    ],
)  # fmt: skip
def test_format_is_asserted_alike_by_both_engines(name: str, good: list[str], bad: list[str]) -> None:
    schema = {"format": name}
    for text in good:
        assert Schema(schema, "s").is_valid(text), text
    for text in bad:
        assert not Schema(schema, "s").is_valid(text), text
        assert len(violations(schema, text)) == 1
    assert Schema(schema, "s").is_valid(5)


def test_forbidden_member_points_at_itself() -> None:
    found = only({"properties": {"old": False}}, {"old": 1})
    assert (found.pointer, found.what, found.fix) == ("/old", "`old` is not allowed here", "remove it")
    assert only({"anyOf": [False, {"properties": {"a": False}}]}, {"a": 1}).pointer == "/a"


def test_multiple_of_is_exact() -> None:
    schema = {"multipleOf": Decimal("0.01")}
    assert Schema(schema, "s").is_valid(Decimal("1.10"))
    assert Explainer(schema, "s", "2020-12").is_valid(Decimal("1.10"))
    assert Explainer(schema, "s", "2020-12").is_valid(10**308)
    assert only(schema, Decimal("1.105")).what == "the document must be a multiple of 0.01"


def test_unique_items_of_3000_mappings_take_less_than_50_ms() -> None:
    elements = [{"a": number, "b": {"c": [number]}} for number in range(3000)]
    explainer = Explainer({"uniqueItems": True}, "s", "2020-12")
    started = time.process_time()
    assert explainer.is_valid(elements)
    assert time.process_time() - started < 0.05
    assert not explainer.is_valid([*elements, {"b": {"c": [1]}, "a": Decimal("1.0")}])


@pytest.mark.parametrize(
    ("wrap", "last"),
    [
        (lambda items: items, ("more-problems", 10_000)),
        (lambda items: {"anyOf": [items, {"type": "null"}]}, ("invalid-manifest", 0)),
    ],
)
def test_50000_errors_are_capped_within_a_second(wrap: Any, last: tuple[str, int]) -> None:
    schema = wrap({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}})
    started = time.process_time()
    found = violations(schema, [{"a": "x"}] * 50_000)
    assert time.process_time() - started < 1
    assert 1 <= len(found) <= 1001
    assert (found[-1].code, found[-1].more) == last


def test_hostile_pattern_takes_linear_time() -> None:
    started = time.process_time()
    assert violations({"pattern": "^(a+)+$"}, "a" * 4000 + "!") != ()
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("draft", ["draft-04", "draft-06", "draft-07"])
def test_older_drafts_are_judged_by_their_own_rules(draft: str) -> None:
    schema = {
        "$schema": f"http://json-schema.org/{draft}/schema#",
        "items": [{"type": "string"}],
        "additionalItems": False,
    }
    assert Schema(schema, "s").is_valid(["x"])
    assert {v.pointer for v in violations(schema, ["x", 1])} == {""}
    assert [v.pointer for v in violations(schema, [1])] == ["/0"]


@pytest.mark.parametrize("draft", ["2019-09", "2020-12"])
def test_a_word_of_older_drafts_is_heeded_and_explained(draft: str) -> None:
    schema = {
        "$schema": f"https://json-schema.org/draft/{draft}/schema",
        "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
    }
    assert violations(schema, {"a": 1, "b": 2, "c": 3, "d": 4}) == ()
    (missing,) = violations(schema, {"a": 1})
    assert "another beside it" in missing.what
    assert [found.pointer for found in violations(schema, {"c": 1})] == [""]


def test_nothing_is_fetched_even_without_the_load_rules() -> None:
    schema = {"$ref": "http://127.0.0.1:9/x"}
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        Explainer(schema, "s", "2020-12").is_valid(1)


def test_happy_path_does_not_import_jsonschema() -> None:
    code = (
        "import sys; from agent.json_schema import Schema; assert Schema({'type': 'object'}, 's').is_valid({});"
        "print('jsonschema' in sys.modules, 'referencing' in sys.modules, 'croniter' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.sampled_from(["", "a", "ab", "A1", "x@example.com", "5m", "é", "a\n", Decimal("1.0"), 10**30]),
    st.decimals(-5, 5, places=2),
)
KEYS = st.sampled_from(["a", "b", "c1", "x-y"])
INSTANCES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=10,
)
TYPES = ["string", "integer", "number", "boolean", "null", "array", "object"]
BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
COUNTS = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]
FACTORS = [1, 2, Decimal("0.01"), Decimal("0.1"), Decimal("1.5")]
PATTERNS = ["^a", "[0-9]$", "^[a-z]*$", r"\d", r"^\w+$", "a|b$", r"^\S+$", r"\bab"]


def _rule(words: list[str], limits: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda word, limit: {word: limit}, st.sampled_from(words), limits)


LEAVES = st.one_of(
    st.booleans(),
    _rule(["type"], st.sampled_from(TYPES)),
    _rule(["type"], st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)),
    _rule(["const"], INSTANCES),
    _rule(["enum"], st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr)),
    _rule(BOUNDS, st.one_of(st.integers(-5, 5), st.decimals(-5, 5, places=1))),
    _rule(COUNTS, st.integers(0, 3)),
    _rule(["multipleOf"], st.sampled_from(FACTORS)),
    _rule(["pattern"], st.sampled_from(PATTERNS)),
    _rule(["format"], st.sampled_from(sorted(FORMATS))),
    _rule(["required"], st.lists(KEYS, max_size=2, unique=True)),
    st.just({"uniqueItems": True}),
)


def _grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(KEYS, inner, max_size=2)
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda named, rest: {"properties": named, "additionalProperties": rest}, members, inner),
        st.builds(
            lambda named, first: {"properties": named, "allOf": first, "unevaluatedProperties": False}, members, some
        ),
        st.builds(lambda part: {"patternProperties": {"^[a-b]$": part}}, inner),
        st.builds(lambda part: {"propertyNames": part}, inner),
        st.builds(lambda first, rest: {"prefixItems": first, "items": rest}, some, inner),
        st.builds(lambda part: {"contains": part, "minContains": 1, "maxContains": 2}, inner),
        st.builds(lambda word, parts: {word: parts}, st.sampled_from(["allOf", "anyOf", "oneOf"]), some),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda part: {"dependentSchemas": {"a": part}, "dependentRequired": {"b": ["a"]}}, inner),
    )


SCHEMAS = st.recursive(LEAVES, _grow, max_leaves=6).map(
    lambda schema: schema if isinstance(schema, dict) else {"not": {}}
)


@given(SCHEMAS, INSTANCES)
def test_both_engines_give_one_verdict_and_each_no_has_words(schema: dict[str, Any], value: Any) -> None:
    fast = compile_fast(schema)
    assert fast is not None
    verdict = fast.is_valid(value)
    assert Explainer(schema, "s", "2020-12").is_valid(value) == verdict
    found = violations(schema, value)
    assert (found == ()) == verdict
    assert all(violation.what and "\n" not in violation.what for violation in found)
