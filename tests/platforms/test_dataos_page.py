"""Every request and answer that the DataOS page prints, against the sandbox, word for word where the page is.

An answer may hold members that the example leaves out (`owner`, `layer`, `created` of GET); it never lacks one.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.sandbox import create_app
from tests.unit.sandbox.support import START, TOKEN, Sandbox

CREATE_YAML = """\
name: my-workflow
version: v1
type: workflow
workflow:
  dag:
    - name: task
      spec:
        stack: flare:7.0
"""
UPDATE_YAML = CREATE_YAML.replace("name: task", "name: updated-task")
DAILY_ETL: dict[str, Any] = {
    "name": "daily-etl",
    "version": "v1",
    "type": "workflow",
    "workspace": "analytics",
    "tags": ["production", "daily"],
    "description": "Daily ETL pipeline",
    "workflow": {
        "schedule": {"cron": "0 2 * * *"},
        "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}],
    },
}
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture
async def sandbox() -> Sandbox:
    """The page's workflow `daily-etl`, created at the page's moment and active."""
    sandbox = Sandbox()
    assert sandbox.clock.now() == START
    await sandbox.client.post("/v1/resources", json=DAILY_ETL)
    sandbox.clock.at += 2
    return sandbox


async def test_list_resources(sandbox):
    for number in range(44):
        sandbox.world.person_create({**DAILY_ETL, "name": f"other-{number}"})
    sandbox.world.person_create({**DAILY_ETL, "workspace": "sales"})
    answer = await sandbox.client.get("/v1/resources?type=workflow&workspace=analytics")
    assert answer.status_code == 200
    page = answer.json()
    assert page["data"][0] == {
        "name": "daily-etl",
        "version": "v1",
        "type": "workflow",
        "workspace": "analytics",
        "status": "active",
        "created": "2024-01-01T00:00:00Z",
    }
    assert page["meta"] == {"total": 45, "limit": 20, "offset": 0}
    assert set(page) == {"data", "meta"}
    assert {tuple(row) for row in page["data"]} == {("name", "version", "type", "workspace", "status", "created")}


async def test_list_parameters_limit_and_offset(sandbox):
    sandbox.world.person_create({**DAILY_ETL, "name": "second"})
    page = (await sandbox.client.get("/v1/resources?limit=1&offset=1")).json()
    assert [row["name"] for row in page["data"]] == ["second"]
    assert page["meta"] == {"total": 2, "limit": 1, "offset": 1}


async def test_get_resource(sandbox):
    answer = await sandbox.client.get("/v1/resources/workflow/daily-etl?workspace=analytics")
    assert answer.status_code == 200
    printed = {
        "name": "daily-etl",
        "version": "v1",
        "type": "workflow",
        "workspace": "analytics",
        "tags": ["production", "daily"],
        "description": "Daily ETL pipeline",
        "status": "active",
        "spec": {"workflow": DAILY_ETL["workflow"]},
    }
    shown = answer.json()
    assert {word: shown[word] for word in printed} == printed
    assert set(shown) - set(printed) == {"owner", "layer", "created"}


async def test_create_resource(sandbox):
    answer = await sandbox.client.post("/v1/resources", content=CREATE_YAML, headers=YAML)
    assert answer.status_code == 201
    assert answer.json() == {
        "message": "Resource created successfully",
        "resource": {"name": "my-workflow", "version": "v1", "type": "workflow", "status": "pending"},
    }


async def test_update_resource(sandbox):
    await sandbox.client.post("/v1/resources", content=CREATE_YAML, headers=YAML)
    answer = await sandbox.client.put("/v1/resources/workflow/my-workflow", content=UPDATE_YAML, headers=YAML)
    assert answer.status_code == 200
    shown = (await sandbox.client.get("/v1/resources/workflow/my-workflow")).json()
    assert shown["spec"]["workflow"]["dag"] == [{"name": "updated-task", "spec": {"stack": "flare:7.0"}}]


async def test_delete_resource(sandbox):
    sandbox.world.person_create({**DAILY_ETL, "name": "my-workflow"})
    answer = await sandbox.client.delete("/v1/resources/workflow/my-workflow?workspace=analytics")
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Resource deleted successfully",
        "resource": {"name": "my-workflow", "type": "workflow"},
    }


async def test_get_logs():
    sandbox = Sandbox()
    sandbox.clock.at += 10 * 3600
    sandbox.world.person_create(DAILY_ETL)
    sandbox.clock.at += 60
    answer = await sandbox.client.get("/v1/resources/workflow/daily-etl/logs?workspace=analytics&since=1h&tail=100")
    assert answer.status_code == 200
    assert answer.json() == {
        "logs": [
            {"timestamp": "2024-01-01T10:00:00Z", "level": "INFO", "message": "Workflow started"},
            {"timestamp": "2024-01-01T10:01:00Z", "level": "INFO", "message": "Task completed successfully"},
        ]
    }


@pytest.mark.parametrize("since", ["1h", "30m", "1d"])
async def test_log_durations_that_the_page_names(sandbox, since):
    answer = await sandbox.client.get(
        f"/v1/resources/workflow/daily-etl/logs?workspace=analytics&since={since}&follow=false"
    )
    assert answer.status_code == 200


async def test_error_response(sandbox):
    await sandbox.client.delete("/v1/resources/workflow/daily-etl?workspace=analytics")
    answer = await sandbox.client.get("/v1/resources/workflow/daily-etl?workspace=analytics")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": {
            "code": "RESOURCE_NOT_FOUND",
            "message": "Workflow 'daily-etl' not found",
            "details": {"type": "workflow", "name": "daily-etl", "workspace": "analytics"},
        }
    }


async def test_every_status_code_of_the_table(sandbox):
    reader = sandbox.client_with(sandbox.world.create_token("1h", scopes=("read",)).value)
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    answers = [
        await sandbox.client.get(url),
        await sandbox.client.post("/v1/resources", content=CREATE_YAML, headers=YAML),
        await sandbox.client.post("/v1/resources", content="name: only", headers=YAML),
        await sandbox.client_with("wrong").get(url),
        await reader.delete(url),
        await sandbox.client.get("/v1/resources/workflow/none"),
        await sandbox.client.post("/v1/resources", content=CREATE_YAML, headers=YAML),
    ]
    sandbox.world.faults.add({"fault": "server-error"})
    answers.append(await sandbox.client.get(url))
    assert [answer.status_code for answer in answers] == [200, 201, 400, 401, 403, 404, 409, 500]
    for answer in answers[2:]:
        assert set(answer.json()) == {"error"} and {"code", "message"} <= set(answer.json()["error"])


@pytest.mark.parametrize("header", [None, "wrong", f"Token {TOKEN}", "Bearer", "Bearer "])
async def test_requests_need_a_bearer_token(sandbox, header):
    client = sandbox.client_with(TOKEN)
    del client.headers["authorization"]
    answer = await client.get("/v1/resources", headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"


async def test_rate_limit_headers(sandbox):
    fresh = sandbox.client_with(sandbox.world.create_token("720h").value)
    for _ in range(5):
        answer = await fresh.get("/v1/resources")
    assert answer.headers["X-RateLimit-Limit"] == "100"
    assert answer.headers["X-RateLimit-Remaining"] == "95"
    assert answer.headers["X-RateLimit-Reset"] == str(int(START) + 2 + 60)


async def test_429_response(sandbox):
    fresh = sandbox.client_with(sandbox.world.create_token("720h").value)
    for _ in range(100):
        assert (await fresh.get("/v1/workspaces")).status_code == 200
    answer = await fresh.get("/v1/workspaces")
    assert answer.status_code == 429
    assert answer.json() == {
        "error": {
            "code": "RATE_LIMIT_EXCEEDED",
            "message": "Rate limit exceeded. Retry after 60 seconds.",
            "retry_after": 60,
        }
    }


async def test_sdk_create_from_a_dictionary_and_wait_until_active(sandbox):
    document = {
        "name": "sales-pipeline",
        "version": "v1",
        "type": "workflow",
        "workspace": "analytics",
        "workflow": {
            "schedule": {"cron": "0 2 * * *"},
            "dag": [{"name": "extract", "spec": {"stack": "flare:7.0"}}],
        },
    }
    assert (await sandbox.client.post("/v1/resources", json=document)).status_code == 201
    seen = []
    for _ in range(3):
        seen.append((await sandbox.shown("sales-pipeline"))["status"])
        sandbox.clock.at += 5
    assert seen == ["pending", "active", "active"]
    logs = await sandbox.client.get("/v1/resources/workflow/sales-pipeline/logs?workspace=analytics&tail=50")
    assert logs.json()["logs"][0]["message"] == "Workflow started"


async def test_sdk_workspaces_by_guessed_paths(sandbox):
    made = await sandbox.client.post(
        "/v1/workspaces", json={"name": "analytics", "description": "Analytics team workspace"}
    )
    assert made.status_code == 201
    assert made.json()["workspace"]["description"] == "Analytics team workspace"
    await sandbox.client.post("/v1/workspaces", json={"name": "old-workspace"})
    assert (await sandbox.client.delete("/v1/workspaces/old-workspace")).status_code == 200
    listed = (await sandbox.client.get("/v1/workspaces")).json()
    assert [row["name"] for row in listed["data"]] == ["public", "analytics"]


async def test_webhook_payload():
    sandbox = Sandbox(ready_after=0.0)
    sandbox.clock.at += 10 * 3600
    made = await sandbox.client.post(
        "/v1/webhooks",
        json={
            "url": "https://myapp.com/webhook",
            "events": ["resource.created", "resource.updated"],
            "resources": ["workflow", "service"],
        },
    )
    assert made.status_code == 201
    await sandbox.client.post("/v1/resources", json={**DAILY_ETL, "name": "my-workflow"})
    (delivery,) = sandbox.world.webhooks.delivered
    assert delivery.url == "https://myapp.com/webhook"
    assert delivery.payload == {
        "event": "resource.created",
        "timestamp": "2024-01-01T10:00:00Z",
        "resource": {"type": "workflow", "name": "my-workflow", "workspace": "analytics", "status": "active"},
    }


def test_the_application_needs_nothing_but_a_token():
    assert create_app(token="any").state.sandbox.platforms.keys() == {"dataos"}


async def test_a_token_of_the_command_line_lasts_as_long_as_it_was_made_for(sandbox):
    """`dataos-ctl auth token create --duration 720h`, then the page's curl."""
    client = sandbox.client_with(sandbox.world.create_token("720h").value)
    sandbox.clock.at += 720 * 3600 - 1
    assert (await client.get("/v1/resources")).status_code == 200
    sandbox.clock.at += 1
    assert (await client.get("/v1/resources")).status_code == 401


