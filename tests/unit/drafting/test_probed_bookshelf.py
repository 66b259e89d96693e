"""A drafted bookshelf, probed against the real one: what is proved is lifted, what is wrong told, nothing written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.definitions.load import load_folder
from agent.drafting.seen import revision_in
from tests.platforms.bookshelf import KEY, Answers, Bookshelf

DOCUMENT = Path(__file__).parents[2] / "platforms" / "bookshelf.openapi.yaml"


@pytest.fixture
def shelf() -> Iterator[Bookshelf]:
    with Bookshelf(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHELF_KEY", KEY)
    assert main(["draft", str(DOCUMENT), "--out", str(tmp_path)]) == 0
    return tmp_path


def stocked(shelf: Bookshelf, *slugs: str) -> None:
    for number, slug in enumerate(slugs, 1):
        shelf.books[number] = {"id": number, "slug": slug, "title": slug.title(), "copies": 1}


def probe(shelf: Bookshelf, folder: Path, *words: str) -> int:
    address = f"http://127.0.0.1:{shelf.server_port}"
    return main(["probe", str(folder), "--server", address, "--credential", "key=env:SHELF_KEY", *words])


def report_of(capsys: pytest.CaptureFixture[str], code: int, expected: int) -> dict[str, Any]:
    printed = capsys.readouterr().out
    assert code == expected, printed
    report: dict[str, Any] = json.loads(printed)
    return report


def test_what_is_proved_is_lifted_and_answers_are_kept(
    shelf: Bookshelf, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked(shelf, "dune", "emma", "ubik", "walden")
    before = json.dumps(shelf.books)
    capsys.readouterr()
    report = report_of(capsys, probe(shelf, folder, "--write", "-o", "json"), 0)
    assert json.dumps(shelf.books) == before
    assert report["calls"] == 4
    assert report["saved"] == ["404.json", "Book.get.json", "Book.list.json"]
    book = load_folder(folder, bundled=False).kinds["Book"]
    assert book.list and book.list.unverified is None
    assert book.get and book.get.unverified is None
    assert book.unverified  # no write of it was seen
    listed = json.loads((folder / "examples/answers/Book.list.json").read_text(encoding="utf-8"))
    assert [each["slug"] for each in listed["books"]] == ["dune", "emma", "ubik"]  # three rows are kept
    text = (folder / "platform.yaml").read_text(encoding="utf-8")
    assert "    key: slug\n    id: id\n    list: {request: GET /books, items: books}\n" in text


def test_without_write_only_samples_are_written(
    shelf: Bookshelf, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked(shelf, "dune", "emma")
    before = (folder / "platform.yaml").read_bytes()
    assert probe(shelf, folder) == 0
    assert (folder / "platform.yaml").read_bytes() == before
    assert "--write takes away" in capsys.readouterr().out


def test_an_empty_shelf_proves_nothing(shelf: Bookshelf, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    report = report_of(capsys, probe(shelf, folder, "--write", "-o", "json"), 0)
    verdicts = {each["word"]: each["verdict"] for each in report["findings"] if each["kind"]}
    assert verdicts == {"kinds.Book.list.items": "open", "kinds.Book.get.request": "open"}
    assert report["saved"] == []
    book = load_folder(folder, bundled=False).kinds["Book"]
    assert book.list and book.list.unverified


def test_a_wrong_word_is_told_with_its_line_and_corrected_only_with_write(
    shelf: Bookshelf, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked(shelf, "dune", "emma")
    path = folder / "platform.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("items: books", "items: results"), encoding="utf-8")
    capsys.readouterr()
    assert probe(shelf, folder) == 1
    printed = capsys.readouterr().out
    line = path.read_text(encoding="utf-8").split("items: results")[0].count("\n") + 1
    assert f"wrong  list.items: no list there; one is at books; write `items: books`  {path}:{line}\n" in printed
    assert probe(shelf, folder, "--write") == 1
    assert "items: books" in path.read_text(encoding="utf-8")
    assert probe(shelf, folder, "--write") == 0


def test_a_refused_credential_ends_it(
    shelf: Bookshelf, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHELF_KEY", "not-this-one")
    assert probe(shelf, folder) == 1
    printed = capsys.readouterr().out
    assert "stopped: the credential is refused" in printed
    assert "not-this-one" not in printed


def test_calls_have_an_end(shelf: Bookshelf, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stocked(shelf, "dune", "emma")
    capsys.readouterr()
    report = report_of(capsys, probe(shelf, folder, "--max-calls", "2", "-o", "json"), 1)
    assert (report["calls"], report["stopped"]) == (2, "2 calls are used up; --max-calls allows more")


def test_nothing_but_reads_is_sent(shelf: Bookshelf, folder: Path) -> None:
    stocked(shelf, "dune")
    sent: list[str] = []

    class Noted(Answers):
        def handle_one_request(self) -> None:
            super().handle_one_request()
            sent.append(self.raw_requestline.decode().partition(" ")[0])

    shelf.RequestHandlerClass = Noted
    assert probe(shelf, folder) == 0
    assert set(sent) - {""} == {"GET"}


def test_a_secret_on_the_command_line_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", str(folder), "--server", "http://127.0.0.1:1", "--credential", f"key={KEY}"]) == 64
    assert KEY not in capsys.readouterr().err


def test_lint_lists_what_is_to_be_confirmed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["lint-platform", str(folder), "-o", "json"]) == 0
    todo = json.loads(capsys.readouterr().out)["todo"]
    lines = (folder / "platform.yaml").read_text(encoding="utf-8").split("\n")
    for each in todo:
        at = lines[each["line"] - 1][each["column"] - 1 :]
        assert at.startswith({"mark": "unverified: ", "unseen": "Book:"}.get(each["sure"], "# guess, ")), each
    assert {each["subject"] for each in todo if each["sure"] == "mark"} == {"Book", "Book.list", "Book.get"}


def test_a_member_that_tells_of_changes_is_found_by_its_name() -> None:
    assert revision_in({"id": 1, "data": {"name": "a", "last_modified": 5}}) == "data.last_modified"
    assert revision_in({"updater": "ann", "updatedAt": "2026-01-01"}) == "updatedAt"
    assert revision_in({"id": 1, "updater": "ann"}) is None


def test_a_name_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draft", str(DOCUMENT), "--out", str(tmp_path), "--platform", "gitlab"]) == 0
    assert "is the name of a definition" not in capsys.readouterr().out  # its version is another one
    assert main(["draft", str(DOCUMENT), "--out", str(tmp_path / "b"), "--platform", "dataos"]) == 0
    assert "dataos/v1 is the name of a definition that travels with datakeel" in capsys.readouterr().out
