"""What runs, as Poros tells it: the runtime of a resource, and the reports of the vendor's Monitors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.poros_support import DEPOT, REPORTS, TwoFaces

ONE = "/workspaces/analytics/resources/workflow/daily-etl"
ONCE = {"dag": [{"name": "load", "spec": {"stack": "flare:7.0"}}, {"name": "check", "spec": {"stack": "soda:1.0"}}]}


@pytest.fixture
def sandbox() -> TwoFaces:
    return TwoFaces()


async def report(sandbox: TwoFaces, what: str, identity: str, status: int = 200) -> Any:
    answer = await sandbox.client.get(f"{REPORTS}/{what}?id={identity}")
    assert answer.status_code == status, answer.text
    return answer.json().get("value")


async def test_a_runtime_is_not_found_for_some_seconds_after_a_create(sandbox):
    await sandbox.make(workflow=ONCE)
    assert (await sandbox.poros.get(f"{ONE}/runtime")).status_code == 404
    sandbox.clock.at += 1.9
    assert (await sandbox.poros.get(f"{ONE}/runtime")).status_code == 404
    sandbox.clock.at += 0.1
    assert (await sandbox.read(f"{ONE}/runtime"))["runtimeStatus"] == "running"
    assert (await sandbox.poros.get(f"{ONE}-none/runtime")).status_code == 404


async def test_a_run_has_a_node_for_each_job_and_ends(sandbox):
    await sandbox.make(workflow=ONCE)
    sandbox.clock.at += 60
    shown = await sandbox.read(f"{ONE}/runtime")
    assert shown["runtimeStatus"] == "succeeded"
    assert [(node["appSpecName"], node["type"], node["phase"]) for node in shown["nodeDetails"]] == [
        ("load", "pod-workflow", "succeeded"),
        ("check", "pod-workflow", "succeeded"),
    ]
    assert all(node.keys() == {"name", "appSpecName", "podName", "type", "phase"} for node in shown["nodeDetails"])
    assert (await sandbox.read(ONE))["runtime"] == "succeeded"


async def test_a_schedule_runs_again_and_tells_when(sandbox):
    await sandbox.make()
    seen = []
    for seconds in (2, 60, 298, 60):
        sandbox.clock.at += seconds
        seen.append((await sandbox.read(ONE))["runtime"])
    assert seen == ["running", "next:2024-01-01T00:05:00Z", "next:2024-01-01T00:10:00Z", "next:2024-01-01T00:10:00Z"]
    assert (await sandbox.read(f"{ONE}/runtime"))["runtimeStatus"] == "succeeded"


async def test_what_fails_says_error_and_failed(sandbox):
    sandbox.world.switches.change({"fail_names": ["daily-etl"]})
    await sandbox.make()
    sandbox.clock.at += 1000
    shown = await sandbox.read(ONE)
    assert (shown["status"], shown["runtime"]) == ({"aggregateStatus": "error"}, "failed")
    assert (await sandbox.read(f"{ONE}/runtime"))["runtimeStatus"] == "failed"


async def test_what_serves_runs_in_replicas_and_what_does_not_run_has_no_runtime(sandbox):
    await sandbox.make(
        {"name": "api", "version": "v1", "type": "service", "workspace": "p", "service": {"replicas": 3}}
    )
    minerva = {"type": "minerva", "minerva": {"replicas": 2}}
    await sandbox.make({"name": "mc", "version": "v1", "type": "cluster", "workspace": "p", "cluster": minerva})
    await sandbox.make(DEPOT)
    sandbox.clock.at += 2
    assert (await sandbox.read("/workspaces/p/resources/service/api"))["runtime"] == "running:3"
    assert (await sandbox.read("/workspaces/p/resources/cluster/mc/runtime"))["runtimeStatus"] == "running:2"
    assert (await sandbox.read("/resources/depot/sampleinstdepot"))["runtime"] == ""
    assert (await sandbox.poros.get("/resources/depot/sampleinstdepot/runtime")).status_code == 404


async def test_reports_tell_status_and_runtime_of_one(sandbox):
    await sandbox.make(workflow=ONCE)
    await sandbox.make(DEPOT)
    assert await report(sandbox, "status", "workflow:v1:daily-etl:analytics") == "pending"
    sandbox.clock.at += 60
    assert await report(sandbox, "status", "workflow:v1:daily-etl:analytics") == "active"
    assert await report(sandbox, "runtime", "workflow:v1:daily-etl:analytics") == "succeeded"
    assert await report(sandbox, "status", "depot:v2alpha:sampleinstdepot") == "active"


async def test_a_report_finds_the_default_workspace_and_the_version_asked_for(sandbox):
    await sandbox.make(workspace="public")
    assert await report(sandbox, "status", "workflow:v1:daily-etl") == "pending"
    for identity in ("workflow:v2:daily-etl", "workflow:v1:daily-etl:analytics", "workflow:v1:none:public"):
        await report(sandbox, "status", identity, status=404)
    for identity in ("", "daily-etl", "a:b:c:d:e", "workflow::daily-etl:public"):
        await report(sandbox, "status", identity, status=400)
    await report(sandbox, "logs", "workflow:v1:daily-etl", status=404)


async def test_a_deleted_resource_is_reported_as_deleted_for_an_hour(sandbox):
    await sandbox.make()
    await sandbox.poros.delete(ONE)
    assert await report(sandbox, "status", "workflow:v1:daily-etl:analytics") == "deleted"
    await report(sandbox, "runtime", "workflow:v1:daily-etl:analytics", status=404)
    sandbox.clock.at += 3601
    await sandbox.make(name="other")
    await report(sandbox, "status", "workflow:v1:daily-etl:analytics", status=404)


async def test_the_name_percent_lists_the_runs_of_all(sandbox):
    sandbox.world.switches.change({"fail_names": ["bad"]})
    for name in ("good", "bad"):
        await sandbox.make(name=name, workflow=ONCE)
    await sandbox.make(name="elsewhere", workspace="sales")
    assert await report(sandbox, "runtime", "workflow:v1:%25:analytics") == []
    sandbox.clock.at += 60
    assert await report(sandbox, "runtime", "workflow:v1:%25:analytics") == [
        {"completed": "2024-01-01T00:01:00Z", "phase": "succeeded"},
        {"completed": "2024-01-01T00:01:00Z", "phase": "failed"},
    ]
    phases = [each["phase"] for each in await report(sandbox, "status", "workflow:v1:%25:analytics")]
    assert phases == ["active", "error"]


async def test_reports_want_a_known_caller_who_may_look_there(sandbox):
    await sandbox.make()
    url = f"{REPORTS}/status?id=workflow:v1:daily-etl:analytics"
    stranger, other = sandbox.client_with("x"), sandbox.client_with(sandbox.world.create_token(workspaces=("b",)).value)
    assert (await stranger.get(url)).status_code == 401
    assert (await other.get(url)).status_code == 403
    assert (await sandbox.client.post(url)).status_code == 405
