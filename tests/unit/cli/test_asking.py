"""What a person asks of a platform, from the configuration to the wire and back, over a real server and store."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from agent.cli import asking
from agent.cli.finding import Asked
from agent.cli.main import main
from agent.cli.options import Options, Selector
from agent.cli.verbs import act
from agent.clock import SystemClock
from agent.config import load_config
from agent.errors import Refused, Rejected, UsageError
from agent.model.outcome import Result
from agent.store.store import Store
from tests.unit.live.served import served

DEFINITION = """
platform: mill
version: v1
format: 1
auth: {token: {header: Authorization, value: "Bearer ${secret.token}"}}
errors: {code: code, message: message}
kinds:
  Hall:
    key: name
    id: id
    list: {request: GET /halls}
  Machine:
    scope: {hall: Hall}
    key: name
    unique: false
    id: id
    list: {request: "GET /halls/{hall}/machines"}
    get: {request: "GET /halls/{hall}/machines/{id}"}
    actions:
      start:
        request: POST /machines/{id}/start
        args: {speed: {type: integer}}
        body: {speed: "${args.speed}"}
        result: job
      stop: {request: "POST /machines/{id}/stop", careful: the belt is emptied by hand afterwards}
      guess: {request: "POST /machines/{id}/guess", unverified: nobody printed it}
      look: {request: "GET /machines/{id}/look", result: seen}
    logs:
      request: "GET /machines/{id}/log?tail={args.tail}"
      args: {tail: {type: integer}}
      lines: lines
      line: {time: at, text: text}
      every: 1s
  Belt:
    scope: {hall: Hall}
    key: name
    list: {request: "GET /halls/{hall}/belts"}
    logs: {websocket: "/belts/{name}/log", lines: "[@]", line: {text: text}}
  Gauge:
    scope: {hall: Hall, machine: Machine}
    key: name
    list: {request: "GET /halls/{hall}/gauges"}
    metrics:
      request: "GET /gauges/{name}?machine={machine.id}&for={args.duration}"
      args: {duration: {type: integer}}
      series: series
      points: "points[].{time: t, value: v}"
      labels: {gauge: name}
queries:
  tariff: {request: "GET /tariff?day={args.day}", args: {day: {type: string}}, result: price}
"""
CONFIG = """
apiVersion: datakeel/v1
source: {path: repo}
state: state.db
schemas: [schemas]
targets:
  plant:
    platform: mill/v1
    server: %s
    credentials: {token: {env: MILL_TOKEN}}
    folder: manifests
    defaults: {hall: north}
    budget: off