async def test_both_parameters_of_a_list_may_be_left_out(sandbox):
    sandbox.world.person_create({**DAILY_ETL, "name": "other", "workspace": "sales"})
    for query, names in (
        ("", ["daily-etl", "other"]),
        ("?workspace=sales", ["other"]),
        ("?type=workflow", ["daily-etl", "other"]),
        ("?type=service", []),
    ):
        page = (await sandbox.client.get(f"/v1/resources{query}")).json()
        assert [row["name"] for row in page["data"]] == names


async def test_sdk_save_after_a_change_of_the_schedule(sandbox):
    """Get, `spec["workflow"]["schedule"]["cron"] = "0 3 * * *"`, `save()`."""
    workflow = await sandbox.shown()
    workflow["spec"]["workflow"]["schedule"]["cron"] = "0 3 * * *"
    body = {"name": "daily-etl", "version": "v1", "type": "workflow", "workspace": "analytics", **workflow["spec"]}
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    assert (await sandbox.client.put(url, json=body)).status_code == 200
    assert (await sandbox.shown())["spec"]["workflow"]["schedule"] == {"cron": "0 3 * * *"}


async def test_sdk_logs_are_asked_for_without_a_workspace(sandbox):
    """The page's `logs(type=…, name=…, tail=…, since=…)` names none; what was made without one is meant."""
    sandbox.world.person_create({word: value for word, value in DAILY_ETL.items() if word != "workspace"})
    answer = await sandbox.client.get("/v1/resources/workflow/daily-etl/logs?tail=100&since=1h")
    assert answer.status_code == 200 and answer.json()["logs"][0]["message"] == "Workflow started"


async def test_sdk_stream_of_logs_follows(sandbox):
    """`logs_stream`, the parameter `follow`: how it is framed is not printed, here a line of JSON each (a guess)."""
    url = "/v1/resources/workflow/daily-etl/logs?workspace=analytics&follow=true"
    async with sandbox.client.stream("GET", url) as answer:
        first = await anext(answer.aiter_lines())
    assert answer.status_code == 200 and json.loads(first)["message"] == "Workflow started"


async def test_sdk_error_of_a_workflow_that_is_missing_and_of_a_wrong_token(sandbox):
    missing = await sandbox.client.get("/v1/resources/workflow/missing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")
    wrong = await sandbox.client_with("wrong").get("/v1/resources/workflow/missing")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "UNAUTHORIZED")


async def test_a_thousand_calls_an_hour(sandbox):
    fresh = sandbox.client_with(sandbox.world.create_token("720h").value)
    for _ in range(10):
        assert {(await fresh.get("/v1/workspaces")).status_code for _ in range(100)} == {200}
        sandbox.clock.at += 61
    answer = await fresh.get("/v1/workspaces")
    assert answer.status_code == 429
    assert answer.json()["error"]["retry_after"] == 3600 - 10 * 61
