"""Poros, the second face of the emulated DataOS: its paths, its levels, and what the server does to a manifest."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.poros_support import DEPOT, POROS, SECRET, TwoFaces
from tests.unit.sandbox.support import TOKEN, WORKFLOW, Sandbox

ONE = "/workspaces/analytics/resources/workflow/daily-etl"
ALL = "/workspaces/analytics/resources/workflow"


@pytest.fixture
def sandbox() -> TwoFaces:
    return TwoFaces()


async def test_a_resource_is_shown_as_the_command_line_prints_it(sandbox):
    made = await sandbox.make()
    assert made.status_code == 201
    sandbox.clock.at += 2
    added = ["dataos:type:resource", "dataos:resource:workflow", "dataos:layer:user", "dataos:workspace:analytics"]
    assert await sandbox.read(ONE) == {
        **WORKFLOW,
        "tags": ["production", "daily", *added],
        "owner": "datakeel-sandbox",
        "layer": "user",
        "status": {"aggregateStatus": "active"},
        "runtime": "running",
    }
    assert made.json() == {**await sandbox.read(ONE), "status": {"aggregateStatus": "pending"}, "runtime": ""}


async def test_a_list_is_one_array_of_what_is_certain(sandbox):
    for number in range(30):
        await sandbox.make(name=f"n{number:02}")
    await sandbox.make(workspace="public")
    rows = await sandbox.read(ALL)
    assert [row["name"] for row in rows] == [f"n{number:02}" for number in range(30)]
    assert rows[0].keys() == {"name", "version", "type", "workspace", "owner", "status", "runtime"}
    assert await sandbox.read("/workspaces/analytics/resources/service") == []


async def test_what_lives_in_no_workspace_is_made_listed_read_changed_and_deleted_outside_of_any(sandbox):
    assert (await sandbox.make(DEPOT)).status_code == 201
    assert [row["name"] for row in await sandbox.read("/resources/depot")] == ["sampleinstdepot"]
    changed = {**DEPOT, "description": "new"}
    assert (await sandbox.poros.put("/resources/depot/sampleinstdepot", json=changed)).status_code == 200
    shown = await sandbox.read("/resources/depot/sampleinstdepot")
    assert shown["description"] == "new" and "workspace" not in shown
    assert shown["tags"] == ["dataos:type:resource", "dataos:resource:depot", "dataos:layer:user"]
    gone = await sandbox.poros.delete("/resources/depot/sampleinstdepot")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await sandbox.poros.get("/resources/depot/sampleinstdepot")).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/resources/workflow", "/resources/workflow/daily-etl", "/workspaces/analytics/resources/depot/lake"],
)
async def test_the_wrong_level_is_refused_to_readers(sandbox, path):
    await sandbox.make()
    answer = await sandbox.poros.get(path)
    assert answer.status_code == 400 and "resource: it lives in" in answer.json()["message"]


async def test_the_wrong_level_is_refused_to_writers(sandbox):
    in_workspace, outside = "/workspaces/analytics/resources", "/resources"
    for where, document in ((in_workspace, DEPOT), (outside, WORKFLOW)):
        for path in (where, f"{where}/validate"):
            assert (await sandbox.poros.post(path, json=document)).status_code == 400
    assert sandbox.world.commits == []


async def test_the_body_must_be_about_the_path(sandbox):
    await sandbox.make()
    elsewhere = {**WORKFLOW, "workspace": "sales"}
    assert (await sandbox.poros.post("/workspaces/analytics/resources", json=elsewhere)).status_code == 400
    for change in ({"name": "other"}, {"type": "service"}, {"workspace": "sales"}):
        assert (await sandbox.poros.put(ONE, json={**WORKFLOW, **change})).status_code == 400
    without = {word: value for word, value in WORKFLOW.items() if word != "workspace"}
    assert (await sandbox.poros.put(ONE, json=without)).status_code == 200
    assert len(sandbox.world.commits) == 2


async def test_an_update_replaces_the_whole_and_starts_over(sandbox):
    await sandbox.make()
    sandbox.clock.at += 100
    shorter = {"name": "daily-etl", "version": "v1", "type": "workflow", "workflow": {"dag": []}}
    answer = await sandbox.poros.put(ONE, json=shorter)
    assert answer.json() == await sandbox.read(ONE)
    assert answer.json()["status"] == {"aggregateStatus": "pending"}
    assert answer.json()["workflow"] == {"dag": []} and "description" not in answer.json()
    assert (await sandbox.poros.put(f"{ALL}/none", json={**shorter, "name": "none"})).status_code == 404


async def test_what_a_client_sends_besides_the_manifest_is_taken(sandbox):
    sent = {**WORKFLOW, "owner": "someone-else", "status": {}, "runtime": "failed"}
    assert (await sandbox.poros.post("/workspaces/analytics/resources/validate", json=sent)).status_code == 200
    assert sandbox.world.commits == []
    assert (await sandbox.make(sent)).status_code == 201
    shown = await sandbox.read(ONE)
    assert shown["owner"] == "datakeel-sandbox" and shown["status"] == {"aggregateStatus": "pending"}


async def test_validate_says_what_create_would(sandbox):
    url = "/workspaces/analytics/resources/validate"
    for change in ({"name": "no_underscore"}, {"version": "1"}, {"workflow": []}, {"tags": "one"}):
        assert (await sandbox.poros.post(url, json={**WORKFLOW, **change})).status_code == 400
        assert (await sandbox.make(**change)).status_code == 400
    assert (await sandbox.poros.post("/resources/validate", json={**DEPOT, "name": "with-dash"})).status_code == 400
    assert (await sandbox.poros.post("/resources/validate", json=DEPOT)).status_code == 200


async def test_bodies_are_json(sandbox):
    yaml = {"Content-Type": "application/yaml"}
    answer = await sandbox.poros.post("/resources", content="name: lake", headers=yaml)
    assert answer.status_code == 415


async def test_a_second_create_is_a_conflict(sandbox):
    await sandbox.make()
    assert (await sandbox.make()).status_code == 409
    assert (await sandbox.make(workspace="sales")).status_code == 201


async def test_the_owner_is_the_caller_whatever_the_manifest_says(sandbox):
    poros = sandbox.poros_with(sandbox.world.create_token(owner="ana").value)
    await poros.post("/workspaces/analytics/resources", json={**WORKFLOW, "owner": "bo"})
    assert (await sandbox.read(ONE))["owner"] == "ana"


async def test_tags_of_the_server_s_own_are_there_once(sandbox):
    await sandbox.make(tags=["dataos:layer:user", "mine"])
    first = await sandbox.read(ONE)
    await sandbox.poros.put(ONE, json={**WORKFLOW, "tags": first["tags"]})
    assert (await sandbox.read(ONE))["tags"] == first["tags"]
    assert sorted(first["tags"]) == [
        *(
            "dataos:layer:user",
            "dataos:resource:workflow",
            "dataos:type:resource",
            "dataos:workspace:analytics",
            "mine",
        ),
    ]


async def test_what_is_sensitive_is_left_out_of_reads(sandbox):
    await sandbox.make(SECRET)
    connection = [{"acl": "rw", "type": "key-value", "data": {"user": "u"}, "files": {"key": "f"}, "password": "p"}]
    await sandbox.make(DEPOT, depot={"type": "S3", "connectionSecret": connection, "data": {"stays": True}})
    secret = await sandbox.read("/resources/instance-secret/sampleinstsecret")
    assert secret["instance-secret"] == {"type": "key-value", "acl": "r"}
    depot = await sandbox.read("/resources/depot/sampleinstdepot")
    assert depot["depot"] == {
        "type": "S3",
        "connectionSecret": [{"acl": "rw", "type": "key-value"}],
        "data": {"stays": True},
    }


async def test_a_workspace_is_shown_and_only_read(sandbox):
    shown = await sandbox.read("/workspaces/public")
    assert (shown["name"], shown["type"], shown["status"]) == ("public", "workspace", {"aggregateStatus": "active"})
    assert shown["tags"] == ["dataos:type:workspace", "dataos:layer:user", "dataos:workspace:public"]
    assert (await sandbox.poros.delete("/workspaces/public")).status_code == 405
    assert (await sandbox.poros.get("/workspaces")).status_code == 404


@pytest.mark.parametrize("name", ["", "Analytics", "a_b", "a" * 33])
async def test_a_workspace_has_a_name_by_the_rules(sandbox, name):
    assert (await sandbox.poros.get(f"/workspaces/{name}")).status_code == 400
    assert (await sandbox.poros.post(f"/workspaces/{name}/resources", json=DEPOT)).status_code == 400
    assert sandbox.world.commits == []


async def test_a_missing_workspace_is_not_found_only_if_workspaces_must_exist(sandbox):
    assert (await sandbox.poros.get("/workspaces/analytics")).status_code == 200
    sandbox.world.switches.change({"workspaces_must_exist": True})
    assert (await sandbox.poros.get("/workspaces/analytics")).status_code == 404
    assert (await sandbox.poros.get(ALL)).status_code == 404
    assert (await sandbox.make()).status_code == 404
    assert (await sandbox.make(workspace="public")).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [{}, {"apikey": "wrong"}, {"apikey": f"Bearer {TOKEN}"}, {"Authorization": TOKEN}, {"Authorization": "Bearer no"}],
)
async def test_a_caller_who_is_not_known_is_refused(sandbox, headers):
    del sandbox.client.headers["authorization"]
    for path in (f"{POROS}/workspaces/public", f"{POROS}/resolve?stack=flare:7.0"):
        assert (await sandbox.client.get(path, headers=headers)).status_code == 401


async def test_a_bearer_token_is_as_good_as_an_apikey(sandbox):
    assert (await sandbox.client.get(f"{POROS}/workspaces/public")).status_code == 200


async def test_a_token_does_what_its_scopes_and_workspaces_allow(sandbox):
    await sandbox.make()
    await sandbox.make(DEPOT)
    reader = sandbox.poros_with(sandbox.world.create_token(scopes=("read",)).value)
    assert (await reader.get(ONE)).status_code == 200
    assert (await reader.delete(ONE)).status_code == 403
    other = sandbox.poros_with(sandbox.world.create_token(workspaces=("sales",)).value)
    for path in ("/workspaces/analytics", ALL, ONE, f"{ONE}/runtime"):
        assert (await other.get(path)).status_code == 403
    assert (await other.post("/workspaces/analytics/resources", json=WORKFLOW)).status_code == 403
    assert (await other.get("/resources/depot/sampleinstdepot")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/workspaces/public/", "/workspaces/a/b", "/workspaces/a/resources/b/c/d", "/x"])
async def test_a_path_that_no_client_sends_is_not_found(sandbox, path):
    assert (await sandbox.poros.get(path)).status_code in (400, 404, 405)


async def test_a_stack_is_resolved_if_it_is_known(sandbox):
    async def status(stack: str) -> int:
        return (await sandbox.poros.get("/resolve", params={"stack": stack})).status_code

    assert [await status(stack) for stack in ("flare:7.0", "soda+python:1.0", "ours:2.0", "")] == [200, 200, 404, 400]
    assert (await sandbox.poros.get("/resolve?stack=flare%3A7.0")).json() == {"name": "flare", "version": "7.0"}
    document = {"name": "ours-2", "version": "v1alpha", "type": "stack", "stack": {"name": "ours", "version": "2.0"}}
    await sandbox.make(document)
    assert await status("ours:2.0") == 200


async def test_reads_lag_behind_writes_by_the_switch(sandbox):
    sandbox.world.switches.change({"lag": 3.0})
    await sandbox.make()
    assert (await sandbox.poros.get(ONE)).status_code == 404
    assert await sandbox.read(ALL) == []
    sandbox.clock.at += 3
    assert (await sandbox.read(ONE))["name"] == "daily-etl"
    assert [row["name"] for row in await sandbox.read(ALL)] == ["daily-etl"]


async def test_a_delayed_delete_is_shown_as_deleted_until_its_time(sandbox):
    await sandbox.make()
    sandbox.world.switches.change({"delete_delay": 10.0})
    assert (await sandbox.poros.delete(ONE)).status_code == 204
    assert (await sandbox.read(ONE))["status"] == {"aggregateStatus": "deleted"}
    assert (await sandbox.make()).status_code == 409
    sandbox.clock.at += 10
    assert (await sandbox.poros.get(ONE)).status_code == 404


async def test_faults_speak_as_poros_does(sandbox):
    sandbox.world.faults.add({"do": "answer", "status": 429, "seconds": 7, "times": 1}, {"fault": "server-error"})
    throttled, broken = await sandbox.poros.get(ALL), await sandbox.poros.get(ALL)
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "7")
    assert (broken.status_code, broken.json()) == (500, {"message": "Server error"})
    sandbox.world.faults.replace([{"fault": "empty-list"}])
    await sandbox.make()
    assert await sandbox.read(ALL) == []


async def test_poros_stands_at_the_root_when_it_is_alone():
    sandbox = Sandbox(platform="dataos-poros")
    assert (await sandbox.client.get("/poros/api/v1/workspaces/public")).status_code == 200
    sandbox.world.person_create(DEPOT)
    assert [each["name"] for each in sandbox.world.resources()] == ["sampleinstdepot"]
