"""Faults: which requests meet them, what is sent, and whether the change stands."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from agent.sandbox import NAMED, ConnectionLost, Rule
from agent.sandbox.faults import ACTIONS, read_rules
from tests.unit.sandbox.support import WORKFLOW, Sandbox, error_code

URL = "/v1/resources/workflow/daily-etl?workspace=analytics"


@pytest.fixture
async def sandbox() -> Sandbox:
    sandbox = Sandbox()
    for number in range(3):
        await sandbox.create(name=f"n{number}")
    return sandbox


@pytest.mark.parametrize(
    ("fault", "status", "commits"),
    [
        ("server-error", 500, 0),
        ("server-error-after", 500, 1),
        ("unavailable", 503, 0),
        ("request-timeout", 408, 0),
        ("html", 200, 0),
        ("html-after", 200, 1),
        ("not-found", 404, 0),
        ("forbidden", 403, 0),
        ("unauthorized", 401, 0),
        ("rate-limited", 429, 0),
        ("redirect", 307, 0),
        ("reset", None, 0),
        ("answer-lost", None, 1),
    ],
)
async def test_a_write_has_its_effect_only_if_the_fault_comes_after_it(sandbox, fault, status, commits):
    sandbox.world.faults.add({"fault": fault, "method": "POST", "times": 1})
    before = len(sandbox.world.commits)
    if status is None:
        with pytest.raises(httpx.ReadError):
            await sandbox.create()
    else:
        assert (await sandbox.create()).status_code == status
    assert len(sandbox.world.commits) - before == commits
    assert (await sandbox.create()).status_code == (409 if commits else 201)


async def test_a_stand_in_answer_speaks_the_platforms_own_words(sandbox):
    sandbox.world.faults.add({"fault": "rate-limited"})
    answer = await sandbox.client.get(URL)
    assert answer.json()["error"] == {
        "code": "RATE_LIMIT_EXCEEDED",
        "message": "Rate limit exceeded. Retry after 5 seconds.",
        "retry_after": 5,
    }
    sandbox.world.faults.replace([{"fault": "not-found"}])
    answer = await sandbox.client.get("/v1/resources/workflow/n0?workspace=analytics")
    assert error_code(answer) == "RESOURCE_NOT_FOUND" and answer.json()["error"]["details"]["name"] == "n0"
    sandbox.world.faults.replace([{"fault": "redirect"}])
    assert (await sandbox.client.get(URL)).headers["location"] == "https://other.example.com/v1"


@pytest.mark.parametrize(
    ("fault", "names", "total"),
    [
        ("short-list", ["n0"], 3),
        ("empty-list", [], 0),
        ("wrong-total", ["n0", "n1", "n2"], 10),
        ("duplicated-row", ["n0", "n1", "n2", "n0"], 3),
    ],
)
async def test_a_list_can_be_wrong_in_rows_and_total(sandbox, fault, names, total):
    sandbox.world.faults.add({"fault": fault})
    answer = (await sandbox.client.get("/v1/resources")).json()
    assert [row["name"] for row in answer["data"]] == names and answer["meta"]["total"] == total


async def test_a_shifted_page_skips_a_row_that_no_page_shows(sandbox):
    sandbox.world.faults.add({"fault": "shifted-page"})
    seen = []
    for offset in range(3):
        page = (await sandbox.client.get(f"/v1/resources?limit=1&offset={offset}")).json()
        seen += [row["name"] for row in page["data"]]
    assert seen == ["n0", "n2"]


async def test_null_rows_and_another_identity_stand_in_the_body(sandbox):
    sandbox.world.faults.add({"fault": "null-rows", "path": "/v1/resources"})
    assert (await sandbox.client.get("/v1/resources")).json()["data"] is None
    sandbox.world.faults.replace([{"fault": "other-identity"}, {"fault": "other-workspace"}])
    shown = (await sandbox.client.get("/v1/resources/workflow/n0?workspace=analytics")).json()
    assert (shown["name"], shown["workspace"]) == ("someone-elses", "elsewhere")
    assert (await sandbox.client.get("/v1/resources/workflow/none")).status_code == 404


async def test_json_can_repeat_a_key_or_be_broken(sandbox):
    sandbox.world.faults.add({"fault": "duplicate-keys"})
    assert (await sandbox.client.get("/v1/resources")).text.startswith('{"name":"first","name":"second","data"')
    sandbox.world.faults.replace([{"fault": "broken-json"}])
    with pytest.raises(ValueError):
        (await sandbox.client.get("/v1/resources")).json()


async def test_a_member_can_be_removed(sandbox):
    sandbox.world.faults.add({"do": "remove", "at": "/meta/total"})
    assert (await sandbox.client.get("/v1/resources")).json()["meta"] == {"limit": 20, "offset": 0}


async def test_a_filter_can_be_ignored(sandbox):
    sandbox.world.faults.add({"fault": "filter-ignored"})
    assert (await sandbox.client.get("/v1/resources?type=depot&workspace=x")).json()["meta"]["total"] == 3


async def test_a_cut_body_ends_in_a_lost_connection(sandbox):
    sandbox.world.faults.add({"fault": "cut"})
    received = b""
    with pytest.raises(httpx.ReadError):
        async with sandbox.client.stream("GET", "/v1/resources") as answer:
            async for chunk in answer.aiter_raw():
                received += chunk
    assert 0 < len(received) < int(answer.headers["content-length"])


async def test_a_drip_takes_a_second_a_byte(sandbox):
    sandbox.world.faults.add({"fault": "drip"})
    before = sandbox.clock.at
    answer = await sandbox.client.get("/v1/resources/workflow/n0?workspace=analytics")
    assert answer.json()["name"] == "n0"
    assert sandbox.clock.at - before == len(answer.content)


async def test_a_delay_before_holds_the_effect_back_and_one_after_only_the_answer(sandbox):
    sandbox.world.faults.add({"fault": "slow", "method": "POST"})
    before = sandbox.clock.at
    await sandbox.create()
    assert sandbox.world.commits[-1].time == before + 60
    sandbox.world.faults.replace([{"fault": "late", "method": "POST"}])
    before = sandbox.clock.at
    await sandbox.create(name="other")
    assert sandbox.world.commits[-1].time == before and sandbox.clock.at == before + 60


async def test_a_request_runs_to_its_end_after_its_client_has_left(sandbox):
    class Gate:
        def __init__(self) -> None:
            self.open = asyncio.Event()

        def now(self) -> float:
            return sandbox.clock.at

        async def sleep(self, seconds: float) -> None:
            await self.open.wait()

    gate = sandbox.world.clock = Gate()
    sandbox.world.faults.add({"fault": "slow", "method": "POST"})
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(sandbox.create(), 0.01)
    assert len(sandbox.world.commits) == 3
    gate.open.set()
    await asyncio.sleep(0.01)
    assert len(sandbox.world.commits) == 4


async def test_a_stale_read_shows_what_was(sandbox):
    sandbox.clock.at += 100
    sandbox.world.person_edit("workflow", "n0", {"description": "new"}, workspace="analytics")
    sandbox.clock.at += 29.5
    sandbox.world.faults.add({"fault": "stale", "path": "/v1/resources/workflow/*"})
    assert (await sandbox.shown("n0"))["description"] == "Daily ETL pipeline"
    sandbox.clock.at += 0.5
    assert (await sandbox.shown("n0"))["description"] == "new"


async def test_calls_times_method_path_and_agent_choose_the_requests(sandbox):
    sandbox.world.faults.add(
        {
            "fault": "server-error",
            "calls": [2, 3],
            "times": 1,
            "path": "/v1/resources",
            "method": "GET",
            "agent": "tests",
        }
    )

    async def statuses(path: str, client: httpx.AsyncClient) -> list[int]:
        return [(await client.get(path)).status_code for _ in range(4)]

    assert await statuses("/v1/workspaces", sandbox.client) == [200] * 4
    assert await statuses("/v1/resources", sandbox.client_with("test-token", agent="other")) == [200] * 4
    assert await statuses("/v1/resources", sandbox.client) == [200, 500, 200, 200]


async def test_probability_is_drawn_from_the_seed():
    async def played(seed: int) -> list[int]:
        sandbox = Sandbox(seed=seed, faults=[{"fault": "forbidden", "probability": 0.5}])
        return [(await sandbox.client.get("/v1/resources")).status_code for _ in range(30)]

    assert await played(1) == await played(1) != await played(2)
    assert {200, 403} == set(await played(1))


async def test_what_was_played_is_written_down_with_its_label(sandbox):
    sandbox.world.faults.add({"fault": "server-error", "label": "A15"}, Rule(do="delay", seconds=1, after=True))
    await sandbox.client.get(URL)
    assert [each.label for each in sandbox.world.faults.played] == ["A15", "delay"]
    assert sandbox.world.requests[-1].fault == "A15,delay"


async def test_a_simulation_may_choose_the_rules_itself(sandbox):
    sandbox.world.faults.choose = lambda request: [Rule(do="answer", status=500)] if request.method == "GET" else []
    assert (await sandbox.client.get(URL)).status_code == 500
    assert (await sandbox.create()).status_code == 201


async def test_without_a_transport_of_its_own_a_lost_connection_is_an_exception(sandbox):
    sandbox.world.faults.add({"fault": "answer-lost"})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app), base_url="http://x", headers=sandbox.client.headers
    ) as client:
        with pytest.raises(ConnectionLost) as lost:
            await client.post("/v1/resources", json=WORKFLOW)
    assert lost.value.committed
    assert sandbox.world.requests[-1].status == 0


@pytest.mark.parametrize(
    "document",
    [{"fault": "no-such"}, {"do": "explode"}, {}, {"do": "reset", "methods": ["GET"]}, {"fault": "cut", "wen": 1}],
)
def test_an_unknown_word_is_refused(document):
    with pytest.raises(ValueError):
        read_rules(document)


def test_replacing_with_a_wrong_rule_changes_nothing(sandbox):
    sandbox.world.faults.add({"fault": "reset"})
    with pytest.raises(ValueError):
        sandbox.world.faults.replace([{"fault": "cut"}, {"fault": "no-such"}])
    assert [rule.label for rule in sandbox.world.faults.rules] == ["reset"]


def test_every_named_fault_reads_and_every_action_is_used_by_name_or_here():
    used = {rule.do for name in NAMED for rule in read_rules({"fault": name})}
    assert used | {"remove"} == ACTIONS
