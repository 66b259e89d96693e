"""``import`` over a real server: what is read, what is left alone, what fails, and what is never written to."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.cli.import_text import document_of, text_of
from agent.cli.import_wanted import Wanted
from agent.cli.importing import Imported, import_live, write_new
from agent.cli.options import Options, Selector
from agent.clock import SystemClock
from agent.config import load_config
from agent.errors import UsageError
from agent.model.identity import Key, uid_of
from agent.model.inventory import InventoryRow
from agent.store.store import Store
from tests.unit.live.served import served

DEFINITION = """
platform: orchard
version: v1
format: 1
auth: {token: {header: Authorization, value: "Bearer ${secret.token}"}}
errors: {code: code, message: message}
kinds:
  Yard:
    key: name
    id: id
    list: {request: GET /yards}
    create: {request: POST /yards, adds: {name: "${name}"}}
  Tree:
    scope: {yard: Yard}
    key: name
    id: id
    mark: {in: /tags, as: "orchard.${target}/${uid}"}
    list: {request: "GET /trees?yard={yard}", holds: summary}
    get: {request: "GET /trees/{name}?yard={yard}"}
    create: {request: POST /trees, adds: {name: "${name}", yard: "${yard}"}}
    update: {request: "PUT /trees/{name}?yard={yard}", adds: {name: "${name}", yard: "${yard}"}}
    gone: felled
    fields: {/tags: {list: set, own: listed}, /root: {ref: Yard.id}, /felled: {readOnly: true}}
  Bee: {key: name, list: {request: GET /bees}}
  Well: {key: name, list: {request: GET /wells}, create: {request: POST /wells, adds: {name: "${name}"}}}
  Note:
    scope: {yard: Yard}
    key: name
    get: {request: "GET /notes/{name}"}
    apply: {request: "PUT /notes/{name}"}
"""
SCHEMA = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}'
CONFIG = """
apiVersion: datakeel/v1
source: {path: repo}
state: state.db
schemas: [schemas]
targets:
  home:
    platform: orchard/v1
    server: %s
    credentials: {token: {env: ORCHARD_TOKEN}}
    folder: manifests
    budget: off
