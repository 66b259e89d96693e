"""Every request and answer that the Datalinx AI page prints, against the sandbox.

An answer may hold members that the example leaves out (`config`, `updated_at`); it never lacks one. Ids end in a number
of the sandbox's own.
"""

from __future__ import annotations

import re

import httpx
import pytest

from agent.sandbox.datalinx_limits import TIERS
from tests.unit.sandbox.support import TOKEN, Sandbox, SandboxTransport, VirtualClock

BASE = "https://your-instance.datalinx.ai/api"
MORNING = 1_705_314_600.0
"""2024-01-15T10:30:00Z, the moment of the page's examples."""


def client_of(sandbox: Sandbox, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=SandboxTransport(sandbox.app), headers=headers)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(platform="datalinx", clock=VirtualClock(MORNING), limits=False)


@pytest.fixture
def client(sandbox) -> httpx.AsyncClient:
    return client_of(sandbox, **{"X-API-Key": TOKEN})


async def logged_in(sandbox: Sandbox) -> str:
    answer = await client_of(sandbox).post(
        f"{BASE}/auth/login",
        content=f'{{"email": "user@example.com", "password": "{TOKEN}"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    return answer.json()["access_token"]


async def test_login(sandbox):
    answer = await client_of(sandbox).post(f"{BASE}/auth/login", json={"email": "user@example.com", "password": TOKEN})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert answer.json()["access_token"].startswith("eyJhbGciOiJIUzI1NiIs")
    assert answer.json()["token_type"] == "bearer" and answer.json()["expires_in"] == 3600


async def test_bearer_token_of_a_user(sandbox):
    token = await logged_in(sandbox)
    answer = await client_of(sandbox, Authorization=f"Bearer {token}").get(f"{BASE}/workspaces")
    assert answer.status_code == 200 and answer.json()["status"] == "success"


async def test_a_token_lasts_3600_seconds_and_a_new_login_gives_another(sandbox):
    token = await logged_in(sandbox)
    client = client_of(sandbox, Authorization=f"Bearer {token}")
    sandbox.clock.at += 3599
    assert (await client.get(f"{BASE}/workspaces")).status_code == 200
    sandbox.clock.at += 1
    late = await client.get(f"{BASE}/workspaces")
    assert late.status_code == 401 and late.json()["status"] == "failed"
    client.headers["Authorization"] = f"Bearer {await logged_in(sandbox)}"
    assert (await client.get(f"{BASE}/workspaces")).status_code == 200


async def test_api_key_of_a_service_account(sandbox):
    answer = await client_of(sandbox, **{"X-API-Key": TOKEN}).get(f"{BASE}/workspaces")
    assert answer.status_code == 200 and answer.json()["data"] == []


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {TOKEN}"}]
)
async def test_one_of_both_headers_is_required(sandbox, headers):
    answer = await client_of(sandbox, **headers).get(f"{BASE}/workspaces")
    assert answer.status_code == 401
    assert set(answer.json()) == {"status", "message", "error_code"}


async def test_request_body_and_success_response(client):
    made = await client.post(
        f"{BASE}/workspaces", json={"name": "my-workspace", "config": {"description": "Production workspace"}}
    )
    assert made.status_code == 201
    assert made.json()["status"] == "success"
    shown = made.json()["data"]
    assert re.fullmatch(r"ws_[0-9]+", shown["id"])
    assert shown["name"] == "my-workspace" and shown["created_at"] == "2024-01-15T10:30:00Z"
    read = await client.get(f"{BASE}/workspaces/{shown['id']}")
    assert read.json()["data"]["config"] == {"description": "Production workspace"}


async def test_error_response(client):
    answer = await client.get(f"{BASE}/workspaces/ws_1")
    assert answer.status_code == 404
    assert answer.json() == {
        "status": "failed",
        "message": "Workspace not found",
        "error_code": "WORKSPACE_NOT_FOUND",
    }


