"""`lint-platform`: what it says of folders that are right, wrong, and no platform at all; and of what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.linting import lint
from agent.cli.main import main
from agent.definitions.load import available
from tests.unit.definitions.writing import CLOSED, SHOP, write

ROWS = {"data": [{"id": 1, "name": "a", "size": 1, "tags": []}]}
GOOD = "apiVersion: shop/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 1}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(Path("shop"), SHOP, schemas={"thing.schema.json": CLOSED}, answers={"Thing.list.json": ROWS})


def example(folder: Path, name: str, text: str) -> None:
    path = folder / "examples" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edited(folder: Path, old: str, new: str) -> None:
    path = folder / "platform.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def whats(folder: Path) -> list[str]:
    return [f"{one.subject}: {one.what}" if one.subject else one.what for one in lint(folder).problems]


def test_a_clean_folder_ends_with_0_and_tells_promises_and_what_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint-platform", "shop"]) == 0
    text = capsys.readouterr().out
    assert "shop/v1 · shop\n1 managed kind, 1 observed, 1 sample answer, 0 valid and 0 invalid examples\n" in text
    assert "\nThing\n  - a change of `/size` is reported and not made\n" in text
    assert (
        "shop/platform.yaml:9:3: warning[definition-incomplete]: Thing: no sample answer of `get`, `create`\n" in text
    )
    assert text.endswith("no mistake, 8 things missing, 2 notes, 1 to be confirmed\n")


def test_all_that_is_missing_is_named(folder: Path) -> None:
    assert whats(folder) == [
        "no README.md",
        "no invalid example",
        "no `budget`: 60 calls a minute by courtesy",
        "no `errors`: a 404 counts by its status alone",
        "no `probe`: nothing proves the credential in a pass of reads that all found nothing",
        "Shelf, Thing: no `pages`",
        "Shelf: no sample answer of `list`",
        "Thing: no sample answer of `get`, `create`",
        "Thing: no valid example",
        "Thing: no description of `size`, `tags`",
    ]


def test_what_is_there_is_not_missing(folder: Path) -> None:
    more = (
        "probe: GET /me\nerrors: {message: error}\npages: none\nbudget: {windows: [{requests: 1, every: 1s}]}\nkinds:"
    )
    edited(folder, "kinds:", more)
    example(folder, "valid/a.yaml", GOOD)
    example(folder, "invalid/a.yaml", "# expect: unknown-key 5:8\n" + GOOD.replace("size", "sise"))
    for name, body in (("404.json", {"error": "no"}), ("Shelf.list.json", [{"name": "a"}])):
        example(folder, f"answers/{name}", json.dumps(body))
    for name in ("get", "create"):
        example(folder, f"answers/Thing.{name}.json", json.dumps(ROWS["data"][0]))
    (folder / "README.md").write_text("# Shop\n")
    found = lint(folder)
    assert [one.what for one in found.problems] == ["no description of `size`, `tags`"]
    assert (found.samples, found.valid, found.invalid) == (5, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('    delete: {request: "DELETE /things/{id}"}\n', "", "Thing: no `delete`"),
        ('    update: {request: "PUT /things/{id}"}\n', "", "Thing: no `update`"),
        ("items: data}", "items: data, complete: false}", "Thing: its list is cut"),
        ("    id: id\n", "    id: id\n    unique: false\n", "Thing: its name identifies nothing and it has no `mark`"),
        ("    id: id\n", "    id: id\n    unverified: heard of\n", "Thing: a guess (heard of)"),
        (
            "kinds:",
            "events: [{when: type, kind: Thing, metadata: {name: name}}]\nkinds:",
            "no sample answer of an event",
        ),
        ("kinds:", "budget: {retryAfter: wait}\nkinds:", "no sample answer of being throttled"),
    ],
)
def test_each_thing_that_a_promise_needs_is_told(folder: Path, old: str, new: str, told: str) -> None:
    assert told not in whats(folder)
    edited(folder, old, new)
    assert told in whats(folder)
    assert lint(folder).clean


def test_every_mistake_of_a_definition_is_told_at_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(folder, "    key: name\n    id: id", "    kee: name\n    id: id")
    edited(folder, "GET /things/{id}", "GET /things/{idd}?key={secret.key}")
    edited(folder, "/size:", "/sice:")
    assert main(["lint-platform", "shop"]) == 78
    text = capsys.readouterr().out
    assert "shop/platform.yaml:11:5: error[definition-invalid]: kinds.Thing.kee: unknown word `kee`" in text
    assert "fix:  did you mean `key`?" in text
    assert "a secret in a request line" in text
    assert "`/sice` cannot occur in shop/thing.schema.json" in text
    assert text.splitlines()[-1].endswith("mistakes")


def test_a_sample_in_which_an_expression_finds_nothing_is_told_at_the_expression(folder: Path) -> None:
    example(folder, "answers/Thing.list.second.json", json.dumps({"data": [{"id": 2, "name": None}]}))
    (problem,) = [one for one in lint(folder).problems if one.severity == "error"]
    assert (str(problem.where), problem.subject) == ("shop/platform.yaml:11:5", "Thing")
    assert problem.what == "`key` finds nothing in the sample Thing.list.second.json"
    assert [str(where) for where in problem.also] == ["shop/examples/answers/Thing.list.second.json"]


def test_an_example_that_is_not_what_it_says_is_a_mistake(folder: Path) -> None:
    example(folder, "valid/a.yaml", GOOD.replace("size: 1", "size: big"))
    example(folder, "invalid/a.yaml", GOOD)
    wrong = [one for one in lint(folder).problems if one.severity == "error"]
    assert [str(one.where) for one in wrong] == ["shop/examples/invalid/a.yaml:1:1", "shop/examples/valid/a.yaml:4:14"]


def test_a_name_that_travels_with_datakeel_is_taken(folder: Path) -> None:
    name, version = next(iter(available())).split("/")
    edited(folder, "platform: shop\nversion: v1", f"platform: {name}\nversion: {version}")
    (problem,) = [one for one in lint(folder).problems if one.severity == "error"]
    assert str(problem.where) == "shop/platform.yaml:1:1"
    assert "travels with datakeel" in problem.what


def test_extends_looks_beside_the_folder_and_where_schemas_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = "platform: mine\nversion: v1\nformat: 1\nextends: shop/v1\n"
    write(Path("mine"), mine)
    found = lint(Path("mine"))
    assert found.clean
    assert "Thing: no sample answer of `get`, `create`" in [f"{one.subject}: {one.what}" for one in found.problems]
    write(Path("far/mine"), mine)
    assert main(["lint-platform", "far/mine"]) == 78
    assert "far/mine/platform.yaml:4:10: error[definition-invalid]: extends" in capsys.readouterr().out
    assert main(["lint-platform", "far/mine", "--schemas", "shop"]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing-here"], "there is no folder nothing-here"),
        (["shop/platform.yaml"], "shop/platform.yaml is a file"),
        (["."], ". holds no platform.yaml"),
        ([], "the following arguments are required: DIR"),
        (["shop", "--schemas", "none"], "--schemas none: there is no such folder"),
        (["shop", "-o", "xml"], "-o xml: not a format of this verb"),
    ],
)
def test_a_mistake_of_usage_ends_with_64(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["lint-platform", *words]) == 64
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- a list", b"platform: [", b"a: &x 1\nb: *x"])
def test_bytes_that_are_no_definition_are_told(folder: Path, content: bytes) -> None:
    (folder / "platform.yaml").write_bytes(content)
    found = lint(folder)
    assert found.platform is None
    assert all(one.where.path == "shop/platform.yaml" and one.where.line for one in found.problems)


def test_the_document_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint-platform", "shop", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["platform"], document["folder"]) == ("datakeel.lint/1", "shop/v1", "shop")
    assert document["summary"] == {"error": 0, "warning": 8, "info": 2}
    assert document["observed"] == ["Shelf"]
    (thing,) = document["promises"]
    assert (thing["kind"], thing["drift"]) == ("Thing", "spec")
    assert thing["cannot"] == ["a change of `/size` is reported and not made"]
    edited(folder, "key: name\n    id", "kee: name\n    id")
    assert main(["lint-platform", "shop", "-o", "json"]) == 78
    document = json.loads(capsys.readouterr().out)
    assert document["platform"] is None
    assert document["problems"][0]["line"]


def test_a_sample_or_example_that_cannot_be_read_is_told(folder: Path) -> None:
    example(folder, "answers/Thing.get.json", "{")
    (problem,) = lint(folder).problems
    assert (problem.where.path, problem.where.line) == ("shop/examples/answers/Thing.get.json", 1)
