"""Probed against a server that is not what its document says: another base, a credential nobody declared, odd pages."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from agent.__main__ import main
from agent.definitions.load import load_folder
from tests.unit.drafting.test_documents import TEXT, answer, body, document, item

USER, PASSWORD = "ann", "canary-probe-41c2"
NUMBER = {"type": "integer"}


class Odd(ThreadingHTTPServer):
    """Things below `/api`, listed by pages. `most` rows are given at once, `first` is the number of the first page."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.names = [f"thing-{number}" for number in range(5)]
        self.most, self.first, self.link, self.seen = 100, 1, False, list[str]()


class _Answers(BaseHTTPRequestHandler):
    server: Odd

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.seen.append(self.path)
        wanted = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if not parts.path.startswith("/api/"):
            self._answer(404, {"detail": "Not Found"})
        elif self.headers.get("Authorization") != wanted:
            self._answer(401, {"detail": "who are you?"})
        elif parts.path == "/api/things":
            self._list(dict(parse_qsl(parts.query)))
        elif (name := parts.path.rpartition("/")[2]) in self.server.names:
            self._answer(200, {"name": name, "password": "********", "mail": "ann@corp.example"})
        else:
            self._answer(404, {"detail": f"no {name}"})

    def _list(self, asked: dict[str, str]) -> None:
        size = min(int(asked.get("size", 100)), self.server.most)
        begin = max(0, int(asked.get("page", self.server.first)) - self.server.first) * size
        rows = [{"name": name} for name in self.server.names[begin : begin + size]]
        more = begin + size < len(self.server.names)
        here = f"http://127.0.0.1:{self.server.server_port}/api/things?size={size}&page={begin // size + 2}"
        self._answer(200, rows, {"Next-Page": here} if self.server.link and more else {})

    def _answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **(headers or {}),
        }.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Odd]:
    monkeypatch.setenv("ODD_USER", USER)
    monkeypatch.setenv("ODD_PASSWORD", PASSWORD)
    with Odd() as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield one
        one.shutdown()
        thread.join(timeout=5)


def folder_of(tmp_path: Path, parameters: dict[str, Any]) -> Path:
    """Drafted from a document that tells no base and no credential, and of pages what ``parameters`` say."""
    schema = {"type": "object", "properties": {"name": TEXT, "password": {"type": "string"}}}
    asked = [{"name": name, "in": "query", "schema": one} for name, one in parameters.items()]
    failed = {
        "404": {"description": "no", "content": {"application/json": {"schema": {"properties": {"detail": TEXT}}}}}
    }
    paths = {
        "/things": {
            "get": {"parameters": asked, "responses": answer({"type": "array", "items": item()})},
            "post": {"requestBody": body(schema), "responses": answer(schema) | failed},
        },
        "/things/{name}": {"get": {"responses": answer(schema) | failed}, "delete": {"responses": {}}},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document(paths)), encoding="utf-8")
    assert main(["draft", str(path), "--out", str(tmp_path / "odd"), "--platform", "odd"]) == 0
    return tmp_path / "odd"


def probed(server: Odd, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, tuple[str, str]]:
    """Verdict and sentence of each word."""
    capsys.readouterr()
    address = f"http://127.0.0.1:{server.server_port}"
    given = ["--credential", "user=env:ODD_USER", "--credential", "password=env:ODD_PASSWORD"]
    main(["probe", str(folder), "--server", address, *given, "-o", "json", *words])
    captured = capsys.readouterr()
    assert PASSWORD not in captured.out + captured.err
    return {each["word"]: (each["verdict"], each["what"]) for each in json.loads(captured.out)["findings"]}


PAGED = {"page": {**NUMBER, "minimum": 1}, "size": {**NUMBER, "maximum": 50}}


def test_a_base_and_a_credential_that_nobody_declared_are_found(
    server: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, PAGED)
    found = probed(server, folder, capsys, "--write")
    assert found["base"][0] == found["auth"][0] == "wrong"
    platform = load_folder(folder, bundled=False)
    assert platform.base and platform.base.source == "/api"
    assert platform.auth[0].basic is not None
    again = probed(server, folder, capsys)
    assert {word for word, (verdict, _) in again.items() if verdict == "wrong"} == set()
    assert again["kinds.Thing.list.pages"] == ("proved", "a second page is another one")


def test_samples_hold_no_address_and_masks_are_told(
    server: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, PAGED)
    found = probed(server, folder, capsys)
    assert found["kinds.Thing.fields./password"][0] == "open"
    assert "asterisks" in found["kinds.Thing.fields./password"][1]
    kept = (folder / "examples/answers/Thing.get.json").read_text(encoding="utf-8")
    assert "corp.example" not in kept


def test_a_server_that_gives_fewer_rows_than_asked_is_no_short_page(
    server: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.most = 3
    found = probed(server, folder_of(tmp_path, PAGED), capsys)
    verdict, what = found["kinds.Thing.list.pages"]
    assert (verdict, what) == ("wrong", "50 rows were asked for, 3 came, and there are more: ask for fewer")


def test_pages_that_count_from_zero(server: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.first = 0
    verdict, what = probed(server, folder_of(tmp_path, PAGED), capsys)["kinds.Thing.list.pages"]
    assert verdict == "wrong"
    assert "page 1 is empty and page 0 is not" in what


def test_a_link_in_a_header_that_no_document_told(
    server: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.link = True
    folder = folder_of(tmp_path, {"size": NUMBER})
    thing = load_folder(folder, bundled=False).kinds["Thing"]
    assert thing.list and not thing.list.complete
    found = probed(server, folder, capsys, "--write")
    assert found["kinds.Thing.list.complete"][0] == "wrong"
    thing = load_folder(folder, bundled=False).kinds["Thing"]
    assert thing.list and thing.list.complete
    assert thing.list.pages.next and (thing.list.pages.by, thing.list.pages.next.header) == ("link", "next-page")
    assert probed(server, folder, capsys)["kinds.Thing.list.pages"][0] == "proved"
