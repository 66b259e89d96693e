"""Rows 82 to 106: schemas and definitions that are wrong, by `lint-platform` and by `diff` with them in a target."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.bad_inputs.bench import Bench, Benches, Ran, place_of
from tests.bad_inputs.rows import shows
from tests.unit.definitions.test_mistakes import DELETE, FIELD, GET, LIST, PROBE, THINGS
from tests.unit.definitions.writing import CLOSED, OPEN, SHOP

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
schemas: [platforms]
targets:
  shop: {platform: shop/v1, server: "http://127.0.0.1:9", settings: {org: acme}, folder: manifests}
"""
THING = "apiVersion: shop/v1\nkind: Thing\nmetadata: {name: a, shelf: s}\nspec: SPEC\n"


@dataclass(frozen=True, slots=True)
class Broken:
    """A folder with one mistake: a text of ``platform.yaml`` replaced, or a schema of its kind Thing."""

    row: int
    name: str
    code: str
    place: tuple[int, int] | None
    platform: str = SHOP
    schema: str = json.dumps(CLOSED)
    sample: str = ""
    says: str = ""

    @property
    def id(self) -> str:
        return f"{self.row} {self.name}"

    @property
    def file(self) -> str:
        return "thing.schema.json" if self.platform == SHOP else "platform.yaml"


def schema(row: int, name: str, text: str, code: str, at: tuple[int, int] | None = None, says: str = "") -> Broken:
    return Broken(row, name, code, at or place_of(text), schema=text.replace("‸", ""), says=says)


def definition(row: int, name: str, old: str, new: str, says: str, sample: str = "") -> Broken:
    text = SHOP.replace(old, new, 1)
    assert text != SHOP
    return Broken(row, name, "definition-invalid", place_of(text), text.replace("‸", ""), sample=sample, says=says)


def levels(count: int) -> str:
    defs = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(count)}
    return json.dumps({"$defs": {**defs, f"l{count}": {}}, "$ref": "#/$defs/l0"})


PARENTHESES = "(" * 3000 + "a" + ")" * 3000
CASES = (
    schema(82, "http", "type: object\n$ref: ‸http://127.0.0.1:PORT/x\n", "schema-remote-ref"),
    schema(82, "dynamic", "items: {$dynamicRef: ‸'http://127.0.0.1:PORT/y#m'}\n", "schema-remote-ref"),
    schema(83, "file", "properties:\n  a:\n    $ref: ‸file:///etc/passwd\n", "schema-remote-ref"),
    schema(83, "path", "items: {$ref: ‸../../datakeel.yaml}\n", "schema-remote-ref"),
    schema(84, "itself", '$ref: ‸"#"\n', "schema-loop"),
    schema(84, "two", '$defs:\n  a: {$ref: ‸"#/$defs/b"}\n  b: {allOf: [{$ref: "#/$defs/a"}]}\n', "schema-loop"),
    schema(86, "look-behind", "pattern: ‸(?<=a)b\n", "schema-pattern"),
    schema(86, "back-reference", "patternProperties:\n  '(a)\\1': ‸{}\n", "schema-pattern"),
    schema(86, "just outside", f"pattern: ‸{'a' * 513}\n", "schema-pattern"),
    schema(87, "type", "properties:\n  a:\n    type: ‸strnig\n", "schema-invalid", says="`string`"),
    schema(88, "levels", levels(18), "schema-budget", (1, 420)),
    schema(88, "just outside", levels(12), "schema-budget", (1, 18)),
    schema(91, "unknown", "$schema: ‸http://example.com/x\ntype: object\n", "schema-draft"),
    schema(91, "draft 3", "$schema: ‸http://json-schema.org/draft-03/schema#\n", "schema-draft"),
    schema(93, "merge key", "properties:\n  a: &t {type: string}\n  b: {‸<<: *t}\n", "yaml-merge-key"),
    schema(93, "deep", '{"a":' * 50_000 + "1" + "}" * 50_000, "yaml-depth", (1, 501)),
    definition(99, "unknown word", PROBE, PROBE + "‸probes: GET /me\n", "did you mean `probe`"),
    definition(99, "wrong type", PROBE, PROBE + "probe: ‸7\n", "must be a request line"),
    definition(99, "unknown member", FIELD, "      /size: {‸read_only: true}\n", "did you mean `readOnly`"),
    definition(100, "another origin", GET, '    get: {request: ‸"GET https://evil.example/x"}\n', "never a URL"),
    definition(100, "no scheme", GET, '    get: {request: ‸"GET //evil.example/x"}\n', "never a URL"),
    definition(100, "upwards", GET, '    get: {request: ‸"GET /../x"}\n', "no segment"),
    definition(101, "word", GET, '    get: {request: ‸"GET /things/{nmae}"}\n', "did you mean `name`"),
    definition(102, "typo", LIST, LIST.replace("items: data", 'items: ‸"dta[]"'), "dta[]", '{"data": [{"name": "a"}]}'),
    definition(103, "ready", THINGS, THINGS + f"    ready: ‸{PARENTHESES}\n", "6001 characters"),
    definition(103, "just outside", THINGS, THINGS + "    ready: ‸" + "(" * 65 + "a" + ")" * 65 + "\n", "nests deeper"),
    definition(105, "get", GET, '    get: {request: ‸"POST /things/{id}"}\n', "POST changes things"),
    definition(105, "list", LIST, LIST.replace('"GET', '‸"DELETE'), "DELETE changes things"),
    definition(105, "declared", GET, '    get: {request: ‸"DELETE /things/{id}", reads: true}\n', "cannot make a"),
    definition(105, "delete by GET", DELETE, '    delete: {request: ‸"GET /things/{id}/delete"}\n', "GET is a read"),
)  # fmt: skip
SINGLE = (
    Broken(99, "duplicate key", "definition-invalid", (5, 1), SHOP.replace("kinds:", "platform: shop\nkinds:", 1)),
    Broken(106, "newer", "definition-invalid", (3, 9), SHOP.replace("format: 1", "format: 2"), says="format 2"),
)


