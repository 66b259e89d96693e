"""The judge's view: commits, hooks, people, tokens, and what survives a restart."""

from __future__ import annotations

import json

import pytest

from agent.sandbox import Refusal
from agent.sandbox.world import duration_seconds
from tests.unit.sandbox.support import TOKEN, WORKFLOW, Sandbox


async def test_every_change_is_a_commit_with_before_after_agent_and_tags():
    sandbox = Sandbox()
    await sandbox.create()
    await sandbox.client.put(
        "/v1/resources/workflow/daily-etl?workspace=analytics", json={**WORKFLOW, "tags": ["datakeel.a/b"]}
    )
    await sandbox.client.delete("/v1/resources/workflow/daily-etl?workspace=analytics")
    created, updated, deleted = sandbox.world.commits
    assert [commit.number for commit in sandbox.world.commits] == [1, 2, 3]
    assert [commit.method for commit in sandbox.world.commits] == ["POST", "PUT", "DELETE"]
    assert {commit.agent for commit in sandbox.world.commits} == {"tests/1.0"}
    assert created.before is None and created.after["spec"]["workflow"] == WORKFLOW["workflow"]
    assert updated.before == created.after and updated.tags == ("datakeel.a/b",)
    assert deleted.before == updated.after and deleted.after is None and deleted.tags == ("datakeel.a/b",)
    assert (deleted.type, deleted.workspace, deleted.name) == ("workflow", "analytics", "daily-etl")
    assert [entry.commits for entry in sandbox.world.requests] == [(1,), (2,), (3,)]
    assert [commit.request for commit in sandbox.world.commits] == [1, 2, 3]


async def test_reads_and_refusals_commit_nothing():
    sandbox = Sandbox()
    await sandbox.client.get("/v1/resources")
    await sandbox.client.post("/v1/resources", json={})
    await sandbox.client.delete("/v1/resources/workflow/none")
    assert sandbox.world.commits == []


async def test_a_listener_sees_each_commit_and_may_end_the_request():
    sandbox = Sandbox()
    seen = []

    def judge(commit):
        seen.append(commit.name)
        assert commit.name != "forbidden", "never this one"

    sandbox.world.on_commit(judge)
    await sandbox.create()
    with pytest.raises(AssertionError, match="never this one"):
        await sandbox.create(name="forbidden")
    assert seen == ["daily-etl", "forbidden"]


def test_a_person_takes_the_same_way_past_limits_and_faults():
    sandbox = Sandbox(faults=[{"fault": "server-error"}])
    sandbox.world.person_create(WORKFLOW, person="ana")
    shown = sandbox.world.person_edit(
        "workflow", "daily-etl", {"description": None, "workflow": {"schedule": {"cron": "0 3 * * *"}}},
        workspace="analytics", person="bo",
    )  # fmt: skip
    assert "description" not in shown
    assert shown["spec"]["workflow"]["schedule"]["cron"] == "0 3 * * *"
    assert shown["spec"]["workflow"]["dag"] == WORKFLOW["workflow"]["dag"]
    sandbox.world.person_delete("workflow", "daily-etl", workspace="analytics", person="cy")
    assert [(commit.agent, commit.person, commit.request) for commit in sandbox.world.commits] == [
        ("ana", True, None), ("bo", True, None), ("cy", True, None),
    ]  # fmt: skip
    assert len(sandbox.world.requests) == 0


def test_a_person_is_held_to_the_same_checks():
    sandbox = Sandbox()
    for change in ({"name": "A_b"}, {"tags": 1}):
        with pytest.raises(Refusal):
            sandbox.world.person_create({**WORKFLOW, **change})
    with pytest.raises(Refusal):
        sandbox.world.person_delete("workflow", "none")
    assert sandbox.world.commits == []


