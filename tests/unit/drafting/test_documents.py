"""Documents that are broken, hostile or huge: a sentence with its place, never a traceback, nothing fetched."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agent.__main__ import main
from agent.definitions.load import load_folder
from agent.drafting.document import read_document
from agent.drafting.platform import draft_of
from agent.drafting.text import files_of
from agent.errors import UsageError
from tests.unit.drafting import mutated

TEXT = {"type": "string"}


def item(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"id": {"type": "string", "readOnly": True}, "name": TEXT, **members}}


def answer(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def body(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": paths, **more}


def things(schema: Any) -> dict[str, Any]:
    """A collection and its items."""
    return {
        "/things": {
            "get": {"responses": answer({"type": "array", "items": schema})},
            "post": {"requestBody": body(schema), "responses": answer(schema)},
        },
        "/things/{id}": {"get": {"responses": answer(schema)}, "delete": {"responses": {}}},
    }


def drafted(value: dict[str, Any], folder: Path) -> tuple[Any, Any]:
    """The definition that a draft of a document becomes, and the document with what was told of it."""
    read = read_document("openapi.json", json.dumps(value).encode())
    draft = draft_of(read, platform="things")
    for name, text in files_of(read, draft).items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_folder(folder, bundled=False), read


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", '{"openapi": "3.0.0",\n "paths": {,}}', "a.json:2:12: error[openapi-invalid]: is not JSON: "),
        (
            "a.yaml",
            "openapi: 3.0.0\npaths:\n\t/x: {}\n",
            "a.yaml:3:1: error[openapi-invalid]: is not YAML that can be read",
        ),
        ("a.yaml", "openapi: 3.0.0\ninfo: {}\n", "a.yaml:1:1: error[openapi-invalid]: the document describes no paths"),
        ("a.yaml", "swagger: '1.2'\npaths: {}\n", "a.yaml:1:10: error[openapi-invalid]: `swagger` says a version"),
        ("a.yaml", "[1, 2]", "a.yaml:1:1: error[openapi-invalid]: is no OpenAPI document"),
        ("a.html", "<!doctype html><title>Log in</title>", "error[openapi-invalid]: "),
        ("a.json", '{"a": ' * 500 + "1" + "}" * 500, "a.json: error[openapi-invalid]: is nested"),
        ("a.json", "", "error[openapi-invalid]: is no OpenAPI document"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(
    name: str, text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["draft", name, "--out", "out"]) == 78
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_references_that_leave_the_document_are_told_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"type": "object", "properties": {"stolen": {"type": "string"}}}', encoding="utf-8")
    (tmp_path / "out").mkdir()
    for reference in (secret.as_uri(), "secret.json", "http://127.0.0.1:9/a.json#/x", "//host/x"):
        platform, read = drafted(document(things(item(other={"$ref": reference}))), tmp_path / "out")
        told = [problem.what for problem in read.problems]
        assert any("leaves the document" in what for what in told)
        assert platform.kinds["Thing"].schema["properties"]["other"] == {}


def test_cycles_end(tmp_path: Path) -> None:
    node = {"type": "object", "properties": {"name": TEXT, "next": {"$ref": "#/components/schemas/Node"}}}
    itself = {"allOf": [{"$ref": "#/components/schemas/Itself"}, {"properties": {"name": TEXT}}]}
    both = {"anyOf": [{"$ref": "#/components/schemas/Two"}], "properties": {"name": TEXT}}
    two = {
        "oneOf": [{"$ref": "#/components/schemas/One"}],
        "properties": {"node": {"$ref": "#/components/schemas/Node"}},
    }
    schemas = {"Node": node, "Itself": itself, "One": both, "Two": two}
    for name in schemas:
        value = document(things({"$ref": f"#/components/schemas/{name}"}), components={"schemas": schemas})
        platform, _ = drafted(value, tmp_path)
        assert platform.kinds["Thing"].key.source == "name"


def test_paths_that_cannot_be_called_are_left_out(tmp_path: Path) -> None:
    odd = {"/things/../admin": {"get": {}}, "things": {"get": {}}, "/a b/{id}": {"get": {}}, "/x/{}": {"get": {}}}
    platform, read = drafted(document(things(item()) | odd), tmp_path)
    assert list(platform.kinds) == ["Thing"]
    assert len(read.problems) == 3


def test_names_that_are_no_identifiers_are_only_data(tmp_path: Path) -> None:
    names = {"a/b~c": TEXT, "ü ñ": TEXT, "${secret.key}": TEXT, "\u202e": TEXT, "new\nline": TEXT, "pass/word{x}": TEXT}
    schema = item(**names, **{"db/password": {"type": "string", "format": "password"}})
    platform, _ = drafted(document(things(schema)), tmp_path)
    thing = platform.kinds["Thing"]
    assert set(names) <= set(thing.schema["properties"])
    assert [(rule.pointer, rule.secret) for rule in thing.fields] == [("/db~1password", True)]
    text = (tmp_path / "platform.yaml").read_text(encoding="utf-8")
    assert "\u202e" not in text


def test_a_title_cannot_write_into_the_definition(tmp_path: Path) -> None:
    value = document(things(item()))
    value["info"] = {"title": "x\nserver: https://evil.example\n#", "version": "1\nkinds: {}"}
    platform, _ = drafted(value, tmp_path)
    assert platform.server is None
    assert list(platform.kinds) == ["Thing"]


def test_more_kinds_than_anybody_would_confirm_are_asked_for() -> None:
    paths: dict[str, Any] = {}
    for number in range(80):
        word = "abcdefghij"[number // 10] + "abcdefghij"[number % 10] + "things"
        paths |= {path.replace("/things", f"/{word}"): one for path, one in things(item()).items()}
    read = read_document("openapi.json", json.dumps(document(paths)).encode())
    with pytest.raises(UsageError, match="80 kinds") as raised:
        draft_of(read)
    assert raised.value.why is not None
    assert "Aathing" in raised.value.why
    assert list(draft_of(read, kinds=["aathing", "H*"]).words["kinds"])[:2] == ["Aathing", "Hathing"]
    with pytest.raises(UsageError, match="no kind of the document"):
        draft_of(read, kinds=["Nothing"])


def test_a_huge_document_takes_seconds() -> None:
    """About as many calls and schemas as the largest that are published."""
    schemas = {
        f"S{number}": item(**{f"m{n}": {"$ref": f"#/components/schemas/S{(number * 7 + n) % 800}"} for n in range(12)})
        for number in range(800)
    }
    paths: dict[str, Any] = {}
    for number in range(300):
        schema = {"$ref": f"#/components/schemas/S{number}"}
        word = "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")
        paths |= {path.replace("/things", f"/{word}things"): one for path, one in things(schema).items()}
    source = json.dumps(document(paths, components={"schemas": schemas})).encode()
    began = time.process_time()
    draft = draft_of(read_document("openapi.json", source), kinds=["Aaa*"])
    assert len(draft.words["kinds"]) == 1
    assert time.process_time() - began < 10  # of the processor, which others may keep busy
    assert max(len(json.dumps(schema)) for schema in draft.schemas.values()) < 1_000_000


def test_broken_documents_give_a_draft_that_loads_or_a_refusal() -> None:
    assert mutated.main(40) == 0


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 401)
        self.send_header("Location", "http://127.0.0.1:9/openapi.json")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


def test_an_address_that_redirects_or_refuses_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert main(["draft", f"{address}/moved", "--out", str(tmp_path / "a")]) == 78
        assert "answers 302, a redirect" in capsys.readouterr().err
        assert main(["draft", f"{address}/closed", "--out", str(tmp_path / "b")]) == 78
        assert "answers 401" in capsys.readouterr().err
        server.shutdown()
        thread.join(timeout=5)
    assert main(["draft", "http://127.0.0.1:9/openapi.json", "--out", str(tmp_path / "c")]) == 1
    assert main(["draft", "http://user:pass@127.0.0.1/openapi.json", "--out", str(tmp_path / "d")]) == 78
