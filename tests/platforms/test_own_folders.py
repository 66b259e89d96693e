"""Platforms outside the package, by `schemas:` and by `--schemas`: found, extended, refused where unclear.

The bookshelf of `agent/docs/how-to/your-own-platform.md` serves as the platform, in a thread.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.platforms.bookshelf import KEY, Bookshelf
from tests.platforms.test_your_own_platform import PAGE, steps

_LIBRARY = """\
platform: library
version: v1
format: 1
extends: bookshelf/v1
budget: {windows: [{requests: 60, every: 1m}]}
"""


@pytest.fixture
def shelf() -> Iterator[Bookshelf]:
    with Bookshelf(0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, shelf: Bookshelf, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, its configuration without `schemas`."""
    repository = tmp_path / "repo"
    repository.mkdir()
    for what, name, content in steps(PAGE.read_text(encoding="utf-8")):
        if what == "file":
            path = repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    rewritten(repository / "datakeel.yaml", "schemas: [platforms]\n", "")
    rewritten(repository / "datakeel.yaml", "127.0.0.1:8099", f"127.0.0.1:{shelf.server_port}")
    (repository / "platforms").rename(tmp_path / "elsewhere")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("BOOKSHELF_KEY", KEY)
    monkeypatch.setenv("DATAKEEL_STATE", f"sqlite:///{tmp_path}/state.db")
    return repository


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def library(folder: Path, definition: str = _LIBRARY) -> Path:
    """A definition of its own in another folder, which the repository's configuration and manifests then mean."""
    home = folder / "mine" / "library"
    home.mkdir(parents=True)
    (home / "platform.yaml").write_text(definition, encoding="utf-8")
    rewritten(folder / "datakeel.yaml", "platform: bookshelf", "platform: library")
    for name in ("books", "emma"):
        rewritten(folder / "manifests" / f"{name}.yaml", "bookshelf/v1", "library/v1")
    return home


def test_a_folder_of_the_command_line_is_found_from_where_one_stands(
    folder: Path, shelf: Bookshelf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["validate"]) == 78
    assert "error[unknown-platform]: no such platform" in capsys.readouterr().err
    assert main(["validate", "--schemas", "../elsewhere"]) == 0
    assert capsys.readouterr().out == "2 manifests, no problem\n"
    assert main(["diff", "--schemas", "../elsewhere/bookshelf"]) == 0
    assert "2 create, 0 unchanged" in capsys.readouterr().out
    monkeypatch.chdir(folder / "manifests")
    assert main(["validate", "--schemas", "../elsewhere"]) == 64
    assert "--schemas ../elsewhere: there is no such folder" in capsys.readouterr().err
    assert main(["validate", "--config", "../datakeel.yaml", "--schemas", "../../elsewhere"]) == 0


def test_a_folder_of_the_configuration_is_found_from_the_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten(folder / "datakeel.yaml", "source:", "schemas: [../elsewhere]\nsource:")
    monkeypatch.chdir(folder / "manifests")
    assert main(["validate", "--config", "../datakeel.yaml"]) == 0
    assert main(["explain", "promises", "bookshelf", "--config", "../datakeel.yaml"]) == 0
    assert "nothing is missing" in capsys.readouterr().out


def test_a_definition_extends_one_of_another_folder(
    folder: Path, shelf: Bookshelf, capsys: pytest.CaptureFixture[str]
) -> None:
    library(folder)
    rewritten(folder / "datakeel.yaml", "source:", "schemas: [mine]\nsource:")
    assert main(["validate"]) == 78
    error = capsys.readouterr().err
    assert "mine/library/platform.yaml:4:10: error[definition-invalid]: " in error
    assert "there is no definition of `bookshelf/v1`" in error
    assert main(["validate", "--schemas", "../elsewhere"]) == 0
    shelf.books[7] = {"id": 7, "slug": "dune", "title": "Dune", "copies": 1}
    capsys.readouterr()
    assert main(["diff", "-o", "json", "--schemas", "../elsewhere"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["targets"][0]["platform"] == "library/v1"
    assert [change["key"]["name"] for change in plan["changes"] if change["action"] == "create"] == ["emma"]


def test_only_the_target_names_the_server_of_such_a_platform(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "datakeel.yaml").read_text(encoding="utf-8")
    (folder / "datakeel.yaml").write_text(re.sub(r" +server: .*\n", "", text), encoding="utf-8")
    assert main(["validate", "--schemas", "../elsewhere"]) == 0
    assert main(["diff", "--schemas", "../elsewhere"]) == 78
    error = capsys.readouterr().err
    assert "target shelf names no server" in error
    assert "bookshelf/v1 is not a definition that travels with datakeel" in error
    rewritten(
        folder.parent / "elsewhere/bookshelf/platform.yaml", "base: /api", "base: /api\nserver: https://a.example"
    )
    assert main(["validate", "--schemas", "../elsewhere"]) == 78
    assert "only a definition that travels with the package may name a server" in capsys.readouterr().err


def test_what_is_wrong_under_schemas_is_told_at_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library(folder, _LIBRARY.replace("platform: library", "platform: bookshelf"))
    rewritten(folder / "datakeel.yaml", "source:", "schemas:\n- ../elsewhere\n- mine\n- none\nsource:")
    rewritten(folder / "datakeel.yaml", "platform: library", "platform: bookshelf")
    assert main(["validate"]) == 78
    error = capsys.readouterr().err
    assert "datakeel.yaml:4:3: error[config-invalid]: mine/library/platform.yaml is called `bookshelf/v1`" in error
    assert "datakeel.yaml:5:3: error[config-invalid]: there is no such folder" in error


def test_a_definition_whose_head_has_no_name_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library(folder, _LIBRARY.replace("platform: library", "platfrom: library"))
    assert main(["validate", "--schemas", "mine"]) == 78
    error = capsys.readouterr().err
    assert "error[unknown-platform]: no such platform" in error
    assert "why:  mine/library/platform.yaml names no `platform` and `version`; datakeel lint-platform tells" in error