"""
TOKEN = "orchard-token-of-the-tests"
MINE = uid_of("orchard", Key("home", "Tree", (("yard", "north"),), "mine"))


class Orchard:
    """The platform: what is there, what it refuses, what it was asked."""

    def __init__(self) -> None:
        self.refused: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        self.trees: dict[str, dict[str, Any]] = {
            "apple": {"name": "apple", "id": 1, "yard": "north", "kind": "no", "root": 7, "tags": ["sweet"]},
            "Apple": {"name": "Apple", "id": 2, "yard": "north", "kind": "0x1f"},
            "mine": {"name": "mine", "id": 3, "yard": "north", "tags": [f"orchard.home/{MINE}"]},
            "theirs": {"name": "theirs", "id": 4, "yard": "north", "tags": ["orchard.away/aaaaaaaaaaaa"]},
            "felled": {"name": "felled", "id": 5, "yard": "north", "felled": True},
            "a b": {"name": "a b", "id": 6, "yard": "north"},
            "leaky": {"name": "leaky", "id": 7, "yard": "north", "note": f"x {TOKEN} x"},
        }

    def routes(self) -> list[Route]:
        paths = ("/yards", "/trees", "/trees/{name}", "/bees", "/wells", "/notes/{name}")
        return [Route(path, self._answer, methods=["GET", "PUT", "POST"]) for path in paths]

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(f"{request.method} {path}")
        for place, (status, code) in self.refused.items():
            if place == path:
                return JSONResponse({"code": code, "message": f"no {place}"}, status)
        if path == "/yards":
            return JSONResponse([{"name": "north", "id": 7}])
        if path == "/trees":
            shown = ("name", "id", "yard")
            return JSONResponse([{word: tree[word] for word in shown} for tree in self.trees.values()])
        known: dict[str, Any] = {"/wells": [], "/bees": [], "/notes/feed": {"text": "at six"}}
        if path.startswith("/trees/"):
            known[path] = self.trees.get(path.removeprefix("/trees/"))
        return JSONResponse(known[path]) if known.get(path) is not None else JSONResponse({"code": "NONE"}, 404)


@asynccontextmanager
async def orchard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Orchard, Any]]:
    monkeypatch.setenv("ORCHARD_TOKEN", TOKEN)
    monkeypatch.chdir(folder)
    (folder / "repo" / "manifests").mkdir(parents=True)
    schemas = folder / "schemas" / "orchard"
    schemas.mkdir(parents=True)
    (schemas / "platform.yaml").write_text(DEFINITION)
    for name in ("yard", "tree", "well", "note"):
        (schemas / f"{name}.schema.json").write_text(SCHEMA)
    platform = Orchard()
    async with served(*platform.routes()) as origin:
        (folder / "datakeel.yaml").write_text(CONFIG % origin)
        yield platform, load_config(folder / "datakeel.yaml", {"ORCHARD_TOKEN": "x"}, folder)


async def imported(
    config: Any, *what: str, only: Sequence[str] = (), out: Path | None = None, group: Any = "file", **words: Any
) -> Imported:
    targets = (words.pop("target"),) if "target" in words else ()
    options = Options(verb="import", worktree=True, targets=targets, only=tuple(map(Selector.parse, only)))
    wanted = Wanted(tuple(map(Selector.parse, what)), words.pop("where", {}), options, **words)
    (done,) = await import_live(config, options, wanted, out, group, lambda *told: None)
    return done


def status(done: Imported) -> int:
    found: int = import_module("agent.cli.verbs.import").status_of([done])
    return found


def names(done: Imported) -> list[str]:
    return [key.path for key in sorted(done.written)]


async def test_everything_that_can_be_imported_is_and_the_rest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        done = await imported(config)
        assert names(done) == ["Tree/north/Apple", "Tree/north/apple", "Tree/north/mine", "Yard/north"]
        assert {key.name: why[:20] for key, why in done.survey.left.items()} == {
            "theirs": "it carries the mark ",
            "felled": "it is being deleted",
        }
        assert {key.name: error.error_code for key, error in done.failed.items()} == {
            "a b": "not-importable",
            "leaky": "not-importable",
        }
        assert sorted(done.survey.kinds) == ["Bee", "Note"]
        assert status(done) == 5
        assert all(each.startswith("GET ") for each in platform.asked)
        assert "GET /bees" not in platform.asked
        assert done.survey.target.api.calls == {"import": len(platform.asked)}
        text = (tmp_path / "repo" / done.written[Key("home", "Tree", (("yard", "north"),), "apple")]).read_text()
        assert text.endswith('spec:\n  kind: "no"\n  root: north\n  tags:\n    - sweet\n')
        for file in (tmp_path / "repo").rglob("*.yaml"):
            assert TOKEN not in file.read_text()


async def test_what_an_overlay_would_change_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        overlays = tmp_path / "repo" / "overlays"
        overlays.mkdir()
        head = "apiVersion: datakeel/v1\nkind: Overlay\n"
        (overlays / "apples.yaml").write_text(
            f"{head}select: {{kind: Tree, name: apple}}\nmerge: {{spec: {{kind: other}}}}\n---\n"
            f"{head}select: {{kind: Tree, name: Apple, path: 'manifests/*'}}\nmerge: {{spec: {{kind: '0x1f'}}}}\n---\n"
            f"{head}select: {{kind: Tree, path: 'elsewhere/*'}}\nmerge: {{spec: {{kind: other}}}}\n"
        )
        home = replace(config.targets["home"], overlays=("overlays",))
        done = await imported(replace(config, targets={"home": home}), "Tree/apple", "Tree/Apple", "Tree/mine")
        assert names(done) == ["Tree/north/Apple", "Tree/north/mine"]
        (told,) = done.failed.values()
        assert (told.error_code, told.what.rpartition(": ")[2]) == ("not-importable", "overlays/apples.yaml:1")
        assert not list((tmp_path / "repo" / "manifests").rglob("apple.yaml"))
        assert status(done) == 5


async def test_names_that_differ_by_case_become_files_that_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        done = await imported(config, "Tree/apple", "Tree/Apple")
        files = sorted(path.name for path in (tmp_path / "repo").rglob("*.yaml"))
        assert len({each.casefold() for each in files}) == len(names(done)) == 2
        assert "Apple.yaml" in files


async def test_what_is_in_git_and_what_is_ours_is_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        await imported(config, "Tree/apple")
        key = Key("home", "Tree", (("yard", "north"),), "mine")
        store = Store.open(config.state, clock=SystemClock(), write=True)
        store.lock()
        store.put_rows([InventoryRow(key, MINE)])
        store.close()
        done = await imported(config, "Tree", only=("!Tree/leaky", "!Tree/a b"), since_inventory=True)
        assert names(done) == ["Tree/north/Apple"]
        assert [each.path for each in done.survey.kept] == ["Tree/north/apple"]
        assert [each.path for each in done.survey.ours] == ["Tree/north/mine"]
        assert status(done) == 0


async def test_what_another_target_of_the_system_names_is_its_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        (tmp_path / "repo" / "theirs").mkdir()
        (tmp_path / "repo" / "theirs" / "apple.yaml").write_text(
            "apiVersion: orchard/v1\nkind: Tree\nmetadata: {name: apple, yard: north}\nspec: {}\n"
        )
        home = config.targets["home"]
        twin = replace(home, name="twin", folder="theirs")
        remote = replace(twin, name="remote", server="https://orchard.example", folder="theirs")
        only = ("Tree/apple", "Tree/Apple")
        alone = replace(config, targets={"home": home, "remote": remote})
        assert "Tree/north/apple" in names(await imported(alone, "Tree", only=only, target="home"))
        both = replace(config, targets={"home": home, "twin": twin})
        for file in (tmp_path / "repo" / "manifests").rglob("*.yaml"):
            file.unlink()
        done = await imported(both, "Tree", only=only, target="home")
        assert names(done) == ["Tree/north/Apple"]
        assert [(key.name, why) for key, why in done.survey.left.items()] == [
            ("apple", "it is the business of target twin")
        ]


async def test_where_the_target_lets_nothing_stand_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        home = replace(config.targets["home"], scopes={"yard": ("south",)})
        done = await imported(replace(config, targets={"home": home}), "Tree")
        assert names(done) == []
        assert platform.asked == ["GET /yards"]


async def test_a_list_of_strays_reads_lists_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        done = await imported(config, only=("Tree",), since_inventory=True, content=False)
        assert sorted(key.name for key in done.survey.strays) == [
            *("Apple", "a b", "apple", "felled", "leaky", "mine", "theirs")
        ]
        assert platform.asked == ["GET /yards", "GET /trees"]
        assert list((tmp_path / "repo").rglob("*.yaml")) == []
        text = text_of([done], strays=True, verbose=False)
        assert "strays     7 neither in git nor ours · 2 calls\n" in text
        assert len(document_of([done], strays=True)["targets"][0]["strays"]) == 7


async def test_a_list_that_fails_leaves_the_rest_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        platform.refused = {"/wells": (403, "NO"), "/trees/Apple": (500, "OH")}
        done = await imported(config, only=("!Tree/leaky", "!Tree/a b"))
        assert names(done) == ["Tree/north/apple", "Tree/north/mine", "Yard/north"]
        assert [error.error_code for error in done.survey.faults] == ["api-forbidden"]
        assert [key.name for key in done.failed] == ["Apple"]
        assert status(done) == 5
        assert not document_of([done], strays=False)["complete"]
        text = text_of([done], strays=False, verbose=False)
        assert "failed     error[api-forbidden]: Well could not be listed" in text


async def test_nobody_there_is_told_and_nothing_more_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        platform.refused = {"/yards": (401, "WHO"), "/wells": (401, "WHO")}
        done = await imported(config)
        assert (names(done), status(done)) == ([], 1)
        assert [error.error_code for error in done.survey.faults] == ["api-unauthorized"]
        assert "GET /wells" not in platform.asked


async def test_where_the_parents_cannot_be_listed_the_known_ones_are_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        platform.refused = {"/yards": (403, "NO")}
        done = await imported(config, "Tree")
        assert (names(done), status(done)) == ([], 1)
        assert done.survey.faults[0].fix == "--in yard=NAME"
        assert "apple" in str(names(await imported(config, "Tree", where={"yard": "north"})))
        (tmp_path / "repo" / "manifests" / "x.yaml").write_text(
            "apiVersion: orchard/v1\nkind: Note\nmetadata: {name: x, yard: north}\nspec: {}\n"
        )
        done = await imported(config, "Tree/mine", only=("Tree",), since_inventory=True)
        assert any("looked into those that are known" in note for note in done.survey.notes)


async def test_an_object_of_a_kind_without_a_list_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        assert names(await imported(config, "Note/north/feed")) == ["Note/north/feed"]
        done = await imported(config, "Note/north/none")
        assert [error.error_code for error in done.failed.values()] == ["not-found"]
        done = await imported(config, "Note", "Bee")
        assert (sorted(done.survey.refused), status(done)) == (["Bee", "Note"], 4)
        done = await imported(config, "Tree/nowhere")
        assert (status(done), done.survey.faults[0].error_code) == (1, "not-found")


async def test_a_file_that_is_there_is_a_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        place = tmp_path / "repo" / "manifests" / "tree" / "north"
        place.mkdir(parents=True)
        (place / "apple.yaml").write_text("# mine\n")
        (place / "mine.yaml").symlink_to(tmp_path / "elsewhere")
        done = await imported(config, "Tree/apple", "Tree/mine", "Tree/Apple")
        assert (place / "apple.yaml").read_text() == "# mine\n"
        assert not (tmp_path / "elsewhere").exists()
        assert {key.name: error.error_code for key, error in done.failed.items()} == dict.fromkeys(
            ("apple", "mine"), "file-exists"
        )
        assert status(done) == 5
        assert sorted(path.name for path in place.iterdir()) != ["apple.yaml", "mine.yaml"]
        assert not [path for path in place.iterdir() if path.name.startswith(".")]


async def test_a_folder_that_leads_elsewhere_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        (tmp_path / "outside").mkdir()
        (tmp_path / "repo" / "manifests" / "tree").symlink_to(tmp_path / "outside")
        done = await imported(config, "Tree/apple", "Yard")
        assert names(done) == ["Yard/north"]
        assert list((tmp_path / "outside").rglob("*.yaml")) == []


async def test_a_kind_may_be_one_file_and_stand_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        done = await imported(config, only=("!Tree/leaky", "!Tree/a b"), out=tmp_path / "draft", group="kind")
        assert sorted(path.name for path in (tmp_path / "draft").iterdir()) == ["tree.yaml", "yard.yaml"]
        assert (tmp_path / "draft" / "tree.yaml").read_text().count("\n---\n") == 2
        assert (done.files, done.outside) == (2, "manifests")
        assert "these files stand elsewhere" in text_of([done], strays=False, verbose=True)


async def test_each_document_names_its_schema_which_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        config = replace(config, path=tmp_path / "repo" / "datakeel.yaml")
        done = await imported(config, only=("!Tree/leaky", "!Tree/a b"), group="kind")
        text = (tmp_path / "repo" / "manifests" / "tree.yaml").read_text()
        documents = text.split("---\n")
        assert len(documents) == 3
        assert {each.splitlines()[0] for each in documents} == {
            "# yaml-language-server: $schema=../.schemas/orchard/v1.json"
        }
        schema = tmp_path / "repo" / ".schemas" / "orchard" / "v1.json"
        assert json.loads(schema.read_text())["properties"]["kind"]["enum"] == ["Yard", "Tree", "Well", "Note"]
        assert done.schema == ".schemas/orchard/v1.json"
        schema.write_text("{}")  # what is there is left
        again = await imported(config, "Well", group="kind")
        assert (schema.read_text(), again.schema) == ("{}", None)


async def test_a_file_that_stands_apart_names_no_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (_, config):
        config = replace(config, path=tmp_path / "repo" / "datakeel.yaml")
        done = await imported(config, "Tree/apple", out=tmp_path / "apart", group="kind")
        assert "yaml-language-server" not in (tmp_path / "apart" / "tree.yaml").read_text()
        assert done.schema is None and not (tmp_path / "repo" / ".schemas").exists()


async def test_what_cannot_be_meant_is_a_mistake_of_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with orchard(tmp_path, monkeypatch) as (platform, config):
        with pytest.raises(UsageError, match="no target has a kind Tre"):
            await imported(config, "Tre")
        with pytest.raises(UsageError, match="no scope word `yrd`"):
            await imported(config, "Tree", where={"yrd": "north"})
        with pytest.raises(UsageError, match="live objects have no path"):
            await imported(config, only=("path:x/*",))
        assert platform.asked == []


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_new(tmp_path, "a/b.yaml", b"x" * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_system_without_hard_links_is_written_to(tmp_path: Path) -> None:
    def refused(source: str, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    write_new(tmp_path, "a/b.yaml", b"x", refused)
    assert (tmp_path / "a" / "b.yaml").read_bytes() == b"x"
    with pytest.raises(FileExistsError):
        write_new(tmp_path, "a/b.yaml", b"y", refused)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.yaml"]