"""
MACHINES = [{"id": "m1", "name": "saw", "hall": "north"}, {"id": "m2", "name": "press", "hall": "north"}]


class Mill:
    """The platform: what it was asked, and what it answers to an action."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.refuses: int | None = None
        self.loses = False

    def routes(self) -> list[Any]:
        return [
            Route("/halls/north/machines", self._machines),
            Route("/halls/{hall}/machines/{id}", self._machine),
            Route("/machines/{id}/log", self._log),
            Route("/machines/{id}/{action}", self._act, methods=["GET", "POST"]),
            Route("/gauges/{name}", self._gauge),
            Route("/tariff", self._tariff),
            WebSocketRoute("/belts/{name}/log", self._follow),
        ]

    async def _machines(self, request: Request) -> Response:
        return JSONResponse(MACHINES)

    async def _machine(self, request: Request) -> Response:
        return JSONResponse(next(each for each in MACHINES if each["id"] == request.path_params["id"]))

    async def _act(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append((f"{request.method} {request.url.path}", json.loads(body) if body else None))
        if self.loses:
            return Response("<html>", 502, media_type="text/html")
        if self.refuses is not None:
            return JSONResponse({"code": "NO", "message": "not\u001b now"}, self.refuses)
        return JSONResponse({"job": {"id": 7}, "seen": "sawdust\nand \u001b[2Joil"})

    async def _log(self, request: Request) -> Response:
        tail = int(request.query_params.get("tail", 3))
        return JSONResponse({"lines": [{"at": str(number), "text": f"cut {number}"} for number in range(3)][-tail:]})

    async def _gauge(self, request: Request) -> Response:
        self.seen.append((str(request.url.query), None))
        names = [request.path_params["name"], "other"]
        return JSONResponse({"series": [{"name": name, "points": [{"t": 5, "v": 1.5}]} for name in names]})

    async def _tariff(self, request: Request) -> Response:
        return JSONResponse({"price": {"day": request.query_params["day"], "cents": 12.50}})

    async def _follow(self, socket: WebSocket) -> None:
        await socket.accept()
        for number in range(3):
            await socket.send_text(json.dumps({"text": f"bag {number}"}))
        await socket.close(1000)


@asynccontextmanager
async def plant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Mill, Any]]:
    monkeypatch.setenv("MILL_TOKEN", "mill-token-of-the-tests")
    repository = folder / "repo" / "manifests"
    repository.mkdir(parents=True)
    (repository / "README").write_text("no machine is made here\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *words], cwd=folder / "repo", check=True)
    (folder / "schemas" / "mill").mkdir(parents=True)
    (folder / "schemas" / "mill" / "platform.yaml").write_text(DEFINITION)
    mill = Mill()
    async with served(*mill.routes()) as origin:
        (folder / "datakeel.yaml").write_text(CONFIG % origin)
        yield mill, load_config(folder / "datakeel.yaml", {"MILL_TOKEN": "x"}, folder)


def asked(text: str, *args: str, **words: Any) -> Asked:
    return Asked(Selector.parse(text), args=args, **words)


def never(why: str) -> bool:
    raise AssertionError(why)


def journal(folder: Path) -> list[tuple[Any, ...]]:
    store = Store.open(f"sqlite:///{folder / 'state.db'}", clock=SystemClock(), write=False)
    try:
        return store.query("SELECT action, path, result FROM journal ORDER BY number", {})
    finally:
        store.close()


async def test_an_action_is_journalled_sent_and_its_result_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        answer = await asking.run_action(config, Options(), asked("Machine/saw", "speed=3"), "start", confirm=never)
        assert (answer.result, answer.value, answer.key.path) == (Result.DONE, {"id": 7}, "Machine/north/saw")
        assert mill.seen == [("POST /machines/m1/start", {"speed": 3})]
    assert journal(tmp_path) == [("act:start", "/machines/{id}/start", "done")]
    assert act._text(answer) == "ok  start  Machine/saw\nid: 7\n"


async def test_a_refused_action_ends_with_the_platforms_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        mill.refuses = 400
        answer = await asking.run_action(config, Options(), asked("Machine/north/press"), "start", confirm=never)
    assert act._text(answer) == "failed  start  Machine/press  400 action `start` was refused: not\\u001b now\n"
    assert json.loads(act._json(answer))["outcome"] == "not_done"


async def test_a_lost_answer_bars_the_object_until_a_person_has_settled_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        mill.loses = True
        answer = await asking.run_action(config, Options(), asked("Machine/saw"), "start", confirm=never)
        assert answer.result is Result.UNKNOWN and "not sent again" in answer.message
        mill.loses = False
        for _ in range(2):
            with pytest.raises(Refused, match="--forget") as caught:
                await asking.run_action(config, Options(), asked("Machine/saw"), "start", confirm=never)
            assert caught.value.error_code == "action-open"
        assert len(mill.seen) == 1
        settled = await asking.forget_action(config, Options(), asked("Machine/saw"), "start")
        assert settled.message == "settled; nothing was sent" and len(mill.seen) == 1
        with pytest.raises(UsageError, match="in doubt"):
            await asking.forget_action(config, Options(), asked("Machine/saw"), "start")
        await asking.run_action(config, Options(), asked("Machine/saw"), "start", confirm=never)
        assert len(mill.seen) == 2
    assert [row[2] for row in journal(tmp_path)] == ["unknown", "done"]


async def test_a_dangerous_action_is_asked_about_and_an_unproved_one_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        with pytest.raises(Refused) as caught:
            await asking.run_action(config, Options(), asked("Machine/saw"), "stop", confirm=lambda why: False)
        assert caught.value.error_code == "not-confirmed"
        with pytest.raises(Refused) as caught:
            await asking.run_action(config, Options(), asked("Machine/saw"), "guess", confirm=never)
        assert (caught.value.error_code, mill.seen) == ("unverified", [])
        why: list[str] = []

        def yes(text: str) -> bool:
            why.append(text)
            return True

        await asking.run_action(config, Options(), asked("Machine/saw"), "stop", confirm=yes)
        assert why == ["the belt is emptied by hand afterwards"]
        assert mill.seen == [("POST /machines/m1/stop", None)]


async def test_an_action_that_reads_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (_, config):
        answer = await asking.run_action(config, Options(), asked("Machine/saw"), "look", confirm=never)
        assert not (tmp_path / "state.db").exists()
    assert act._text(answer) == "ok  look  Machine/saw\nsawdust\nand \\x1b[2Joil\n"


async def test_what_is_named_wrongly_is_a_mistake_of_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        for what, action, told in (
            ("Machine/saw", "strat", "no action `strat`"),
            ("Machin/saw", "start", "no target has a kind Machin"),
            ("Machine/a/b/saw", "start", "too many names"),
        ):
            with pytest.raises(UsageError, match=told):
                await asking.run_action(config, Options(), asked(what), action, confirm=never)
        with pytest.raises(UsageError, match="whole number"):
            await asking.run_action(config, Options(), asked("Machine/saw", "speed=fast"), "start", confirm=never)
        assert mill.seen == []


async def test_a_query_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (_, config):
        price = await asking.run_query(config, Options(), "tariff", ["day=may"])
        assert price == {"day": "may", "cents": Decimal("12.5")}
        with pytest.raises(UsageError) as caught:
            await asking.run_query(config, Options(), "tarif", [])
        assert caught.value.fix == "did you mean `tariff`?"


async def test_series_are_those_of_an_object_or_of_what_stands_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        series = await asking.fetch_series(config, Options(), asked("Machine/saw"), "heat", period="2h")
        assert [one.labels["gauge"] for one in series] == ["heat", "other"]
        assert mill.seen == [("machine=m1&for=7200", None)]
        gauge = asked("Gauge/heat", where=("machine=saw",))
        assert len(await asking.fetch_series(config, Options(), gauge, "other")) == 1
        with pytest.raises(UsageError, match="no series is labelled cold"):
            await asking.fetch_series(config, Options(), gauge, "cold")
        with pytest.raises(UsageError, match="which metric"):
            await asking.fetch_series(config, Options(), asked("Machine/saw"), None)
        with pytest.raises(UsageError, match="no metrics"):
            await asking.fetch_series(config, Options(), asked("Belt/long"), "x")
        with pytest.raises(UsageError, match="no resolution"):
            await asking.fetch_series(config, Options(), gauge, None, resolution="60")


async def logged(config: Any, what: str, **words: Any) -> list[str]:
    words = {"since": None, "tail": None, "follow": False, **words}
    return [line.text async for line in asking.fetch_logs(config, Options(), asked(what), **words)]


async def test_logs_are_polled_or_streamed_as_the_definition_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with plant(tmp_path, monkeypatch) as (_, config):
        assert await logged(config, "Machine/saw") == ["cut 0", "cut 1", "cut 2"]
        assert await logged(config, "Machine/saw", tail=1) == ["cut 2"]
        assert await logged(config, "Belt/long") == ["bag 0", "bag 1", "bag 2"]
        assert await logged(config, "Belt/long", tail=2) == ["bag 1", "bag 2"]
        assert await logged(config, "Belt/long", follow=True) == ["bag 0", "bag 1", "bag 2"]
        assert capsys.readouterr().err == "the platform ended the log\n"
        with pytest.raises(UsageError, match="from a moment"):
            await logged(config, "Belt/long", since="1h")
        with pytest.raises(UsageError, match="has no logs"):
            await logged(config, "Hall/north")


async def test_a_polled_log_is_followed_until_one_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (_, config):
        lines = asking.fetch_logs(config, Options(), asked("Machine/saw"), since=None, tail=None, follow=True)
        async with asyncio.timeout(10):
            assert [(await anext(lines)).text for _ in range(3)] == ["cut 0", "cut 1", "cut 2"]
        await lines.aclose()


async def test_a_platform_that_refuses_is_told_as_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        mill.refuses = 400
        with pytest.raises(Rejected, match="not"):
            await asking.run_action(config, Options(), asked("Machine/saw"), "look", confirm=never)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["act", "Machine", "start"], "one resource is needed"),
        (["act", "Machine/saw"], "ACTION"),
        (["metrics", "!Machine/saw"], "one resource is needed"),
        (["query"], "NAME"),
    ],
)
def test_words_that_name_nothing_are_refused(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 64
    assert told.lower() in capsys.readouterr().err.lower()
