"""Two faces over one state: what is done through one of them is seen through the other."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.poros_support import DEPOT, DOCUMENTED, POROS, SECRET, TwoFaces
from tests.unit.sandbox.support import TOKEN, WORKFLOW, Sandbox

ONE = "/workspaces/analytics/resources/workflow/daily-etl"
OTHER = f"{DOCUMENTED}/resources/workflow/daily-etl?workspace=analytics"


@pytest.fixture(params=[("dataos", "dataos-poros"), ("dataos-poros", "dataos")], ids="-then-".join)
def sandbox(request) -> TwoFaces:
    return TwoFaces(platform=request.param)


async def test_what_is_made_through_poros_is_read_through_the_documented_face(sandbox):
    await sandbox.make()
    await sandbox.make(DEPOT)
    shown = (await sandbox.client.get(OTHER)).json()
    assert shown["spec"]["workflow"] == WORKFLOW["workflow"] and shown["owner"] == "datakeel-sandbox"
    assert shown["tags"] == (await sandbox.read(ONE))["tags"]
    listed = (await sandbox.client.get(f"{DOCUMENTED}/resources")).json()
    assert [row["name"] for row in listed["data"]] == ["daily-etl", "sampleinstdepot"]


async def test_what_is_made_through_the_documented_face_is_read_through_poros(sandbox):
    await sandbox.client.post(f"{DOCUMENTED}/resources", json=WORKFLOW)
    await sandbox.client.post(f"{DOCUMENTED}/resources", json=DEPOT)
    shown = await sandbox.read(ONE)
    assert shown["workflow"] == WORKFLOW["workflow"] and shown["tags"] == WORKFLOW["tags"]
    assert (await sandbox.read("/resources/depot/sampleinstdepot"))["name"] == "sampleinstdepot"
    assert (await sandbox.make()).status_code == 409


async def test_each_face_changes_and_deletes_what_the_other_has_made(sandbox):
    await sandbox.make()
    assert (await sandbox.client.put(OTHER, json={**WORKFLOW, "description": "page"})).status_code == 200
    assert (await sandbox.read(ONE))["description"] == "page"
    assert (await sandbox.poros.put(ONE, json={**WORKFLOW, "description": "poros"})).status_code == 200
    assert (await sandbox.client.get(OTHER)).json()["description"] == "poros"
    assert (await sandbox.client.delete(OTHER)).status_code == 200
    assert (await sandbox.poros.get(ONE)).status_code == 404
    assert [commit.platform for commit in sandbox.world.commits] == ["dataos"] * 4


async def test_a_type_lives_on_the_same_level_for_both(sandbox):
    for type_name in ("data", "bundle", "compute"):
        document = {"name": "x", "version": "v1beta", "type": type_name}
        await sandbox.client.post(f"{DOCUMENTED}/resources", json={**document, "workspace": "analytics"})
        assert (await sandbox.read(f"/resources/{type_name}/x"))["type"] == type_name
    document = {"name": "x", "version": "v1alpha", "type": "vulcan"}
    await sandbox.client.post(f"{DOCUMENTED}/resources", json=document)
    assert (await sandbox.read("/workspaces/public/resources/vulcan/x"))["workspace"] == "public"


async def test_a_workspace_made_through_the_documented_face_is_there_for_poros(sandbox):
    sandbox.world.switches.change({"workspaces_must_exist": True})
    await sandbox.client.post(f"{DOCUMENTED}/workspaces", json={"name": "analytics", "description": "Team"})
    assert (await sandbox.read("/workspaces/analytics"))["description"] == "Team"
    assert (await sandbox.make()).status_code == 201
    await sandbox.client.delete(f"{DOCUMENTED}/workspaces/analytics")
    assert (await sandbox.poros.get(ONE)).status_code == 404


async def test_subscribers_hear_of_changes_through_either(sandbox):
    hook = {"url": "https://example.com/hook", "events": ["resource.created"]}
    await sandbox.client.post(f"{DOCUMENTED}/webhooks", json=hook)
    await sandbox.make()
    assert [each.payload["resource"]["name"] for each in sandbox.world.webhooks.delivered] == ["daily-etl"]


async def test_a_person_clicks_in_either(sandbox):
    made = sandbox.world.person_create(WORKFLOW, platform="dataos-poros")
    assert made["status"] == {"aggregateStatus": "pending"} and made["owner"] == "a person"
    change = {"description": "by hand"}
    shown = sandbox.world.person_edit("workflow", "daily-etl", change, workspace="analytics", platform="dataos")
    assert shown["spec"] == {"workflow": WORKFLOW["workflow"]}
    assert (await sandbox.read(ONE))["description"] == "by hand"
    sandbox.world.person_delete("workflow", "daily-etl", workspace="analytics", platform="dataos-poros")
    assert sandbox.world.resources("dataos") == sandbox.world.resources("dataos-poros") == []


async def test_the_documented_face_leaves_secrets_out_only_if_asked_to(sandbox):
    await sandbox.make(SECRET)
    url = f"{DOCUMENTED}/resources/instance-secret/sampleinstsecret"
    assert (await sandbox.client.get(url)).json()["spec"] == {"instance-secret": SECRET["instance-secret"]}
    sandbox.world.switches.change({"hide_secrets": True})
    assert (await sandbox.client.get(url)).json()["spec"] == {"instance-secret": {"type": "key-value", "acl": "r"}}


async def test_only_the_documented_face_counts_calls(sandbox):
    fresh = sandbox.client_with(sandbox.world.create_token().value)
    for _ in range(101):
        assert (await fresh.get(f"{POROS}/workspaces/public")).status_code == 200
    assert (await fresh.get(f"{DOCUMENTED}/resources")).headers["X-RateLimit-Remaining"] == "99"


async def test_the_state_is_one_across_a_restart_and_another_face(tmp_path):
    first = Sandbox(platform="dataos", state=tmp_path / "state.db")
    await first.create()
    first.world.close()
    second = Sandbox(platform="dataos-poros", state=tmp_path / "state.db", clock=first.clock)
    answer = await second.client.get(f"/poros/api/v1{ONE}", headers={"apikey": TOKEN})
    assert answer.json()["workflow"] == WORKFLOW["workflow"]
    second.world.close()
