"""Workspaces, whose REST paths are a guess: what holds what, and what goes with what."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.support import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


async def test_a_missing_workspace_is_refused_only_if_workspaces_must_exist(sandbox):
    sandbox.world.switches.change({"workspaces_must_exist": True})
    assert (await sandbox.create()).status_code == 400
    await sandbox.client.post("/v1/workspaces", json={"name": "analytics"})
    assert (await sandbox.create()).status_code == 201


async def test_workspaces_are_listed_created_and_deleted_with_what_they_hold(sandbox):
    made = await sandbox.client.post("/v1/workspaces", json={"name": "analytics", "description": "Team"})
    assert made.status_code == 201
    assert (await sandbox.client.post("/v1/workspaces", json={"name": "analytics"})).status_code == 409
    listed = (await sandbox.client.get("/v1/workspaces")).json()
    assert [row["name"] for row in listed["data"]] == ["public", "analytics"]
    await sandbox.create()
    assert (await sandbox.client.delete("/v1/workspaces/analytics")).status_code == 200
    assert sandbox.world.resources() == []
    assert [commit.type for commit in sandbox.world.commits] == ["workspace", "workflow", "workflow", "workspace"]
    assert (await sandbox.client.delete("/v1/workspaces/analytics")).status_code == 404
    assert (await sandbox.client.delete("/v1/workspaces/public")).status_code == 403


async def test_a_workspace_in_use_is_kept_if_dependents_are_refused(sandbox):
    sandbox.world.switches.change({"refuse_dependents": True})
    await sandbox.client.post("/v1/workspaces", json={"name": "analytics"})
    await sandbox.create()
    assert (await sandbox.client.delete("/v1/workspaces/analytics")).status_code == 409
    assert len(sandbox.world.resources()) == 1


async def test_a_workspace_is_no_resource(sandbox):
    answer = await sandbox.client.post("/v1/resources", json={"name": "x", "version": "v1", "type": "workspace"})
    assert answer.status_code == 400