async def test_everything_acknowledged_survives_a_restart(tmp_path):
    state = tmp_path / "state.db"
    first = Sandbox(state=state)
    await first.create()
    await first.create(name="second")
    await first.client.put("/v1/resources/workflow/daily-etl?workspace=analytics", json={**WORKFLOW, "tags": ["x"]})
    await first.client.post("/v1/workspaces", json={"name": "analytics"})
    await first.client.post("/v1/webhooks", json={"url": "http://127.0.0.1:9", "events": ["resource.created"]})
    first.world.switches.change({"delete_delay": 50.0})
    await first.client.delete("/v1/resources/workflow/second?workspace=analytics")
    token = first.world.create_token("1h", scopes=("read",)).value
    gone = first.world.create_token("1h").value
    first.world.revoke_token(gone)
    # No close: a kill leaves the file as it is.
    second = Sandbox(state=state)
    assert second.world.commits == first.world.commits
    assert second.world.resources() == first.world.resources()
    listed = (await second.client.get("/v1/resources")).json()["data"]
    assert [row["name"] for row in listed] == ["daily-etl", "second"]
    assert (await second.client.get("/v1/workspaces")).json()["meta"]["total"] == 2
    assert (await second.client.get("/v1/webhooks")).json()["meta"]["total"] == 1
    assert (await second.client_with(token).get("/v1/resources")).status_code == 200
    assert (await second.client_with(token).post("/v1/resources", json=WORKFLOW)).status_code == 403
    assert (await second.client_with(gone).get("/v1/resources")).status_code == 401
    second.clock.at += 50
    assert (await second.client.get("/v1/resources")).json()["meta"]["total"] == 1
    await second.create(name="third")
    assert second.world.commits[-1].number == len(first.world.commits) + 1
    first.world.close()
    second.world.close()


async def test_a_fault_after_the_commit_leaves_it_durable(tmp_path):
    first = Sandbox(state=tmp_path / "state.db", faults=[{"fault": "server-error-after"}])
    assert (await first.create()).status_code == 500
    first.world.close()
    second = Sandbox(state=tmp_path / "state.db")
    assert len(second.world.resources()) == 1
    second.world.close()


async def test_the_request_log_has_a_line_of_json_for_each_request_and_no_credential(tmp_path):
    log = tmp_path / "folder" / "requests.jsonl"
    sandbox = Sandbox(requests_log=log, keep=1)
    await sandbox.create()
    await sandbox.client.get("/v1/resources?type=a%2Fb&limit=1")
    sandbox.world.close()
    created, listed = [json.loads(line) for line in log.read_text().splitlines()]
    assert created["method"] == "POST" and created["status"] == 201 and created["commits"] == [1]
    assert json.loads(created["body"])["name"] == "daily-etl"
    assert (listed["path"], listed["query"], listed["agent"]) == (
        "/v1/resources", "type=a%2Fb&limit=1", "tests/1.0",
    )  # fmt: skip
    assert TOKEN not in log.read_text()
    assert [entry.method for entry in sandbox.world.requests] == ["GET"]


async def test_the_log_in_memory_slices_and_clears():
    sandbox = Sandbox()
    for _ in range(3):
        await sandbox.client.get("/v1/workspaces")
    assert [entry.number for entry in sandbox.world.requests[1:]] == [2, 3]
    sandbox.world.requests.clear()
    assert len(sandbox.world.requests) == 0


async def test_several_platforms_stand_below_their_names():
    sandbox = Sandbox(platform=["dataos"])
    assert (await sandbox.client.get("/dataos/v1/resources")).status_code == 200
    assert (await sandbox.client.get("/v1/resources")).status_code == 404
    assert sandbox.world.requests[0].path == "/dataos/v1/resources"


def test_an_unknown_platform_or_switch_is_refused():
    for options in ({"platform": "other"}, {"switches": {"readyafter": 1}}, {"switches": {"server_tags": 1}}):
        with pytest.raises(ValueError):
            Sandbox(**options)


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("1h", 3600), ("1d", 86400), ("720h", 2592000)]
)
def test_durations_are_read(text, seconds):
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1w", "-1h", "1.5h", " 1h", "1h30m", "1" * 10 + "s"])
def test_other_text_is_no_duration(text):
    with pytest.raises(ValueError):
        duration_seconds(text)
