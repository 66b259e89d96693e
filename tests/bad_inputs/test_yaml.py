"""Rows 1 to 52: bytes that are no good YAML, by `validate`, `diff`, `apply` and `run --once` with a sandbox beside."""

from __future__ import annotations

import re

import pytest

from tests.bad_inputs.bench import Benches, Ran
from tests.bad_inputs.rows import Runs, Wrong, assert_told, fill, shows, wrong

DEPOT = "name: NAME\nversion: v1\ntype: depot\ndepot: {type: S3}\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
MERGE_BOMB = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 25))
DIRECTIVES = "".join(f"%TAG !a{n}! tag:x\n" for n in range(60_000))[: (1 << 20) - 40].rpartition("\n")[0]


def depot(name: str, more: str) -> str:
    return DEPOT.replace("NAME", name) + more


CASES = (
    wrong(1, "bomb", BOMB, "yaml-expansion", (6, 15)),
    wrong(2, "merge bomb", MERGE_BOMB, "yaml-merge-key", (2, 10)),
    wrong(3, "list", "&a [‸*a]\n", "yaml-recursive"),
    wrong(3, "mapping", "x: &a\n  y: {z: ‸*a}\n", "yaml-recursive"),
    wrong(4, "brackets", "[" * 1000 + "]" * 1000, "yaml-depth", (1, 101)),
    wrong(4, "just outside", "[" * 101 + "]" * 101, "yaml-depth", (1, 101)),
    wrong(5, "brackets", "[" * 10_000 + "]" * 10_000, "yaml-depth", (1, 101)),
    wrong(6, "brackets", "[" * 100_000 + "]" * 100_000, "yaml-depth", (1, 101)),
    wrong(7, "block mapping", "".join(" " * n + "a:\n" for n in range(1400)), "yaml-depth", (101, 101)),
    wrong(8, "directives", DIRECTIVES + "\n---\na: 1\n", "yaml-directives", (1, 1)),
    wrong(8, "just outside", "".join(f"%TAG !{n}! x\n" for n in "abcde") + "---\na: 1\n", "yaml-directives", (1, 1)),
    wrong(9, "twice", "name: a\nversion: v1\n‸name: b\n", "yaml-duplicate-key"),
    wrong(10, "merge", "b: &b {x: 1}\nc:\n  ‸<<: *b\n  x: 2\n", "yaml-merge-key"),
    wrong(11, "integer", "a:\n  ‸1: x\n", "yaml-key-type", says='"1"'),
    wrong(11, "fraction", "‸1.5: x\n", "yaml-key-type", says='"1.5"'),
    wrong(11, "truth", "‸true: x\n", "yaml-key-type", says='"true"'),
    wrong(11, "null", "‸null: x\n", "yaml-key-type", says='"null"'),
    wrong(12, "template", "name: ‸{{ tpl }}\nversion: v1\n", "yaml-template", says="template"),
    wrong(13, "country", depot("country", "description: ‸no\n"), "yaml-ambiguous", severity="warning", says='"no"'),
    *(
        wrong(14, word, depot(f"word{word}", f"description: ‸{word}\n"), "yaml-ambiguous", severity="warning")
        for word in ("on", "off", "yes", "y")
    ),
    *(
        wrong(15, word, depot(f"octal{word}", f"description: ‸{word}\n"), "yaml-ambiguous", severity="warning")
        for word in ("010", "0o10", "08")
    ),
    wrong(
        15,
        "schema wants a number",
        "name: flow\nversion: v1\ntype: workflow\nworkflow:\n  dag:\n    - {name: t, retry: {count: ‸010},"
        " spec: {stack: 'flare:7.0'}}\n",
        "invalid-manifest",
        says="write 10 or 8",
    ),
    *(
        wrong(16, name, depot(f"time{name}", f"description: ‸{text}\n"), "yaml-ambiguous", severity="warning")
        for name, text in (("minutes", "22:22"), ("hours", "1:30:00"))
    ),
    wrong(17, "1e999", depot("big", "description: ‸1e999\n"), "yaml-ambiguous", severity="warning"),
    *(
        wrong(17, name, f"a: ‸{text}\n", "yaml-number")
        for name, text in (("float", "1.0e+999"), ("inf", ".inf"), ("nan", ".nan"))
    ),
    wrong(18, "digits", f"a: ‸{'7' * 5000}\n", "yaml-number"),
    wrong(18, "just outside", f"a: ‸{'7' * 65}\n", "yaml-number"),
    wrong(
        21, "version", "name: b\nversion: ‸1.10\ntype: depot\ndepot: {type: S3}\n", "invalid-manifest", says='"1.10"'
    ),
    wrong(22, "commit", depot("commit", "description: ‸1234e567\n"), "yaml-ambiguous", severity="warning"),
    wrong(23, "tab", "a:\n‸\tb: 1\n", "yaml-tab"),
    wrong(24, "no-break space", "a:\n  b: 1\n‸\u00a0\u00a0c: 2\n", "yaml-syntax", says="non-breaking space at 3:1"),
    wrong(26, "mid-stream", "a: 1\nb‸\ufeff: 2\n", "yaml-bom"),
    *(
        wrong(27, name, f"a: 1\nb: x‸{sign}c: 2\n", "yaml-newline")
        for name, sign in (("CR", "\r"), ("NEL", "\u0085"), ("LS", "\u2028"), ("PS", "\u2029"))
    ),
    *(
        wrong(28, name, f"a: 1\nb: x‸{sign}y\n", "yaml-control")
        for name, sign in (("NUL", "\0"), ("C0", "\x1b"), ("C1", "\u0090"), ("DEL", "\x7f"))
    ),
    wrong(29, "Latin-1", b"a: 1\nb: caf\xe9\n", "yaml-encoding", (2, 7), says="UTF-8"),
    wrong(30, "little", "\ufeffa: 1\n".encode("utf-16-le"), "yaml-encoding", (1, 1), says="UTF-16"),
    wrong(30, "big", "\ufeffa: 1\n".encode("utf-16-be"), "yaml-encoding", (1, 1), says="UTF-8"),
    wrong(31, "surrogate", 'a: "x\\ud800"\n', "yaml-surrogate", (1, 8)),
    wrong(32, "override", "name: ‸'re\u202eports'\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-invalid"),
    wrong(32, "zero width", "name: ‸'re\u200bports'\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-invalid"),
    wrong(33, "python", 'a: ‸!!python/object/apply:os.system ["touch it-ran"]\n', "yaml-tag"),
    *(wrong(34, tag, f"a: ‸!{tag} x\n", "yaml-tag", says=f"!{tag}") for tag in ("Ref", "vault", "secret")),
    wrong(35, "binary", "a: ‸!!binary aGk=\n", "yaml-tag"),
    wrong(35, "set", "a: ‸!!set {x}\n", "yaml-tag"),
    wrong(35, "omap", "a: ‸!!omap [x: 1]\n", "yaml-tag"),
    wrong(35, "timestamp", "a: ‸!!timestamp 2020-01-01\n", "yaml-tag"),
    wrong(36, "int", "a: ‸!!int abc\n", "yaml-tag"),
    wrong(36, "float", "a: ‸!!float x\n", "yaml-tag"),
    wrong(37, "empty", "", "empty-file", (1, 1), severity="info"),
    wrong(37, "comment", "‸# moved elsewhere\n", "empty-file", severity="info"),
    wrong(38, "separator", "‸---\n", "empty-file", severity="info"),
    wrong(39, "second document", depot("doca", "---\n---\nname: docb\nversion: ‸7\ntype: depot\ndepot: {type: S3}\n"),
          "invalid-manifest"),
    wrong(40, "text", "‸just a text\n", "not-a-manifest"),
    wrong(41, "list", "‸- name: a\n- name: b\n", "not-a-manifest", says="---"),
    wrong(42, "version 3", "‸%YAML 3.0\n---\na: 1\n", "yaml-version"),
    wrong(43, "alias", "a: 1\nb: ‸*x\n", "yaml-alias"),
    wrong(44, "page", "‸<!DOCTYPE html>\n<html><body>x</body></html>\n", "not-a-manifest", says="HTML page"),
    wrong(45, "markers", "a: 1\n‸<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", "merge-conflict"),
    wrong(46, "pointer", "‸version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "lfs-pointer"),
    wrong(47, "sops", "a: ‸ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops: {version: 3.9.0}\n", "encrypted"),
    wrong(47, "age", "‸-----BEGIN AGE ENCRYPTED FILE-----\nx\n", "encrypted"),
    wrong(48, "jinja", "a: 1\n‸{% if x %}\nb: 2\n{% endif %}\n", "yaml-template"),
    wrong(48, "helm", "a: b\nc: ‸{{ .Values.x }}/y\n", "yaml-template"),
    wrong(49, "colon", "desc: foo‸: bar\n", "yaml-syntax", says="quote"),
    wrong(49, "at", "a: ‸@x\n", "yaml-syntax", says="quote"),
    wrong(49, "backtick", "a: ‸`y`\n", "yaml-syntax", says="quote"),
    wrong(49, "percent", "a: ‸%x\n", "yaml-syntax", says="quote"),
    wrong(49, "stars", "a: *‸*******\n", "yaml-syntax", says="quote"),
    wrong(50, "scalar", b"a: " + b"x" * 10_000_000 + b"\n", "file-too-big"),
    wrong(50, "just outside", b"#" * ((1 << 20) + 1), "file-too-big"),
    wrong(51, "items", b"- a\n" * 2_500_000, "file-too-big"),
    wrong(51, "documents", b"---\na\n" * 170_000, "yaml-documents", (201, 1)),
    wrong(51, "just outside", b"---\n" * 101, "yaml-documents", (101, 1)),
)  # fmt: skip
ERRORS = tuple(case for case in CASES if case.severity == "error")
RIGHT = ["beside", "doca"]  # the neighbour, and the first document of row 39


@pytest.fixture(scope="module")
def runs(benches: Benches) -> Runs:
    return Runs(benches, CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_wrong_file_is_told_at_its_place_and_its_neighbour_goes_on(case: Wrong, runs: Runs) -> None:
    plan = runs.of(case).document
    assert_told(case, plan["problems"])
    assert ("create", "neighbour") in [(each["action"], each["key"]["name"]) for each in plan["changes"]]


SENT = (
    # row, name, manifest after `name` and `version`, what the platform gets
    (13, "no", "description: no\n", 'description: "no"'),
    (14, "yes", "description: yes\n", 'description: "yes"'),
    (15, "octal", "description: 010\n", 'description: "010"'),
    (16, "clock", "description: 22:22\n", 'description: "22:22"'),
    (17, "exponent", "description: 1e999\n", 'description: "1e999"'),
    (19, "nodate", "description: 2020-99-99\n", 'description: "2020-99-99"'),
    (20, "date", "description: 2020-01-01\n", 'description: "2020-01-01"'),
    (22, "commit", "description: 1234e567\n", 'description: "1234e567"'),
    (25, "bom", "\ufeff", "version: v1\n"),
    (27, "crlf", "\r\n", "type: S3\n"),
    (32, "invisible", 'description: "x\u202ey"\n', '"x\\u202ey"'),
    (42, "yaml11", "%YAML 1.1\n---\n", "type: S3\n"),
    (42, "yaml12", "%YAML 1.2\n---\n", "type: S3\n"),
)
FRACTION = "name: fraction\nversion: v1\ntype: vulcan\nvulcan: {ratio: 1.10}\n"


def accepted(name: str, part: str) -> str:
    text = DEPOT.replace("NAME", f"sent{name}")
    if part == "\r\n":
        return text.replace("\n", "\r\n")
    return part + text if part.startswith(("\ufeff", "%")) else text + part


@pytest.fixture(scope="module")
def sent(benches: Benches) -> Ran:
    """Everything that is taken as it is meant, applied at once."""
    bench = benches.new()
    for _, name, part, _ in SENT:
        bench.write(f"manifests/{name}.yaml", accepted(name, part))
    bench.write("manifests/fraction.yaml", FRACTION)
    bench.commit()
    return bench.run("apply", "--yes", "-o", "json")


@pytest.mark.parametrize(("row", "name", "part", "body"), SENT, ids=[f"{row[0]} {row[1]}" for row in SENT])
def test_what_is_no_mistake_is_sent_as_it_is_written(row: int, name: str, part: str, body: str, sent: Ran) -> None:
    sent.sound(0, writes=len(SENT) + 1)
    (found,) = [each["body"] for each in sent.requests if f"name: sent{name}\n" in each["body"]]
    assert body in found
    assert "\u202e" not in sent.out + sent.err


@shows(21)
def test_a_fraction_keeps_its_digits_on_the_wire(sent: Ran) -> None:
    (found,) = [each["body"] for each in sent.requests if "ratio" in each["body"]]
    assert "ratio: 1.10\n" in found


@pytest.fixture(scope="module")
def all_at_once(benches: Benches) -> tuple[Ran, Ran, Ran]:
    """Every wrong file in one commit: `validate`, `apply`, `run --once`."""
    bench = benches.new()
    fill(bench, ERRORS, "beside")
    bench.commit()
    return bench.run("validate"), bench.run("apply", "--yes", "-o", "json"), bench.run("run", "--once")


def test_the_text_shows_fifty_problems_and_the_count_of_all(all_at_once: tuple[Ran, Ran, Ran]) -> None:
    text = all_at_once[0].sound(3).out
    assert len(re.findall(r"^manifests/\S+: (?:error|warning)\[", text, re.MULTILINE)) == 50
    found = re.search(r"… and (\d+) more; -o json lists all (\d+)", text)
    assert found is not None and int(found[1]) + 50 == int(found[2]) >= len(ERRORS)


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.id)
def test_an_apply_tells_each_and_sends_only_what_is_right(case: Wrong, all_at_once: tuple[Ran, Ran, Ran]) -> None:
    _, applied, once = all_at_once
    applied.sound(3, writes=len(RIGHT))
    assert_told(case, applied.problems)
    created = [each["body"] for each in applied.requests if each["method"] == "POST"]
    assert [re.search(r"^name: (\S+)", body, re.MULTILINE)[1] for body in created] == RIGHT  # type: ignore[index]
    once.sound(3)


@shows(52)
def test_a_file_of_two_gibibytes_is_not_read(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [])
    with bench.write("manifests/huge.yaml", b"").open("r+b") as file:
        file.truncate(2 << 30)
    ran = bench.run("diff", "-o", "json").sound(3, mebibytes=128)
    assert [(each["code"], each["path"]) for each in ran.document["problems"]] == [
        ("file-too-big", "manifests/huge.yaml")
    ]


@shows(52)
def test_a_committed_file_of_many_mebibytes_is_refused_by_its_size(benches: Benches) -> None:
    bench = benches.new()
    fill(bench, [], "besidebig")
    bench.write("manifests/big.yaml", b"\0" * (30 << 20))
    bench.commit()
    ran = bench.run("apply", "--yes", "-o", "json").sound(3, writes=1, mebibytes=128)
    (problem,) = ran.problems
    assert (problem["code"], problem["path"]) == ("file-too-big", "manifests/big.yaml")


def other(name: str, content: str) -> str:
    """A manifest of a type without a schema, so that anything may be in it."""
    return f"name: {name}\nversion: v1\ntype: vulcan\nvulcan: {content}\n"


LIMITS = (
    # row, what, just inside, just outside, code
    (4, "depth", other("a", "[" * 99 + "]" * 99), other("a", "[" * 100 + "]" * 100), "yaml-depth"),
    (8, "directives", "%TAG !a! tag:x\n" * 1 + "%YAML 1.2\n---\n" + other("a", "{}"),
     "%YAML 1.2\n" + "".join(f"%TAG !{n}! tag:x\n" for n in "abcd") + "---\n" + other("a", "{}"), "yaml-directives"),
    (1, "aliases", other("a", "[&x 1" + ", *x" * 1000 + "]"), other("a", "[&x 1" + ", *x" * 1001 + "]"),
     "yaml-expansion"),
    (1, "nodes", other("a", "[" + "1, " * 199_980 + "1]"), other("a", "[" + "1, " * 200_000 + "1]"), "yaml-nodes"),
    (18, "digits", other("a", "7" * 64).replace("vulcan: 7", "vulcan: {n: 7") [:-1] + "}\n",
     other("a", "7" * 65).replace("vulcan: 7", "vulcan: {n: 7")[:-1] + "}\n", "yaml-number"),
    (50, "size", other("a", "{}") + "#" * ((1 << 20) - len(other("a", "{}"))),
     other("a", "{}") + "#" * ((1 << 20) + 1 - len(other("a", "{}"))), "file-too-big"),
    (51, "documents", "---\n" * 100 + other("a", "{}"), "---\n" * 101 + other("a", "{}"), "yaml-documents"),
)  # fmt: skip


@pytest.mark.parametrize(("row", "what", "inside", "outside", "code"), LIMITS, ids=[case[1] for case in LIMITS])
def test_a_limit_admits_the_last_and_refuses_the_next(
    row: int, what: str, inside: str, outside: str, code: str, benches: Benches
) -> None:
    bench = benches.new()
    bench.write("manifests/inside.yaml", inside)
    bench.write("manifests/outside.yaml", outside.replace("name: a\n", "name: b\n"))
    plan = bench.run("diff", "-o", "json").sound(3).document
    errors = [(each["path"], each["code"]) for each in plan["problems"] if each["severity"] == "error"]
    assert errors == [("manifests/outside.yaml", code)]
    assert [each["key"]["name"] for each in plan["changes"]] == ["a"]