async def test_the_header_x_workspace_scopes(client):
    for name in ("one", "two"):
        await client.post(f"{BASE}/workspaces", json={"name": name})
    made = await client.post(f"{BASE}/mappings", json={"name": "orders"}, headers={"X-Workspace": "one"})
    assert made.status_code == 201
    rows = [
        (await client.get(f"{BASE}/mappings", headers={"X-Workspace": name})).json()["data"] for name in ("one", "two")
    ]
    assert [len(each) for each in rows] == [1, 0]
    none = await client.get(f"{BASE}/mappings", headers={"X-Workspace": "three"})
    assert (none.status_code, none.json()["error_code"]) == (404, "WORKSPACE_NOT_FOUND")
    assert (await client.get(f"{BASE}/mappings")).status_code == 400


async def test_every_status_code_of_the_table(sandbox, client):
    reader = client_of(sandbox, **{"X-API-Key": sandbox.world.create_token("1h", scopes=("read",)).value})
    body = {"name": "w"}
    answers = [
        await client.get(f"{BASE}/workspaces"),
        await client.post(f"{BASE}/workspaces", json=body),
        await client.post(f"{BASE}/workspaces", content="{", headers={"Content-Type": "application/json"}),
        await client_of(sandbox).get(f"{BASE}/workspaces"),
        await reader.post(f"{BASE}/workspaces", json=body),
        await client.get(f"{BASE}/workspaces/none"),
        await client.post(f"{BASE}/workspaces", json={"config": {}}),
    ]
    for fault in ("rate-limited", "server-error"):
        sandbox.world.faults.replace([{"fault": fault}])
        answers.append(await client.get(f"{BASE}/workspaces"))
    assert [answer.status_code for answer in answers] == [200, 201, 400, 401, 403, 404, 422, 429, 500]
    for answer in answers[2:]:
        assert answer.json()["status"] == "failed"
        assert set(answer.json()) == {"status", "message", "error_code"}


async def test_pagination(sandbox, client):
    sandbox.world.person_create({"type": "workspace", "name": "production"})
    for number in range(150):
        sandbox.world.person_create({"type": "mapping", "name": f"t{number:03}", "workspace": "production"})
    headers = {"X-Workspace": "production"}
    answer = await client.get(f"{BASE}/mappings?page=1&page_size=50", headers=headers)
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "data", "pagination"}
    assert answer.json()["pagination"] == {"page": 1, "page_size": 50, "total_items": 150, "total_pages": 3}
    assert len(answer.json()["data"]) == 50
    past = await client.get(f"{BASE}/mappings?page=4&page_size=50", headers=headers)
    assert past.json()["data"] == [] and past.json()["pagination"]["total_items"] == 150


async def test_rate_limit_headers():
    sandbox = Sandbox(platform="datalinx", clock=VirtualClock(1_705_320_000.0 - 60))
    client = client_of(sandbox, **{"X-API-Key": TOKEN})
    for _ in range(5):
        answer = await client.get(f"{BASE}/workspaces")
    assert answer.headers["X-RateLimit-Limit"] == "300"
    assert answer.headers["X-RateLimit-Remaining"] == "295"
    assert answer.headers["X-RateLimit-Reset"] == "1705320000"


@pytest.mark.parametrize(("tier", "limit", "burst"), [("free", 60, 10), ("pro", 300, 50), ("enterprise", 1000, 1000)])
async def test_the_tiers(tier, limit, burst):
    assert TIERS[tier] == (limit, burst)
    sandbox = Sandbox(platform="datalinx", switches={"tier": tier})
    client = client_of(sandbox, **{"X-API-Key": TOKEN})
    answers = [await client.get(f"{BASE}/workspaces") for _ in range(burst + 1)]
    assert [answer.status_code for answer in answers] == [200] * burst + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == str(limit)


async def test_the_limit_is_the_organizations():
    sandbox = Sandbox(platform="datalinx", switches={"tier": "free"})
    clients = [client_of(sandbox, **{"X-API-Key": sandbox.world.create_token("1h").value}) for _ in range(2)]
    answers = [await clients[number % 2].get(f"{BASE}/workspaces") for number in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]


