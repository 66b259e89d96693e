"""Actions, queries and series: what is asked for, what is found out first, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgpack
import pytest

from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.load import load_folder
from agent.definitions.platform import ActionRule, Kind, Platform
from agent.errors import Forbidden, LiveError, NotFound, Rejected, Unintelligible
from agent.live.actions import Point, Subject, ask, only_reads, prepare, result_of, series_of, subject_of
from agent.live.api import WriteApi
from agent.model.identity import Key
from tests.unit.live.made_up import KEY, RESOURCE, TOKEN, Answers, VirtualClock, api_of, with_kind

DEFINITIONS = Path(__file__).parents[2] / "platforms" / "definitions"
RUN = ActionRule("run", "POST", PathTemplate("/resources/{with.type}/{name}/run?workspace={workspace}"))


def definition(name: str) -> Platform:
    return load_folder(DEFINITIONS / name, bundled=True, search=[DEFINITIONS])


def answered(value: Any, status: int = 200, content_type: str = "application/json") -> httpx.Response:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return httpx.Response(status, headers={"content-type": content_type}, stream=httpx.ByteStream(body))


def by_path(routes: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        for start, value in routes.items():
            if path.startswith(start):
                return value if isinstance(value, httpx.Response) else answered(value)
        return answered({"error": {"code": "RESOURCE_NOT_FOUND", "message": path}}, 404)

    return answer


# ---- what is sent


async def test_an_action_is_the_very_call_that_the_definition_describes() -> None:
    wire = Answers(lambda request: answered({"run": 5}))
    api: WriteApi = api_of(wire)
    rule = replace(RUN, body=Template({"by": "${target}", "uid": "${uid}", "n": "${args.n}", "s": "${secret.token}"}))
    prepared = prepare(api, rule, {"n": 3}, Subject(RESOURCE, KEY))
    assert prepared.reading.writes and not prepared.reads
    reply = await api.send(prepared)
    assert (reply.answer, reply.landed, result_of(rule, reply)) == ("ok", "yes", {"run": 5})
    assert wire.sent == [("POST", "/v1/resources/workflow/daily/run?workspace=analytics")]
    body = json.loads(wire.requests[0].extensions["body"])
    assert body == {"by": "target", "uid": body["uid"], "n": 3, "s": TOKEN}
    assert TOKEN not in repr(prepared)


async def test_a_body_without_its_credential_is_not_sent() -> None:
    wire = Answers(lambda request: answered({}))
    api: WriteApi = api_of(wire)
    prepared = prepare(api, replace(RUN, body=Template({"token": "${secret.trigger}"})), {}, Subject(RESOURCE, KEY))
    assert "credential `trigger`" in prepared.refusal
    reply = await api.send(prepared)
    assert (reply.answer, reply.landed, wire.sent) == ("invalid", "no", [])


async def test_the_answer_to_an_action_is_not_taken_for_the_object() -> None:
    api: WriteApi = api_of(lambda request: answered({"name": "another"}))
    assert (await api.send(prepare(api, RUN, {}, Subject(RESOURCE, KEY)))).answer == "ok"


async def test_a_lost_answer_to_an_action_is_unknown_and_it_is_not_sent_again() -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    wire = Answers(lost)
    api: WriteApi = api_of(wire)
    reply = await api.send(prepare(api, RUN, {}, Subject(RESOURCE, KEY)))
    assert (reply.answer, reply.landed, len(wire.requests)) == ("broken", "unknown", 1)


async def test_an_action_that_changes_something_is_not_sent_as_a_read() -> None:
    wire = Answers(lambda request: answered({}))
    with pytest.raises(Rejected, match="not sent as a read"):
        await ask(api_of(wire), RUN, {}, Subject(RESOURCE, KEY))
    assert wire.sent == []


@pytest.mark.parametrize(
    ("rule", "reads"),
    [
        (RUN, False),
        (replace(RUN, method="GET"), True),
        (replace(RUN, reads=True), True),
        (replace(RUN, method="DELETE"), False),
    ],
)
def test_only_what_says_so_reads(rule: ActionRule, reads: bool) -> None:
    assert only_reads(rule) is reads


async def test_a_call_that_cannot_be_built_is_refused_and_not_sent() -> None:
    wire = Answers(lambda request: answered({}))
    api: WriteApi = api_of(wire)
    rule = replace(RUN, request=PathTemplate("/things/{id}/run"))
    prepared = prepare(api, rule, {}, Subject(RESOURCE, KEY))
    assert "has no value" in prepared.refusal
    assert (await api.send(prepared)).landed == "no"
    prepared = prepare(api, RUN, {}, Subject(RESOURCE, KEY._replace(name="..")))
    assert prepared.refusal and wire.sent == []


async def test_a_body_of_one_missing_argument_is_no_body() -> None:
    orchard = definition("orchard")
    prune = orchard.kinds["Tree"].actions["prune"]
    subject = Subject(orchard.kinds["Tree"], Key("t", "Tree", (("orchard", "west"),), "oak"), "7")
    api = api_of(
        None,
        platform=orchard,
        server="https://o.example",
        settings={"region": "north"},
        credentials={"accessKey": lambda: None},
    )
    assert prepare(api, prune, {}, subject).body is None
    assert prepare(api, prune, {"share": "AP8="}, subject).body == b"\x00\xff"
    assert prepare(api, prune, {}, subject).target == "/north/api/orchards/west/trees/7/prune"


# ---- queries


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (msgpack.packb({"data": [{"name": "a"}]}), "application/x-msgpack"),
        (b'{"data": [{"name": "a"}]}', "application/x-msgpack"),
        (b'{"data": [{"name": "a"}]}', "application/json"),
    ],
)
async def test_a_query_is_read_in_either_format_and_tried_again_like_any_read(body: bytes, content_type: str) -> None:
    studio = definition("datachain-studio")
    answers = iter([answered(b"", 503), answered(body, content_type=content_type)])
    wire = Answers(lambda request: next(answers))
    async with VirtualClock().running() as clock:
        api = api_of(wire, platform=studio, settings={"team": "blue"}, writable=False, clock=clock)
        assert await ask(api, studio.queries["ls"], {"source": "s3://x"}) == [{"name": "a"}]
    assert wire.sent == [("POST", "/api/datachain/ls")] * 2
    assert wire.requests[0].headers["accept"] == "application/msgpack, application/json"
    assert json.loads(wire.requests[0].extensions["body"]) == {"source": "s3://x", "team_name": "blue"}


async def test_a_refused_query_is_an_error_of_its_kind() -> None:
    rule = ActionRule("me", "GET", PathTemplate("/me"))
    with pytest.raises(Forbidden):
        await ask(api_of(lambda request: answered({"error": {"code": "X"}}, 403)), rule, {})


# ---- what must be known first


KIND: Kind = replace(RESOURCE, id=Expression("id"), unique=False)
ROWS = {
    "data": [
        {"name": "daily", "id": "7", "status": "active"},
        {"name": "other", "id": "8", "status": "active"},
    ],
    "meta": {"total": 2},
}
BY_ID = replace(RUN, request=PathTemplate("/things/{id}/run"))


async def test_nothing_is_looked_up_that_the_call_does_not_name() -> None:
    wire = Answers(by_path({}))
    subject = await subject_of(api_of(wire), KIND, KEY, RUN)
    assert (subject, wire.sent) == (Subject(KIND, KEY), [])
    assert (await subject_of(api_of(wire), KIND, KEY, BY_ID, "5")).server_id == "5" and wire.sent == []


async def test_an_id_is_found_in_the_list() -> None:
    api = api_of(by_path({"/v1/resources?": ROWS}), platform=with_kind(KIND))
    assert (await subject_of(api, KIND, KEY, BY_ID)).server_id == "7"


async def test_two_objects_of_one_name_are_not_chosen_between() -> None:
    rows = {"data": [{"name": "daily", "id": "7"}, {"name": "daily", "id": "8"}], "meta": {"total": 2}}
    api = api_of(by_path({"/v1/resources?": rows}), platform=with_kind(KIND))
    with pytest.raises(LiveError, match="2 objects are named Workflow/daily: 7, 8") as caught:
        await subject_of(api, KIND, KEY, BY_ID)
    assert "--id" in str(caught.value.fix)


async def test_an_object_that_is_not_there_is_told_apart_from_a_list_that_is_not_whole() -> None:
    api = api_of(by_path({"/v1/resources?": {"data": [], "meta": {"total": 0}}}), platform=with_kind(KIND))
    with pytest.raises(NotFound):
        await subject_of(api, KIND, KEY, BY_ID)
    api = api_of(by_path({"/v1/resources?": answered({"error": {"code": "X"}}, 403)}), platform=with_kind(KIND))
    with pytest.raises(LiveError, match="not whole"):
        await subject_of(api, KIND, KEY, BY_ID)


async def test_the_live_object_is_read_for_a_condition_or_a_word_of_it() -> None:
    live = {"name": "daily", "id": "7", "status": "active", "rev": 4}
    for rule in (replace(RUN, done=Expression("status == 'ran'")), replace(RUN, body=Template("${live.rev}"))):
        wire = Answers(by_path({"/v1/resources/workflow/daily": live}))
        subject = await subject_of(api_of(wire, platform=with_kind(KIND)), KIND, KEY, rule)
        assert (subject.live, subject.server_id, len(wire.sent)) == (live, "7", 1)


# ---- series


def loop_api(routes: dict[str, Any]) -> tuple[Any, Platform, Answers]:
    platform = definition("dataloop")
    wire = Answers(by_path(routes))
    credentials: Any = {"apiKey": _token}
    api = api_of(wire, platform=platform, settings={"org": "acme"}, writable=False, credentials=credentials)
    return api, platform, wire


def _token() -> Any:
    from agent.secrets import Secret

    return Secret(TOKEN)


METRIC = Key("target", "Metric", (("account", "main"), ("agent", "web-1")), "base.cpu")
AGENTS = [{"id": "a-7", "name": "web-1", "presence_state": "online"}, {"id": "a-8", "name": "web-2"}]
SERIES = [
    {
        "uom": "%",
        "metric": {"name": "base.cpu"},
        "source": {"name": "web-1\u001b"},
        "points": [{"time": 200, "value": 2.5, "uom": "%"}, {"time": 100, "value": 1, "uom": "%"}],
    }
]


async def test_a_series_is_asked_for_by_the_id_of_its_parent() -> None:
    base = "/api/v1/orgs/acme/accounts/main"
    api, platform, wire = loop_api(
        {f"{base}/agents/a-7": AGENTS[0], f"{base}/agents": AGENTS, f"{base}/metrics/base.cpu/series": SERIES}
    )
    kind = platform.kinds["Metric"]
    assert kind.metrics is not None
    subject = await subject_of(api, kind, METRIC, kind.metrics)
    assert subject.parents == {"agent": AGENTS[0]}
    (series,) = await series_of(api, subject, {"resolution": 60, "duration": 3600, "end": 200})
    assert wire.sent[-1][1] == (
        f"{base}/metrics/base.cpu/series?source=a-7&resolution=60&period%5Bduration%5D=3600&period%5Bend%5D=200"
    )
    assert series.labels == {"metric": "base.cpu", "source": "web-1\\u001b"}
    assert series.points == (Point(100.0, Decimal(1), "%"), Point(200.0, Decimal("2.5"), "%"))


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_500, 1_700_000_000.5),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        ("yesterday", None),
        (True, None),
        (None, None),
        (10**40, None),
    ],
)
async def test_moments_are_read_in_the_forms_that_apis_use(time: Any, moment: float | None) -> None:
    api, platform, _ = loop_api({"/": [{"points": [{"time": time, "value": "x"}]}]})
    (series,) = await series_of(api, Subject(platform.kinds["Metric"], METRIC), {})
    assert series.points == (Point(moment, None),)


async def test_one_series_may_stand_alone_and_no_list_is_an_error() -> None:
    api, platform, _ = loop_api({"/": SERIES[0]})
    assert len(await series_of(api, Subject(platform.kinds["Metric"], METRIC), {})) == 1
    api, platform, _ = loop_api({"/": "nothing"})
    with pytest.raises(Unintelligible, match="no list of series"):
        await series_of(api, Subject(platform.kinds["Metric"], METRIC), {})
    with pytest.raises(LiveError, match="has no metrics"):
        await series_of(api, Subject(platform.kinds["Agent"], METRIC), {})