class Listening:
    """Counts who connects: a reference that is fetched would."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                taken, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            taken.close()


@pytest.fixture(scope="module")
def listening() -> Iterator[Listening]:
    one = Listening()
    yield one
    one.socket.close()


def written(bench: Bench, case: Broken, port: int = 0) -> Bench:
    bench.write("datakeel.yaml", CONFIG)
    bench.write("platforms/shop/platform.yaml", case.platform)
    bench.write("platforms/shop/thing.schema.json", case.schema.replace("PORT", str(port)))
    if case.sample:
        bench.write("platforms/shop/examples/answers/Thing.list.json", case.sample)
    return bench


@pytest.mark.parametrize("case", CASES + SINGLE, ids=lambda case: case.id)
def test_a_wrong_definition_is_refused_at_its_place(case: Broken, benches: Benches, listening: Listening) -> None:
    bench = written(benches.new(), case, listening.port)
    linted = bench.run("lint-platform", "platforms/shop", "-o", "json").sound(78)
    assert_told(case, linted)
    assert_told(case, bench.run("validate", "-o", "json").sound(78))
    text = bench.run("diff").sound(78)
    assert f"{case.file}:{case.place[0]}:{case.place[1]}: error[{case.code}]" in text.out + text.err  # type: ignore[index]
    assert listening.connections == 0


def assert_told(case: Broken, ran: Ran) -> None:
    told = [each for each in ran.problems if each["code"] == case.code and each.get("path", "").endswith(case.file)]
    found = [each for each in told if (each.get("line"), each.get("column")) == case.place]
    assert found, ran.problems
    assert any(
        case.says in " ".join(str(each.get(word)) for word in ("what", "message", "fix", "why", "got"))
        for each in found
    ), found


def judged(benches: Benches, spec: str, schema: object, platform: str = SHOP) -> Ran:
    """`validate` of one manifest under a schema of its own. Judged plainly, row 89 takes 7 s and row 85 takes 42."""
    bench = written(benches.new(), Broken(0, "", "", None, platform, json.dumps(schema)))
    bench.write("manifests/a.yaml", THING.replace("SPEC", spec))
    return bench.run("validate", "-o", "json")


def size(**words: object) -> dict[str, object]:
    return {**OPEN, "properties": {"size": words}}


VALUES = (
    # row, name, schema, spec with a mark where it is wrong; none: it is right
    (85, "hostile pattern", size(pattern="^(a+)+$"), f"{{size: ‸{'a' * 40}!}}"),
    (85, "that fits", size(pattern="^(a+)+$"), f"{{size: {'a' * 40}}}"),
    (86, "512 characters", size(pattern="a" * 512), f"{{size: {'a' * 512}}}"),
    (88, "11 levels", json.loads(levels(11)) | {"properties": {"size": {}}}, "{size: 1}"),
    (89, "3,000 objects", size(uniqueItems=True), f"{{size: [{', '.join(f'{{k: {n}}}' for n in range(3000))}]}}"),
    (89, "one twice", size(uniqueItems=True), f"{{size: ‸[{', '.join(f'{{k: {n % 2999}}}' for n in range(3000))}]}}"),
    (90, "1.10", size(multipleOf=0.01), "{size: 1.10}"),
    (90, "1e308", size(multipleOf=0.01), "{size: 1.0e+308}"),
    (90, "1.105", size(multipleOf=0.01), "{size: ‸1.105}"),
    *(
        (91, f"draft {draft}", {**size(type="integer"), "$schema": address}, "{size: ‸x}")
        for draft, address in (
            (4, "http://json-schema.org/draft-04/schema#"),
            (6, "http://json-schema.org/draft-06/schema#"),
            (7, "http://json-schema.org/draft-07/schema#"),
            (2019, "https://json-schema.org/draft/2019-09/schema"),
            (2020, "https://json-schema.org/draft/2020-12/schema"),
        )
    ),
    *(
        (92, word, size(format=word), f"{{size: ‸{text}}}")
        for word, text in (
            ("email", "nobody"), ("date-time", "soon"), ("date", "2020-13-01"), ("ipv4", "300.1.1.1"),
            ("uri", "no uri"), ("uuid", "x"), ("regex", "'('"), ("cron", "every hour"), ("duration", "5 m"),
        )
    ),
    (72, "duration", size(format="duration"), "{size: ‸5 minutes}"),
    (72, "regex", size(format="regex"), "{size: ‸'[a'}"),
    (72, "date-time", size(format="date-time"), "{size: ‸2020-99-99}"),
    (96, "missing", size(required=["more"], additionalProperties=False, allOf=[{"properties": {"more": {}}}]),
     "{‸size: {}}"),
    (96, "additional", {**CLOSED, "allOf": [{"properties": {"more": {}}}]}, "{size: 1, ‸more: 2}"),
    (96, "unevaluated", {**OPEN, "allOf": [{"properties": {"size": {}}}], "unevaluatedProperties": False},
     "{size: 1, ‸more: 2}"),
    (96, "evaluated", {**OPEN, "allOf": [{"properties": {"size": {}}}], "unevaluatedProperties": False}, "{size: 1}"),
)  # fmt: skip


@pytest.mark.parametrize(("row", "name", "schema_", "spec"), VALUES, ids=[f"{one[0]} {one[1]}" for one in VALUES])
def test_a_value_is_judged_as_its_schema_says(
    row: int, name: str, schema_: object, spec: str, benches: Benches
) -> None:
    place = place_of(THING.replace("SPEC", spec))
    ran = judged(benches, spec, schema_).sound(3 if place else 0)
    told = [(each["line"], each["column"]) for each in ran.problems if each["severity"] == "error"]
    assert told[:1] == ([place] if place else [])


@shows(97)
def test_a_wrong_type_in_a_secret_field_does_not_show_its_value(benches: Benches) -> None:
    secret = SHOP.replace(FIELD, "      /size: {secret: true}\n")
    ran = judged(benches, "{size: hunter2-canary}", size(type="integer"), secret).sound(3)
    assert "hunter2" not in ran.out + ran.err
    assert ("invalid-manifest", 4, 14) in [(each["code"], each["line"], each["column"]) for each in ran.problems]


@shows(98)
def test_fifty_thousand_errors_are_the_first_thousand_and_their_count(benches: Benches) -> None:
    ran = judged(benches, f"{{size: [{'x, ' * 49_999}x]}}", size(items={"type": "integer"})).sound(3)
    assert 1_000 <= len(ran.problems) <= 1_001
    (last,) = [each["what"] for each in ran.problems if each["code"] == "more-problems"]
    assert last == "at least 10,000 more problems of this file are not listed"


@shows(98)
def test_two_thousand_errors_are_counted_exactly(benches: Benches) -> None:
    ran = judged(benches, f"{{size: [{'x, ' * 1_999}x]}}", size(items={"type": "integer"})).sound(3)
    (last,) = [each["what"] for each in ran.problems if each["code"] == "more-problems"]
    assert last == "1,000 more problems of this file are not listed"


@shows(98)
def test_no_number_of_warnings_hides_an_error(benches: Benches) -> None:
    ran = judged(benches, f"{{size: [{'{n: 1}, ' * 2_000}x]}}", size(items={"type": "object"})).sound(3)
    assert [(each["code"], each["what"]) for each in ran.problems if each["code"] == "invalid-manifest"] == [
        ("invalid-manifest", "`size[2000]` must be a mapping, not text")
    ]