CATEGORIES = {
    True: ("sources", "schemas", "mappings", "pipelines", "audiences", "queries", "monitoring", "alerts"),
    False: ("workspaces", "users", "roles", "organizations", "service-accounts"),
}


@pytest.mark.parametrize(("scoped", "path"), [(scoped, path) for scoped, paths in CATEGORIES.items() for path in paths])
async def test_every_category_can_be_listed_created_and_read(sandbox, client, scoped, path):
    sandbox.world.person_create({"type": "workspace", "name": "production"})
    headers = {"X-Workspace": "production"} if scoped else {}
    made = await client.post(f"{BASE}/{path}", json={"name": "first"}, headers=headers)
    assert made.status_code == 201
    identity = made.json()["data"]["id"]
    assert (await client.get(f"{BASE}/{path}/{identity}", headers=headers)).json()["data"]["name"] == "first"
    listed = (await client.get(f"{BASE}/{path}", headers=headers)).json()
    assert identity in [row["id"] for row in listed["data"]]
    assert listed["pagination"]["total_items"] == len(listed["data"])


async def test_analytics_queries_can_be_run(client):
    answer = await client.post(f"{BASE}/analytics/query", json={"query": "select 1"})
    assert answer.status_code == 200 and answer.json()["status"] == "success"


async def test_webhook(sandbox, client):
    config = {"webhooks": [{"url": "https://hooks.example.com/x", "events": ["pipeline.completed"]}]}
    await client.post(f"{BASE}/workspaces", json={"name": "production", "config": config})
    headers = {"X-Workspace": "production"}
    pipeline = (await client.post(f"{BASE}/pipelines", json={"name": "daily"}, headers=headers)).json()["data"]
    assert re.fullmatch(r"pl_[0-9]+", pipeline["id"])
    sandbox.world.switches.change({"ready_after": 0.0})
    assert (await client.post(f"{BASE}/pipelines/{pipeline['id']}/run", headers=headers)).status_code == 201
    (delivery,) = sandbox.world.webhooks.delivered
    assert delivery.url == "https://hooks.example.com/x"
    assert delivery.payload == {
        "event": "pipeline.completed",
        "workspace": "production",
        "pipeline_id": pipeline["id"],
        "status": "success",
        "timestamp": "2024-01-15T10:30:00Z",
    }


async def test_no_other_version_is_served(client):
    answer = await client.get(f"{BASE}/v2/workspaces")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


async def test_openapi_specification(sandbox):
    answer = await client_of(sandbox).get(f"{BASE}/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.") and document["info"]["version"] == "v1"
    assert {"/workspaces", "/mappings", "/auth/login", "/openapi.json"} <= set(document["paths"])


async def test_put_takes_a_json_body_as_post_does(client):
    made = (await client.post(f"{BASE}/workspaces", json={"name": "my-workspace"})).json()["data"]
    body = {"name": "my-workspace", "config": {"description": "Production workspace"}}
    answer = await client.put(f"{BASE}/workspaces/{made['id']}", json=body)
    assert answer.status_code == 200 and answer.json()["status"] == "success"
    assert answer.json()["data"]["config"] == {"description": "Production workspace"}


async def test_a_wrong_password_is_refused(sandbox):
    answer = await client_of(sandbox).post(f"{BASE}/auth/login", json={"email": "user@example.com", "password": "no"})
    assert answer.status_code == 401 and answer.json()["status"] == "failed"


async def test_a_pipeline_is_run_in_its_workspace(client):
    """`datalinx pipeline run --workspace production`; no path is printed."""
    await client.post(f"{BASE}/workspaces", json={"name": "production"})
    headers = {"X-Workspace": "production"}
    pipeline = (await client.post(f"{BASE}/pipelines", json={"name": "daily"}, headers=headers)).json()["data"]
    assert (await client.post(f"{BASE}/pipelines/{pipeline['id']}/run")).status_code == 400
    assert (await client.post(f"{BASE}/pipelines/{pipeline['id']}/run", headers=headers)).status_code == 201
