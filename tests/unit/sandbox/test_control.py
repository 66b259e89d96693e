"""`/_sandbox/…`: open only on request, outside the log, the limits and the faults."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.support import WORKFLOW, Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(control=True)


async def test_control_is_closed_unless_asked_for():
    assert (await Sandbox().client.get("/_sandbox/faults")).status_code == 404


async def test_faults_are_set_added_and_cleared(sandbox):
    client = sandbox.client
    assert (await client.put("/_sandbox/faults", json=[{"fault": "server-error"}])).status_code == 200
    assert (await client.get("/v1/resources")).status_code == 500
    shown = (await client.post("/_sandbox/faults", json=[{"fault": "reset"}])).json()
    assert [rule["label"] for rule in shown["faults"]] == ["server-error", "reset"]
    assert [each["label"] for each in shown["played"]] == ["server-error"]
    assert (await client.delete("/_sandbox/faults")).json()["faults"] == []
    assert (await client.get("/v1/resources")).status_code == 200
    assert len(sandbox.world.requests) == 2


async def test_switches_are_shown_and_changed(sandbox):
    changed = (await sandbox.client.put("/_sandbox/switches", json={"lag": 3})).json()
    assert changed["lag"] == 3.0 and sandbox.world.switches.lag == 3.0
    assert (await sandbox.client.get("/_sandbox/switches")).json() == changed


async def test_a_person_clicks_and_the_commits_tell(sandbox):
    client = sandbox.client
    create = {"does": "create", "document": WORKFLOW, "person": "ana"}
    assert (await client.post("/_sandbox/person", json=create)).json()["name"] == "daily-etl"
    where = {"type": "workflow", "name": "daily-etl", "workspace": "analytics", "person": "ana"}
    edit = {"does": "edit", **where, "change": {"description": "new"}}
    assert (await client.post("/_sandbox/person", json=edit)).json()["description"] == "new"
    assert (await client.post("/_sandbox/person", json={"does": "delete", **where})).status_code == 200
    assert (await client.post("/_sandbox/person", json={"does": "delete", **where})).status_code == 404
    commits = (await client.get("/_sandbox/commits")).json()
    assert [commit["agent"] for commit in commits] == ["ana"] * 3
    assert [commit["number"] for commit in (await client.get("/_sandbox/commits?after=2")).json()] == [3]


async def test_requests_are_told_after_a_number(sandbox):
    for _ in range(3):
        await sandbox.client.get("/v1/workspaces")
    assert [entry["number"] for entry in (await sandbox.client.get("/_sandbox/requests?after=1")).json()] == [2, 3]


async def test_a_token_is_made_with_its_duration_and_scopes(sandbox):
    made = await sandbox.client.post("/_sandbox/tokens", json={"duration": "1h", "scopes": ["read"]})
    assert made.status_code == 201
    client = sandbox.client_with(made.json()["value"])
    assert (await client.get("/v1/resources")).status_code == 200
    sandbox.clock.at += 3600
    assert (await client.get("/v1/resources")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/_sandbox/faults", '{"fault": "reset"}'),
        ("PUT", "/_sandbox/faults", '[{"fault": "no-such"}]'),
        ("PUT", "/_sandbox/faults", "["),
        ("PUT", "/_sandbox/switches", '{"no_such": 1}'),
        ("PUT", "/_sandbox/switches", "[]"),
        ("POST", "/_sandbox/tokens", '{"duration": "1 year"}'),
        ("POST", "/_sandbox/tokens", '{"colour": "red"}'),
        ("POST", "/_sandbox/person", '{"does": "dance"}'),
        ("POST", "/_sandbox/person", '{"does": "create", "colour": "red"}'),
        ("GET", "/_sandbox/commits?after=x", ""),
    ],
)
async def test_what_cannot_be_read_is_refused_in_a_sentence(sandbox, method, path, body):
    answer = await sandbox.client.request(method, path, content=body)
    assert answer.status_code == 400 and answer.json()["error"]
