"""``get``: what is live, what is not, and what nobody could tell, over a real server, repository and store."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.cli.finding import Asked
from agent.cli.looking import Live, fetch_live
from agent.cli.options import Options, Selector
from agent.clock import SystemClock
from agent.config import load_config
from agent.errors import AgentError, Forbidden, LiveError, SourceError, Unreachable, UsageError
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.store.store import Store
from tests.unit.live.served import served

DEFINITION = """
platform: farm
version: v1
format: 1
auth: {token: {header: Authorization, value: "Bearer ${secret.token}"}}
errors: {code: code, message: message}
kinds:
  Yard: {key: name, list: {request: GET /yards}}
  Barn: # its yard travels in a header, so no word of it is in the request line
    scope: {yard: Yard}
    headers: {X-Yard: "${yard}"}
    key: name
    list: {request: GET /barns}
    get: {request: "GET /barns/{name}"}
    create: {request: POST /barns, adds: {name: "${name}"}}
  Animal: # observed, and stands in a barn
    scope: {yard: Yard, barn: Barn}
    key: name
    unique: false
    id: id
    list: {request: "GET /yards/{yard}/barns/{barn}/animals"}
  Egg: # may be asked for of one animal
    scope: {yard: Yard, of: {kind: Animal, optional: true}}
    key: name
    list: {request: "GET /eggs?yard={yard}&of={of}"}
  Tractor: {key: name, list: {request: GET /tractors, items: tractors, complete: false}}
  Note: # nothing lists it
    scope: {yard: Yard}
    key: name
    get: {request: "GET /notes/{name}", unverified: nobody printed it}
    apply: {request: "PUT /notes/{name}"}
"""
OPEN = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}'
CONFIG = """
apiVersion: datakeel/v1
source: {path: repo}
state: state.db
schemas: [schemas]
targets:
  home:
    platform: farm/v1
    server: %s
    credentials: {token: {env: FARM_TOKEN}}
    folder: manifests
    budget: off
