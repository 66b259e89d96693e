"""Rules of reading YAML: values, refusals with their places, budgets."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from agent.errors import Problem
from agent.yaml_io import CONFIG_BUDGET, MANIFEST_BUDGET, REPLY_BUDGET, Budget, load


def value_of(text: str) -> object:
    loaded = load(text.encode())
    assert [problem for problem in loaded.problems if problem.severity == "error"] == []
    assert len(loaded.documents) == 1
    return loaded.documents[0].value


def errors(source: bytes, budget: Budget = MANIFEST_BUDGET) -> list[Problem]:
    return [problem for problem in load(source, budget).problems if problem.severity == "error"]


def first(source: bytes, budget: Budget = MANIFEST_BUDGET) -> tuple[str, int | None, int | None]:
    problem = errors(source, budget)[0]
    return problem.code, problem.where.line, problem.where.column


BOMB = b"".join(
    [b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 9)]
)
MERGE_BOMB = b"".join(
    [b"a0: &a0 {k: v}\n"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n".encode() for n in range(1, 25)]
)

REFUSED = [
    ("expansion bomb", BOMB, "yaml-expansion", 6, 15),
    ("merge bomb", MERGE_BOMB, "yaml-merge-key", 2, 10),
    ("recursive alias", b"&a [*a]", "yaml-recursive", 1, 5),
    ("recursive alias in a mapping", b"x: &a\n  y: {z: *a}", "yaml-recursive", 2, 10),
    ("1,000 brackets", b"[" * 1000 + b"]" * 1000, "yaml-depth", 1, 101),
    ("10,000 brackets", b"[" * 10_000 + b"]" * 10_000, "yaml-depth", 1, 101),
    ("100,000 brackets", b"[" * 100_000 + b"]" * 100_000, "yaml-depth", 1, 101),
    ("deep block mapping", b"".join(b" " * n + b"a:\n" for n in range(1000)), "yaml-depth", 101, 101),
    ("directives", b"".join(b"%%TAG !a%d! tag:x\n" % n for n in range(50_000)) + b"---\na: 1", "yaml-directives", 1, 1),
    ("duplicate key", b"a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3, 1),
    ("key repeated through a merge", b"b: &b {x: 1}\nc:\n  <<: *b\n  x: 2\n", "yaml-merge-key", 3, 3),
    ("integer key", b"a:\n  1: x", "yaml-key-type", 2, 3),
    ("fraction key", b"1.5: x", "yaml-key-type", 1, 1),
    ("truth key", b"true: x", "yaml-key-type", 1, 1),
    ("null key", b"null: x", "yaml-key-type", 1, 1),
    ("empty key", b"a: 1\n? \n: x", "yaml-key-type", 2, 2),
    ("list key", b"? [a]\n: x", "yaml-key-type", 1, 3),
    ("template value", b"name: {{ tpl }}", "yaml-template", 1, 7),
    ("template in a list", b"a:\n  - {{ tpl }}-x\n", "yaml-template", 2, 5),
    ("jinja statement", b"a: 1\n{% if x %}\nb: 2\n{% endif %}", "yaml-template", 2, 1),
    ("helm value after text", b"a: b\nc: {{ .Values.x }}/y\n", "yaml-template", 2, 4),
    ("infinity", b"a: .inf", "yaml-number", 1, 4),
    ("not a number", b"a: .nan", "yaml-number", 1, 4),
    ("float beyond a double", b"a: 1.0e+999", "yaml-number", 1, 4),
    ("exponent of many digits", b"a: 1.0e+99999999999999999999", "yaml-number", 1, 4),
    ("5,000 digits", b"a: " + b"7" * 5000, "yaml-number", 1, 4),
    ("tab as indentation", b"a:\n\tb: 1", "yaml-tab", 2, 1),
    ("tab in the middle of a block", b"a:\n  b: 1\n\tc: 2", "yaml-tab", 3, 1),
    ("tab after a text", b"a: b\t\nc: d", "yaml-tab", 1, 5),
    ("no-break space as indentation", "a:\n  b: 1\n\u00a0\u00a0c: 2".encode(), "yaml-syntax", 3, 1),
    ("byte order mark in mid-stream", "a: 1\nb\ufeff: 2".encode(), "yaml-bom", 2, 2),
    ("lone carriage return", b"a: 1\rb: 2", "yaml-newline", 1, 5),
    ("next line", "a: 1\u0085b: 2".encode(), "yaml-newline", 1, 5),
    ("line separator", "a: 1\nc: x\u2028b: 2".encode(), "yaml-newline", 2, 5),
    ("paragraph separator", "a: 1\u2029b: 2".encode(), "yaml-newline", 1, 5),
    ("NUL", b"a: 1\nb: x\0", "yaml-control", 2, 5),
    ("escape", b"a: \x1b[0m", "yaml-control", 1, 4),
    ("C1", "a: x\u0090".encode(), "yaml-control", 1, 5),
    ("DEL", b"a: x\x7f", "yaml-control", 1, 5),
    ("Latin-1", b"a: 1\nb: caf\xe9\n", "yaml-encoding", 2, 7),
    ("UTF-16", "\ufeffa: 1".encode("utf-16-le"), "yaml-encoding", 1, 1),
    ("surrogate escape", b'a: "x\\ud800"', "yaml-surrogate", 1, 8),
    ("python tag", b'a: !!python/object/apply:os.system ["x"]', "yaml-tag", 1, 4),
    ("vault tag", b"a: 1\nb: !vault x", "yaml-tag", 2, 4),
    ("binary", b"a: !!binary aGk=", "yaml-tag", 1, 4),
    ("set", b"a: !!set {x}", "yaml-tag", 1, 4),
    ("integer tag on text", b"a: !!int abc", "yaml-tag", 1, 4),
    ("float tag on text", b"a: !!float x", "yaml-tag", 1, 4),
    ("tag on a key", b"!x a: 1", "yaml-tag", 1, 1),
    ("undeclared tag handle", b"a: !e!x 1", "yaml-tag", 1, 4),
    ("version 3", b"%YAML 3.0\n---\na: 1", "yaml-version", 1, 1),
    ("undefined alias", b"a: 1\nb: *x", "yaml-alias", 2, 4),
    ("HTML", b"<!DOCTYPE html>\n<html><body>x</body></html>", "not-a-manifest", 1, 1),
    ("conflict", b"a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", "merge-conflict", 2, 1),
    ("LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "lfs-pointer", 1, 1),
    ("sops", b"a: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops: {version: 3.9.0}", "encrypted", 1, 4),
    ("age", b"-----BEGIN AGE ENCRYPTED FILE-----\nx\n", "encrypted", 1, 1),
    ("colon in a value", b"desc: foo: bar", "yaml-syntax", 1, 10),
    ("at sign", b"a: @x", "yaml-syntax", 1, 4),
    ("backtick", b"a: `y`", "yaml-syntax", 1, 4),
    ("percent", b"a: %x", "yaml-syntax", 1, 4),
    ("stars", b"a: ********", "yaml-syntax", 1, 5),
]


@pytest.mark.parametrize(
    ("source", "code", "line", "column"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_input_is_refused_with_its_code_and_place_at_once(source: bytes, code: str, line: int, column: int) -> None:
    started = time.process_time()
    found = errors(source)
    assert time.process_time() - started < 1
    assert (found[0].code, found[0].where.line, found[0].where.column) == (code, line, column)
    assert found[0].where.path == ""
    assert "\n" not in found[0].what


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-7", -7), ("+3", 3), ("0", 0), ("0x1F", 31), ("true", True), ("False", False), ("null", None),
        ("~", None), ("1.10", Decimal("1.10")), ("-0.5", Decimal("-0.5")), (".5", Decimal("0.5")),
        ("1.", Decimal("1.0")),
        ("1.5e+3", Decimal("1500")), ("2020-01-01", "2020-01-01"), ("2020-99-99", "2020-99-99"), ("1.2.3", "1.2.3"),
        ('"1"', "1"), ("'true'", "true"), ("!!str 1", "1"), ("!!int 5", 5), ("!!float 1", Decimal(1)),
        ("!!null ''", None),
        ("!!bool true", True), ("! 12", "12"), ("yEs", "yEs"), ("tRUE", "tRUE"), ("15s", "15s"), ("=", "="),
        ("08:30", "08:30"),
    ],
)  # fmt: skip
def test_scalar_has_the_value_on_which_both_versions_agree(text: str, value: object) -> None:
    loaded = load(f"a: {text}".encode())
    assert loaded.problems == ()
    found = loaded.documents[0].value["a"]
    assert found == value
    assert type(found) is type(value)


def test_fraction_keeps_its_digits() -> None:
    assert str(load(b"v: 1.10").documents[0].value["v"]) == "1.10"


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "off",
        "yes",
        "y",
        "N",
        "010",
        "0o10",
        "08",
        "007",
        "22:22",
        "1:30:00",
        "1e999",
        "1234e567",
        "1e3",
        "1_000",
        "0b1",
    ],
)
def test_ambiguous_scalar_stays_text_with_a_warning_at_its_place(text: str) -> None:
    loaded = load(f"a: 1\nb: {text}\n".encode())
    assert loaded.documents[0].value["b"] == text
    assert not loaded.documents[0].broken
    (warning,) = loaded.problems
    assert (warning.code, warning.severity, warning.where.line, warning.where.column) == (
        "yaml-ambiguous",
        "warning",
        2,
        4,
    )
    assert f'write "{text}"' in str(warning.fix)


def test_quoted_scalar_is_never_ambiguous() -> None:
    assert load(b"a: \"no\"\nb: '010'\n").problems == ()


def test_ambiguous_key_stays_text_with_a_warning() -> None:
    loaded = load(b"on: 1")
    assert loaded.documents[0].value == {"on": 1}
    assert [problem.code for problem in loaded.problems] == ["yaml-ambiguous"]


def test_duplicate_key_names_both_places() -> None:
    (problem,) = errors(b"x:\n  a: 1\n  b: 2\n  a: 3\n")
    assert (problem.where.line, problem.where.column) == (4, 3)
    assert [(place.line, place.column) for place in problem.also] == [(2, 3)]


def test_what_cannot_be_seen_is_escaped_in_a_sentence() -> None:
    (problem,) = errors(b'"a\\nb": 1\n"a\\nb": 2\n')
    assert "`a\\nb`" in problem.what


@pytest.mark.parametrize(
    "text", ["012345", "1.0e+999", "*hunter2", "!hunter2", "!!int hunter2", "@hunter2", "%hunter2 ]"]
)
def test_secret_looking_value_is_never_quoted(text: str) -> None:
    (problem,) = load(f"é: 1\npassword: {text}\n".encode()).problems
    assert problem.where.line == 2
    assert text.split()[-1].strip("*!@%") not in repr(problem)


def test_every_semantic_fault_is_reported_and_breaks_only_its_document() -> None:
    loaded = load(b"a: !x 1\nb: *none\n---\nc: 1\n---\nd: 1\nd: 2\n")
    assert [(problem.code, problem.where.line) for problem in loaded.problems] == [
        ("yaml-tag", 1),
        ("yaml-alias", 2),
        ("yaml-duplicate-key", 7),
    ]
    assert [document.broken for document in loaded.documents] == [True, False, True]


def test_syntax_fault_ends_the_file_and_keeps_the_documents_before() -> None:
    loaded = load(b"a: 1\n---\nb: @x\n---\nc: 1\n")
    assert [document.value for document in loaded.documents] == [{"a": 1}]
    assert [problem.code for problem in loaded.problems] == ["yaml-syntax"]


def test_document_has_the_place_of_its_first_node_and_its_index() -> None:
    loaded = load(b"# head\n\na: 1\n---\n---\n  b: 2\n")
    assert [(d.index, d.line, d.column, d.empty) for d in loaded.documents] == [
        (0, 3, 1, False),
        (1, 5, 1, True),
        (2, 6, 3, False),
    ]


@pytest.mark.parametrize("source", [b"", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_text_without_values_has_no_documents(source: bytes) -> None:
    assert load(source) == load(b"")
    assert load(b"").documents == ()


def test_lone_separator_is_one_empty_document() -> None:
    assert [(d.empty, d.value) for d in load(b"---\n").documents] == [(True, None)]


def test_byte_order_mark_at_the_start_is_removed() -> None:
    assert load(b"\xef\xbb\xbfa: 1").documents[0].value == {"a": 1}


def test_crlf_is_a_line_break() -> None:
    loaded = load(b"a: 1\r\nb: |\r\n  x\r\n  y\r\n")
    assert (loaded.documents[0].value, loaded.problems) == ({"a": 1, "b": "x\ny\n"}, ())


def test_invisible_characters_inside_values_are_accepted() -> None:
    assert value_of("a: x\u202ey\u00a0z") == {"a": "x\u202ey\u00a0z"}


def test_version_1_1_and_1_2_are_accepted() -> None:
    assert load(b"%YAML 1.1\n---\na: 1").problems == ()
    assert load(b"%YAML 1.2\n---\na: 1").problems == ()


def test_alias_stands_for_its_anchor() -> None:
    assert value_of("a: &x {k: [1]}\nb: *x\nc: [*x, &y z, *y]") == {
        "a": {"k": [1]},
        "b": {"k": [1]},
        "c": [{"k": [1]}, "z", "z"],
    }


def test_later_anchor_replaces_an_earlier_one_of_its_name() -> None:
    assert value_of("a: &x 1\nb: &x 2\nc: *x\n")["c"] == 2  # type: ignore[index]
    assert value_of("a: &x [&x 1, *x]\nb: *x\n")["b"] == 1  # type: ignore[index]


def test_anchor_does_not_reach_into_the_next_document() -> None:
    assert first(b"a: &x 1\n---\nb: *x\n")[:2] == ("yaml-alias", 3)


def test_stars_and_bangs_inside_texts_are_no_indicators() -> None:
    text = 'cron: "*/5 * * * *"\nb: 0 * * * *\nc: a && b != c\nd: x*y\n'
    assert value_of(text) == {"cron": "*/5 * * * *", "b": "0 * * * *", "c": "a && b != c", "d": "x*y"}


def test_json_with_tabs_is_read() -> None:
    assert value_of('{\n\t"a": [1, 2.50],\n\t"b": {"c": "\\u00e9\\/"}\n}') == {
        "a": [1, Decimal("2.50")],
        "b": {"c": "é/"},
    }


BUDGET = Budget(bytes=200, depth=3, nodes=6, aliases=2, documents=2, scalar=10, number=4)


@pytest.mark.parametrize(
    ("inside", "outside", "code"),
    [
        (b"#" * 200, b"#" * 201, "file-too-big"),
        (b"[[[]]]", b"[[[[]]]]", "yaml-depth"),
        (b"[1, 2, 3, 4, 5]", b"[1, 2, 3, 4, 5, 6]", "yaml-nodes"),
        (b"[&a [1], *a, 0]", b"[&a [1, 2], *a]", "yaml-expansion"),
        (b"[&a 1, *a, *a]", b"[&a 1, *a, *a, *a]", "yaml-expansion"),
        (b"[&a [[1]], 2]", b"[&a [[1]], [*a]]", "yaml-depth"),
        (b"a\n---\nb\n", b"a\n---\nb\n---\nc\n", "yaml-documents"),
        (b"a: " + b"x" * 10 + b" " * 20, b"a: " + b"x" * 11 + b" " * 20, "yaml-scalar"),
        (b"x" * 10 + b": 1          ", b"x" * 11 + b": 1         ", "yaml-scalar"),
        (b"1234", b"12345", "yaml-number"),
        (b"1.25", b"1.255", "yaml-number"),
        (b"0xff", b"0xfff", "yaml-number"),
    ],
)
def test_budget_admits_the_last_and_refuses_the_next(inside: bytes, outside: bytes, code: str) -> None:
    assert errors(inside, BUDGET) == []
    assert first(outside, BUDGET)[0] == code


def test_default_limits_are_those_that_the_design_names() -> None:
    assert Budget(1 << 20, 100, 200_000, 1000, 100, 1 << 20, 64) == MANIFEST_BUDGET
    assert (REPLY_BUDGET.bytes, REPLY_BUDGET.nodes, CONFIG_BUDGET.documents) == (16 << 20, 2_000_000, 1)
    assert errors(b"[" * 100 + b"]" * 100) == []
    assert errors(b"---\na\n" * 100) == []
    assert first(b"---\na\n" * 101) == ("yaml-documents", 201, 1)


def test_many_problems_are_capped_and_never_hide_an_error() -> None:
    loaded = load(b"".join(b"- yes\n" for _ in range(3000)) + b"- !x 1\n")
    assert len(loaded.problems) == 1001
    assert loaded.documents[0].broken


def test_unlisted_template_fault_is_named_once() -> None:
    assert [problem.code for problem in errors(b"a: {{ x }}-foo\n")] == ["yaml-template"]


def test_conflict_markers_are_all_reported() -> None:
    text = b"<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n"
    assert [problem.where.line for problem in errors(text * 2)] == [1, 6]


def test_values_are_plain_json_values_only() -> None:
    loaded = load(b"a: [1, 1.5, x, true, null, {}]\n")
    assert [type(value).__name__ for value in loaded.documents[0].value["a"]] == [
        "int",
        "Decimal",
        "str",
        "bool",
        "NoneType",
        "dict",
    ]
