"""Logs: what the parameters select, and the stream."""

from __future__ import annotations

import json

import pytest

from tests.unit.sandbox.support import Sandbox

URL = "/v1/resources/workflow/daily-etl/logs?workspace=analytics"


@pytest.fixture
async def sandbox() -> Sandbox:
    sandbox = Sandbox()
    await sandbox.create()
    return sandbox


async def messages(sandbox: Sandbox, query: str = "") -> list[str]:
    answer = await sandbox.client.get(URL + query)
    assert answer.status_code == 200
    return [line["message"] for line in answer.json()["logs"]]


async def test_since_leaves_out_older_lines(sandbox):
    sandbox.clock.at += 59
    assert await messages(sandbox) == ["Workflow started"]
    sandbox.clock.at += 1
    assert await messages(sandbox) == ["Workflow started", "Task completed successfully"]
    assert await messages(sandbox, "&since=1m") == ["Task completed successfully"]
    assert await messages(sandbox, "&since=1h") == ["Workflow started", "Task completed successfully"]


async def test_tail_is_a_number_of_newest_lines(sandbox):
    sandbox.clock.at += 1000
    everything = await messages(sandbox)
    assert len(everything) == 8
    assert await messages(sandbox, "&tail=3") == everything[-3:]
    assert await messages(sandbox, "&tail=0") == []
    assert await messages(sandbox, "&tail=99") == everything


async def test_a_failed_resource_logs_an_error_and_stops():
    sandbox = Sandbox(switches={"fail_names": ("daily-etl",)})
    await sandbox.create()
    sandbox.clock.at += 1000
    answer = await sandbox.client.get(URL)
    assert [line["level"] for line in answer.json()["logs"]] == ["INFO", "ERROR"]


@pytest.mark.parametrize("query", ["&since=yesterday", "&since=1w", "&tail=-1", "&tail=x", "&follow=perhaps"])
async def test_a_parameter_that_cannot_be_read_is_refused(sandbox, query):
    assert (await sandbox.client.get(URL + query)).status_code == 400


async def test_logs_of_nothing_are_not_found(sandbox):
    assert (await sandbox.client.get("/v1/resources/workflow/other/logs")).status_code == 404


async def test_at_most_a_thousand_lines_are_told(sandbox):
    sandbox.clock.at += 300 * 10_000
    assert len(await messages(sandbox)) == 1000


async def test_follow_streams_a_line_of_json_for_each_until_the_resource_is_gone(sandbox):
    received = []
    async with sandbox.client.stream("GET", URL + "&follow=true&tail=1") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        async for line in answer.aiter_lines():
            received.append(json.loads(line)["message"])
            if len(received) == 1:
                sandbox.world.platforms["dataos"].write_log("workflow", "daily-etl", "by hand", workspace="analytics")
            if len(received) == 4:
                sandbox.world.person_delete("workflow", "daily-etl", workspace="analytics")
    assert received[0] == "Workflow started"
    assert "Task completed successfully" in received


async def test_follow_ends_when_the_server_closes(sandbox):
    async with sandbox.client.stream("GET", URL + "&follow=true") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        sandbox.world.closing = True
        rest = [line async for line in lines]
    assert len(rest) <= 2


async def test_follow_ends_when_the_client_leaves(sandbox):
    async with sandbox.client.stream("GET", URL + "&follow=true") as answer:
        await anext(answer.aiter_lines())
    before = sandbox.clock.at
    for _ in range(20):
        await sandbox.client.get("/v1/workspaces")
    assert sandbox.clock.at < before + 20
