"""Every request and answer that the DataOps.live page prints, against the sandbox.

The page's placeholders (`<example-name>`) stand for names that a GitLab takes. An answer may hold members that the
example leaves out ("..."); it never lacks one.
"""

from __future__ import annotations

import httpx
import pytest

from tests.unit.sandbox.support import TOKEN, Sandbox, SandboxTransport

BASE = "https://app.dataops.live/api/v4"


def client_of(sandbox: Sandbox, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=SandboxTransport(sandbox.app), headers=headers)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(platform="dataops-live")


@pytest.fixture
def client(sandbox) -> httpx.AsyncClient:
    return client_of(sandbox, **{"private-token": TOKEN})


async def test_valid_api_request(sandbox):
    sandbox.world.person_create({"type": "group", "name": "acme", "path": "acme"})
    sandbox.world.person_create({"name": "hidden", "workspace": "acme"})
    answer = await client_of(sandbox).get(f"{BASE}/projects")
    assert answer.status_code == 200
    assert answer.json() == []


@pytest.mark.parametrize("headers", [{}, {"private-token": "wrong"}, {"private-token": ""}])
async def test_authentication_that_is_missing_or_not_valid(sandbox, headers):
    answer = await client_of(sandbox, **headers).get(f"{BASE}/namespaces")
    assert answer.status_code == 401
    assert answer.json() == {"message": "401 Unauthorized"}


async def test_a_wrong_token_is_refused_where_none_is_not(sandbox):
    answer = await client_of(sandbox, **{"private-token": "wrong"}).get(f"{BASE}/projects")
    assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})


async def test_access_tokens(client):
    await client.post(
        f"{BASE}/projects", json={"name": "Example project name", "description": "Example project description"}
    )
    answer = await client.get(f"{BASE}/projects")
    assert answer.status_code == 200
    (project,) = answer.json()
    assert isinstance(project["id"], int)
    assert project["description"] == "Example project description"
    assert project["name"] == "Example project name"


async def test_pipeline_trigger_token_is_good_for_its_endpoint_only(sandbox, client):
    project = (await client.post(f"{BASE}/projects", json={"name": "orders"})).json()
    token = (await client.post(f"{BASE}/projects/{project['id']}/triggers", json={"description": "ci"})).json()["token"]
    stranger = client_of(sandbox)
    started = await stranger.post(
        f"{BASE}/projects/{project['id']}/trigger/pipeline", data={"token": token, "ref": "main"}
    )
    assert started.status_code == 201 and started.json()["status"] == "created"
    refused = await client_of(sandbox, **{"private-token": token}).get(f"{BASE}/namespaces")
    assert refused.status_code == 401


async def test_offset_based_pagination(sandbox, client):
    sandbox.world.person_create({"type": "group", "name": "Example group name", "path": "example-group-name"})
    answer = await client.get(f"{BASE}/namespaces?per_page=30&page=1")
    assert answer.status_code == 200
    printed = {"name": "Example group name", "path": "example-group-name", "kind": "group"}
    rows = [{word: row[word] for word in printed} for row in answer.json() if isinstance(row["id"], int)]
    assert printed in rows


@pytest.mark.parametrize(("query", "rows"), [("", 20), ("?per_page=100", 100), ("?per_page=101", 100), ("?page=6", 3)])
async def test_per_page_is_20_by_default_and_100_at_most(sandbox, client, query, rows):
    for number in range(102):  # and the caller's own namespace
        sandbox.world.person_create({"type": "group", "name": f"g{number}", "path": f"g{number}"})
    answer = await client.get(f"{BASE}/namespaces{query}")
    assert len(answer.json()) == rows


async def test_json_payload(client):
    answer = await client.post(
        f"{BASE}/projects",
        content='{"name":"example-name", "description":"example-description"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["description"]) == ("example-name", "example-description")


async def test_json_is_the_default(client):
    answer = await client.post(f"{BASE}/projects", content='{"name":"example-name"}')
    assert answer.status_code == 201 and answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("multipart", [True, False])
async def test_form_fields(client, multipart):
    fields = {
        "name": "example-name",
        "description": "example-description",
        "permissions[project_access]": "null",
    }
    sent = {"files": {name: (None, value) for name, value in fields.items()}} if multipart else {"data": fields}
    answer = await client.post(f"{BASE}/projects", **sent)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["description"]) == ("example-name", "example-description")
    assert made["permissions"]["project_access"] is None


@pytest.mark.parametrize("form", [True, False])
async def test_put_takes_the_same_payloads(client, form):
    made = (await client.post(f"{BASE}/projects", json={"name": "orders"})).json()
    sent = {"data": {"description": "new"}} if form else {"json": {"description": "new"}}
    answer = await client.put(f"{BASE}/projects/{made['id']}", **sent)
    assert answer.status_code == 200
    assert answer.json()["description"] == "new"


async def test_the_pages_posts_have_no_token_and_need_one(sandbox):
    """Its two examples of a payload leave the header out; "all API requests require authentication"."""
    for sent in ({"json": {"name": "example-name"}}, {"data": {"name": "example-name"}}):
        answer = await client_of(sandbox).post(f"{BASE}/projects", **sent)
        assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})


async def test_project_and_group_tokens_are_used_like_personal_ones(sandbox):
    """The same header; they see what they were made for."""
    for name in ("acme", "other"):
        sandbox.world.person_create({"type": "group", "name": name, "path": name})
        sandbox.world.person_create({"name": "orders", "workspace": name})
    token = sandbox.world.create_token("1h", workspaces=("acme",)).value
    answer = await client_of(sandbox, **{"private-token": token}).get(f"{BASE}/projects")
    assert [row["path_with_namespace"] for row in answer.json()] == ["acme/orders"]


async def test_include_shows_the_headers_of_an_answer(client):
    answer = await client.get(f"{BASE}/projects")
    told = {"x-page": "1", "x-per-page": "20", "x-total": "0", "x-next-page": "", "content-type": "application/json"}
    assert {name: answer.headers[name] for name in told} == told