"""
MANIFESTS = """
apiVersion: farm/v1
kind: Barn
metadata: {name: red, yard: north}
spec: {}
---
apiVersion: farm/v1
kind: Note
metadata: {name: feed, yard: north}
spec: {}
"""


class Farm:
    """The platform, and what it refuses."""

    def __init__(self) -> None:
        self.refused: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []

    def routes(self) -> list[Route]:
        paths = [
            "/yards",
            "/barns",
            "/barns/{name}",
            "/tractors",
            "/yards/{yard}/barns/{barn}/animals",
            "/eggs",
            "/notes/{name}",
        ]
        return [Route(path, self._answer) for path in paths]

    async def _answer(self, request: Request) -> Response:
        path, yard = request.url.path, request.headers.get("X-Yard", "")
        self.asked.append(f"{path} {yard}".strip())
        for place, (status, code) in self.refused.items():
            if place in (path, yard):
                return JSONResponse({"code": code, "message": f"no {place}"}, status)
        known: dict[str, Any] = {
            "/yards": [{"name": "north"}, {"name": "south"}],
            "/barns": [{"name": "red"}, {"name": f"of-{yard}"}],
            "/eggs": [{"name": f"of-{request.query_params.get('of')}"}],
            "/barns/red": {"name": "red", "roof": "tin"},
            "/tractors": {"tractors": [{"name": "old"}]},
            "/yards/north/barns/red/animals": [
                {"name": "cow", "id": 1},
                {"name": "cow", "id": 2},
                {"name": "cat", "id": 3},
            ],
        }
        if path not in known:
            return JSONResponse({"code": "GONE", "message": "there is none"}, 404)
        return JSONResponse(known[path])


@asynccontextmanager
async def farm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Farm, Any]]:
    monkeypatch.setenv("FARM_TOKEN", "farm-token-of-the-tests")
    manifests = folder / "repo" / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "all.yaml").write_text(MANIFESTS)
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *words], cwd=folder / "repo", check=True)
    schemas = folder / "schemas" / "farm"
    schemas.mkdir(parents=True)
    (schemas / "platform.yaml").write_text(DEFINITION)
    for name in ("barn", "note"):
        (schemas / f"{name}.schema.json").write_text(OPEN)
    platform = Farm()
    async with served(*platform.routes()) as origin:
        (folder / "datakeel.yaml").write_text(CONFIG % origin)
        yield platform, load_config(folder / "datakeel.yaml", {"FARM_TOKEN": "x"}, folder)


async def get(config: Any, what: str = "", *where: str, id: str | None = None, **which: bool) -> Live:
    asked = Asked(Selector.parse(what) if what else Selector(""), where, id)
    which = {"desired": False, "applied": False, **which}
    return await fetch_live(config, Options(), asked, **which)


def paths(live: Live) -> list[str]:
    return [row.key.path for row in live.rows]


async def test_a_scope_word_in_a_header_is_one_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (platform, config):
        assert paths(await get(config, "Barn")) == ["Barn/north/of-north", "Barn/north/red"]
        assert paths(await get(config, "Barn", "yard=south")) == ["Barn/south/of-south", "Barn/south/red"]
        assert platform.asked == ["/barns north", "/barns south"]
        with pytest.raises(UsageError, match="no scope word `yrd`"):
            await get(config, "Barn", "yrd=south")


async def test_a_kind_that_no_manifest_names_is_listed_where_others_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with farm(tmp_path, monkeypatch) as (_, config):
        assert paths(await get(config, "Animal")) == [
            *("Animal/north/red/cat", "Animal/north/red/cow", "Animal/north/red/cow"),
        ]
        assert paths(await get(config, "Yard")) == ["Yard/north", "Yard/south"]
        assert paths(await get(config, "Egg")) == ["Egg/north/of-None"]
        assert paths(await get(config, "Egg", "of=hen")) == ["Egg/north/hen/of-hen"]
        live = await get(config, "Tractor")
        assert (paths(live), live.notes) == (
            ["Tractor/old"],
            ["Tractor: there may be more, since the platform's list is cut by nature"],
        )
        (tmp_path / "repo" / "manifests" / "all.yaml").write_text("")
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "x"], cwd=tmp_path / "repo"
        )
        with pytest.raises(UsageError, match="the yard in which Animal is to be listed is not known") as caught:
            await get(config, "Animal")
        assert caught.value.fix == "--in yard=NAME"
        with pytest.raises(UsageError, match="the barn in which"):
            await get(config, "Animal", "yard=north")
        assert len(paths(await get(config, "Animal", "yard=north", "barn=red"))) == 3
        live = await get(config)
        assert (live.rows, live.answered) == ([], False) and "datakeel get KIND" in live.notes[0]


async def test_a_list_that_failed_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (platform, config):
        platform.refused = {"/yards/north/barns/red/animals": (403, "NO")}
        with pytest.raises(Forbidden, match="Animal in yard north, barn red could not be listed: no /yards"):
            await get(config, "Animal")
        platform.refused = {"north": (403, "NO")}
        live = await get(config)  # the barns failed; the note is known by name
        assert paths(live) == ["Note/north/feed"]
        assert [(target, error.error_code) for target, error in live.faults] == [("home", "api-forbidden")]


async def test_a_list_in_what_is_not_there_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (platform, config):
        platform.refused = {"nowhere": (404, "GONE"), "/yards/north/barns/red/animals": (404, "GONE")}
        live = await get(config, "Barn", "yard=nowhere")
        assert (live.rows, live.faults, live.answered) == ([], [], True)
        with pytest.raises(LiveError, match="could not be listed"):  # its yard and its barn are there
            await get(config, "Animal")


async def test_what_another_scope_shows_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (platform, config):
        remember(tmp_path, Key("home", "Barn", (("yard", "south"),), "blue"))
        platform.refused = {"north": (403, "NO")}
        live = await get(config, "Barn")
        assert paths(live) == ["Barn/south/of-south", "Barn/south/red"]
        assert "Barn in yard north could not be listed" in live.faults[0][1].what


async def test_nobody_there_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (_, config):
        remember(tmp_path, Key("home", "Barn", (("yard", "south"),), "blue"))
    with pytest.raises(Unreachable):
        await get(config, "Barn")


async def test_one_object_is_found_as_its_kind_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with farm(tmp_path, monkeypatch) as (_, config):
        (barn,) = (await get(config, "Barn/red")).rows
        assert (barn.health, barn.body) == ("ready", {"name": "red", "roof": "tin"})
        (yard,) = (await get(config, "Yard/south")).rows  # nothing reads one
        assert (yard.health, yard.ours, yard.body) == ("ready", False, {"name": "south"})
        (cat,) = (await get(config, "Animal/north/red/cat")).rows  # its name identifies nothing
        assert cat.body == {"name": "cat", "id": 3}
        with pytest.raises(LiveError, match="2 objects are named Animal/cow: 1, 2") as caught:
            await get(config, "Animal/north/red/cow")
        assert caught.value.fix == "choose one by --id"
        (cow,) = (await get(config, "Animal/cow", "yard=north", "barn=red", id="2")).rows
        assert cow.body == {"name": "cow", "id": 2}


async def test_one_object_that_is_not_there_or_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (platform, config):
        for what in ("Yard/west", "Animal/north/red/dog"):
            with pytest.raises(AgentError, match="neither in git nor live on home") as caught:
                await get(config, what)
            assert caught.value.error_code == "not-found"
        with pytest.raises(UsageError, match="the yard of Barn/blue is not known"):
            await get(config, "Barn/blue")
        with pytest.raises(LiveError, match="404 from a read that is a guess proves nothing"):
            await get(config, "Note/feed")
        platform.refused = {"/barns/red": (403, "NO")}
        with pytest.raises(Forbidden):
            await get(config, "Barn/red")
        platform.refused = {"/barns/red": (404, "GONE")}
        (barn,) = (await get(config, "Barn/red")).rows
        assert (barn.health, barn.body) == ("gone", None)
        with pytest.raises(AgentError, match="Yard/west is not in git"):
            await get(config, "Yard/west", desired=True)


async def test_what_git_cannot_tell_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm(tmp_path, monkeypatch) as (_, config):
        shutil.rmtree(tmp_path / "repo" / ".git")
        assert paths(await get(config, "Yard")) == ["Yard/north", "Yard/south"]  # it stands in nothing
        assert len(paths(await get(config, "Barn", "yard=south"))) == 2
        assert paths(await get(config, "Barn/north/red")) == ["Barn/north/red"]
        with pytest.raises(SourceError):
            await get(config)
        with pytest.raises(SourceError):
            await get(config, "Barn/north/red", desired=True)
        remember(tmp_path, Key("home", "Barn", (("yard", "south"),), "red"))
        live = await get(config, "Barn")
        assert [(row.key.path, row.ours) for row in live.rows] == [
            ("Barn/south/of-south", False),
            ("Barn/south/red", True),
        ]
        assert live.faults[0][1].error_code == "source-missing"


def remember(folder: Path, key: Key) -> None:
    """From now on an object is ours."""
    store = Store.open(f"sqlite:///{folder / 'state.db'}", clock=SystemClock(), write=True)
    store.lock()
    store.put_rows([InventoryRow(key=key, uid="u")])
    store.close()
