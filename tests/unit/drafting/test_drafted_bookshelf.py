"""The bookshelf of the documentation, drafted from its OpenAPI document: what a person would have written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.definitions.load import load_folder

DOCUMENT = Path(__file__).parents[2] / "platforms" / "bookshelf.openapi.yaml"


def drafted(folder: Path, *words: str, document: Path = DOCUMENT) -> int:
    return main(["draft", str(document), "--out", str(folder), *words])


def test_a_draft_loads_and_is_what_a_person_would_have_written(tmp_path: Path) -> None:
    assert drafted(tmp_path) == 0
    platform = load_folder(tmp_path, bundled=False)
    book = platform.kinds["Book"]
    assert (platform.api_version, platform.base and platform.base.source) == ("bookshelf/v1", "/api")
    assert [scheme.header for scheme in platform.auth] == ["X-Api-Key"]
    assert (book.key.source, book.id and book.id.source) == ("slug", "id")
    assert book.list and book.list.items and book.list.items.source == "books"
    assert book.get and book.get.request.source == "/books/{id}"
    assert book.create and book.create.adds is not None
    assert book.update and (book.update.method, book.update.sends) == ("PUT", "whole")
    assert sorted(book.schema["properties"]) == ["copies", "title"]  # neither the name nor what the server owns


def test_nothing_can_be_applied_before_a_person_confirms(tmp_path: Path) -> None:
    drafted(tmp_path)
    book = load_folder(tmp_path, bundled=False).kinds["Book"]
    assert book.unverified
    assert book.get and book.get.unverified
    assert book.list and book.list.unverified


def test_every_guess_has_a_confidence_and_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drafted(tmp_path, "-o", "json")
    report = json.loads(capsys.readouterr().out)
    assert report["kinds"] == {"Book": ["list", "get", "create", "update", "delete"]}
    guessed = {each["place"]: each for each in report["guesses"]}
    assert guessed["kinds.Book.key"]["value"] == "slug"
    assert {each["confidence"] for each in report["guesses"]} <= {"high", "medium", "low"}
    text = (tmp_path / "platform.yaml").read_text(encoding="utf-8")
    assert all(each["reason"] in text for each in report["guesses"])


def test_a_second_draft_leaves_what_a_person_edited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, document = tmp_path / "shelf", tmp_path / "openapi.yaml"
    document.write_bytes(DOCUMENT.read_bytes())
    drafted(folder, document=document)
    edited = folder / "platform.yaml"
    edited.write_text(edited.read_text(encoding="utf-8").replace("key: slug", "key: title"), encoding="utf-8")
    mine = edited.read_bytes()
    text = document.read_text(encoding="utf-8").replace("copies: {type: integer, minimum: 0", "copies: {type: number")
    document.write_text(text.replace("/books/{id}:", "/books/{id}/lend: {post: {}}\n  /books/{id}:"), encoding="utf-8")
    capsys.readouterr()
    assert drafted(folder, "-o", "json", document=document) == 0
    report = json.loads(capsys.readouterr().out)
    assert edited.read_bytes() == mine
    assert report["left"] == ["platform.yaml"]
    assert "book.schema.json" in report["written"]  # nobody touched it
    told = [(each["about"], each["how"], each["name"], each["was"], each["is"]) for each in report["changes"]]
    assert told == [
        ("call", "new", "POST /books/{id}/lend", "", ""),
        ("member", "changed", "Book/copies", "integer", "number"),
    ]
    load_folder(folder, bundled=False)


def test_the_same_document_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drafted(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    drafted(tmp_path, "-o", "json")
    report = json.loads(capsys.readouterr().out)
    assert (report["written"], report["left"], report["document"]["same"]) == ([], [], True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
