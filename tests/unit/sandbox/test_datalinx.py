"""The emulated Datalinx AI where its page is silent: names, secrets, accounts, runs, faults, restarts, people."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from agent.sandbox import Refusal
from agent.sandbox.datalinx_kinds import KINDS, ROUTES
from tests.unit.sandbox.support import START, TOKEN, Sandbox, SandboxTransport


class Datalinx(Sandbox):
    """With a workspace `w`, and requests that carry the key and its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"platform": "datalinx", "limits": False, **options})
        if not self.world.commits:
            self.world.person_create({"type": "workspace", "name": "w"})
        self.client = self.with_headers({"X-API-Key": TOKEN, "X-Workspace": "w"})

    def with_headers(self, headers: dict[str, str]) -> httpx.AsyncClient:
        headers = {"User-Agent": "tests/1.0", **headers}
        return httpx.AsyncClient(transport=SandboxTransport(self.app), base_url="http://host/api", headers=headers)

    async def login(self, email: str = "user@example.com", password: str = TOKEN) -> httpx.Response:
        return await self.with_headers({}).post("/auth/login", json={"email": email, "password": password})

    async def made(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]


@pytest.fixture
def datalinx() -> Datalinx:
    return Datalinx()


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["status"] == "failed"
    return answer.status_code, answer.json()["error_code"]


async def test_a_login_token_is_a_jwt_that_says_when_it_ends(datalinx):
    token = (await datalinx.login()).json()["access_token"]
    claims = token.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (said["sub"], said["exp"] - said["iat"], said["iat"]) == ("user@example.com", 3600, int(START))
    assert (await datalinx.login()).json()["access_token"] != token


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "user@example.com", "password": "wrong"}, 401),
        ({"email": "other@example.com", "password": TOKEN}, 401),
        ({"email": "user@example.com"}, 422),
        ({"email": ["user@example.com"], "password": TOKEN}, 422),
    ],
)
async def test_a_wrong_login_is_refused(datalinx, body, status):
    answer = await datalinx.with_headers({}).post("/auth/login", json=body)
    assert code(answer)[0] == status


async def test_a_token_of_a_login_is_no_password_and_no_key(datalinx):
    token = (await datalinx.login()).json()["access_token"]
    assert (await datalinx.login(password=token)).status_code == 401
    assert (await datalinx.with_headers({"X-API-Key": token}).get("/workspaces")).status_code == 401


async def test_ended_tokens_are_forgotten_at_the_next_login(datalinx):
    await datalinx.login()
    datalinx.clock.at += 3600
    await datalinx.login()
    assert len(datalinx.world.tokens) == 2


async def test_a_user_logs_in_with_a_password_that_is_never_shown(datalinx):
    made = await datalinx.made("/users", name="Ana", email="ana@example.com", password="canary", role="viewer")
    assert made["password"] == "********" and made["email"] == "ana@example.com"
    token = (await datalinx.login("ana@example.com", "canary")).json()["access_token"]
    viewer = datalinx.with_headers({"Authorization": f"Bearer {token}"})
    assert (await viewer.get("/workspaces")).status_code == 200
    assert code(await viewer.post("/workspaces", json={"name": "x"})) == (403, "FORBIDDEN")
    assert "canary" not in json.dumps([commit.after for commit in datalinx.world.commits])


async def test_the_key_counts_where_both_come(datalinx):
    token = (await datalinx.login()).json()["access_token"]
    both = datalinx.with_headers({"X-API-Key": "wrong", "Authorization": f"Bearer {token}"})
    assert code(await both.get("/workspaces")) == (401, "UNAUTHORIZED")


async def test_the_life_of_a_service_account(datalinx):
    made = await datalinx.made("/service-accounts", name="ci", role="admin")
    url, key = f"/service-accounts/{made['id']}", made["api_key"]
    assert "api_key" not in (await datalinx.client.get(url)).json()["data"]
    info = (await datalinx.client.get(f"{url}/api-key-info")).json()["data"]
    assert info["api_key"] == f"{key[:6]}********"
    assert code(await datalinx.client.put(url, json={"name": "ci"})) == (405, "METHOD_NOT_ALLOWED")
    rotated = (await datalinx.client.post(f"{url}/rotate-key")).json()["data"]["api_key"]
    statuses = [
        (await datalinx.with_headers({"X-API-Key": each}).get("/workspaces")).status_code for each in (key, rotated)
    ]
    assert statuses == [401, 200]
    assert (await datalinx.client.delete(url)).status_code == 200
    assert (await datalinx.with_headers({"X-API-Key": rotated}).get("/workspaces")).status_code == 401


async def test_a_doubled_prefix_is_the_same_path(datalinx):
    assert (await datalinx.client.get("http://host/api/api/service-accounts")).status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/workspaces/", "/", "//workspaces"])
async def test_what_is_not_served_is_not_found(datalinx, path):
    assert code(await datalinx.client.get(f"http://host/api{path}"))[0] == 404


async def test_names_are_unique_in_a_workspace(datalinx):
    datalinx.world.person_create({"type": "workspace", "name": "other"})
    await datalinx.made("/sources", name="s")
    assert code(await datalinx.client.post("/sources", json={"name": "s"})) == (422, "SOURCE_ALREADY_EXISTS")
    elsewhere = await datalinx.client.post("/sources", json={"name": "s"}, headers={"X-Workspace": "other"})
    assert elsewhere.status_code == 201
    assert code(await datalinx.client.get(f"/sources/{elsewhere.json()['data']['id']}")) == (404, "SOURCE_NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 5}, {"name": "x" * 256}, {"name": "x", "config": []}])
async def test_a_body_that_cannot_be_is_refused(datalinx, body):
    assert code(await datalinx.client.post("/sources", json=body)) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("content", "content_type"), [(b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")]
)
async def test_a_body_that_cannot_be_read_is_refused(datalinx, content, content_type):
    answer = await datalinx.client.post("/sources", content=content, headers={"Content-Type": content_type})
    assert code(answer) == (400, "INVALID_REQUEST")


async def test_put_replaces_and_keeps_the_name(datalinx):
    made = await datalinx.made("/sources", name="s", config={"host": "a", "port": 1}, note="x")
    datalinx.clock.at += 60
    url = f"/sources/{made['id']}"
    shown = (await datalinx.client.put(url, json={"name": "s", "config": {"host": "b"}})).json()["data"]
    assert shown["config"] == {"host": "b"} and "note" not in shown
    assert shown["created_at"] == made["created_at"] and shown["updated_at"] > made["updated_at"]
    assert (await datalinx.client.put(url, json={"config": {}})).status_code == 200
    assert code(await datalinx.client.put(url, json={"name": "t"})) == (422, "VALIDATION_ERROR")


async def test_what_only_the_server_sets_is_ignored_in_a_body(datalinx):
    made = await datalinx.made("/sources", name="s", id="src_1", created_at="1999-01-01T00:00:00Z")
    assert made["id"] != "src_1" and made["created_at"] == "2024-01-01T00:00:00Z"


async def test_the_server_adds_defaults_where_the_switch_says_so(datalinx):
    datalinx.world.switches.change({"section_defaults": {"source": {"config": {"port": 5432}, "enabled": True}}})
    made = await datalinx.made("/sources", name="s", config={"host": "a"})
    assert made["config"] == {"host": "a", "port": 5432} and made["enabled"] is True


async def test_secrets_are_masked_on_read_and_a_mask_keeps_them(datalinx):
    made = await datalinx.made("/sources", name="s", config={"password": "canary", "deep": [{"token": "canary"}]})
    assert made["config"] == {"password": "********", "deep": [{"token": "********"}]}
    url = f"/sources/{made['id']}"
    kept = await datalinx.client.put(url, json={"config": {**made["config"], "host": "a"}})
    assert kept.json()["data"]["config"]["host"] == "a"
    record = next(record for key, record in datalinx.world.records.items() if key[1] == "source")
    assert record["body"]["config"]["password"] == "canary"
    assert "canary" not in json.dumps([commit.after for commit in datalinx.world.commits])


async def test_a_mapping_is_its_table(datalinx):
    made = await datalinx.made("/mappings", table_name="orders")
    assert made["name"] == made["table_name"] == "orders"
    for reference in ("orders", made["id"]):
        assert (await datalinx.client.get(f"/mappings/{reference}")).json()["data"] == made
    assert code(await datalinx.client.post("/mappings", json={"name": "a", "table_name": "b"}))[0] == 422
    assert (await datalinx.client.get("/mappings/orders/tables")).json()["data"] == ["orders"]
    assert (await datalinx.client.get("/mappings/orders/dbt-code")).json()["data"]["table_name"] == "orders"
    listed = (await datalinx.client.get("/mappings?include_workspace=true")).json()["data"]
    assert listed == [{**made, "workspace": "w"}]


async def test_a_workspace_takes_with_it_what_it_holds(datalinx):
    await datalinx.made("/sources", name="s")
    identity = (await datalinx.client.get("/workspaces")).json()["data"][0]["id"]
    assert (await datalinx.client.delete(f"/workspaces/{identity}")).status_code == 200
    assert code(await datalinx.client.get("/sources")) == (404, "WORKSPACE_NOT_FOUND")
    assert [commit.name for commit in datalinx.world.commits if commit.after is None] == ["s", "w"]


async def test_what_is_used_is_not_deleted_where_the_switch_says_so(datalinx):
    datalinx.world.switches.change({"refuse_dependents": True})
    source = await datalinx.made("/sources", name="s")
    mapping = await datalinx.made("/mappings", name="m", source="s")
    assert code(await datalinx.client.delete(f"/sources/{source['id']}")) == (422, "SOURCE_IN_USE")
    identity = (await datalinx.client.get("/workspaces")).json()["data"][0]["id"]
    assert code(await datalinx.client.delete(f"/workspaces/{identity}")) == (422, "WORKSPACE_NOT_EMPTY")
    for url in (f"/mappings/{mapping['id']}", f"/sources/{source['id']}", f"/workspaces/{identity}"):
        assert (await datalinx.client.delete(url)).status_code == 200


async def test_a_key_for_some_workspaces_has_no_others(datalinx):
    datalinx.world.person_create({"type": "workspace", "name": "other"})
    key = datalinx.world.create_token("1h", workspaces=("other",)).value
    client = datalinx.with_headers({"X-API-Key": key})
    assert [row["name"] for row in (await client.get("/workspaces")).json()["data"]] == ["other"]
    assert code(await client.get("/sources", headers={"X-Workspace": "w"})) == (403, "FORBIDDEN")
    assert (await client.get("/sources", headers={"X-Workspace": "other"})).status_code == 200
    assert code(await client.post("/workspaces", json={"name": "w2"})) == (403, "FORBIDDEN")


async def test_a_run_ends_and_the_next_request_carries_its_event(datalinx):
    hooks = [{"url": "https://a.example.com"}, {"url": "https://b.example.com", "events": ["other"]}, {"url": "file:x"}]
    datalinx.world.person_edit("workspace", "w", {"config": {"webhooks": hooks}})
    datalinx.world.switches.change({"fail_names": ["bad"]})
    runs = {}
    for name in ("good", "bad"):
        pipeline = await datalinx.made("/pipelines", name=name)
        run = (await datalinx.client.post(f"/pipelines/{pipeline['id']}/run")).json()["data"]
        assert run["status"] == "running"
        runs[pipeline["id"]] = run["id"]
    assert not datalinx.world.webhooks.delivered
    datalinx.clock.at += 2
    shown = [(await datalinx.client.get(f"/pipelines/{one}/runs/{run}")).json()["data"] for one, run in runs.items()]
    assert [each["status"] for each in shown] == ["success", "failed"]
    told = [(delivery.url, delivery.payload["status"]) for delivery in datalinx.world.webhooks.delivered]
    assert told == [("https://a.example.com", "success"), ("https://a.example.com", "failed")]
    listed = (await datalinx.client.get(f"/pipelines/{next(iter(runs))}/runs")).json()
    assert listed["data"] == shown[:1] and listed["pagination"]["total_items"] == 1


async def test_the_runs_of_a_deleted_pipeline_are_gone_and_not_told(datalinx):
    datalinx.world.person_edit("workspace", "w", {"config": {"webhooks": [{"url": "https://a.example.com"}]}})
    pipeline = await datalinx.made("/pipelines", name="p")
    await datalinx.client.post(f"/pipelines/{pipeline['id']}/run")
    await datalinx.client.delete(f"/pipelines/{pipeline['id']}")
    datalinx.clock.at += 2
    assert code(await datalinx.client.get(f"/pipelines/{pipeline['id']}/runs")) == (404, "PIPELINE_NOT_FOUND")
    assert not datalinx.world.webhooks.delivered


@pytest.mark.parametrize("query", ["page=0", "page_size=0", "page=x", "page_size=-1"])
async def test_a_page_that_is_no_number_is_refused(datalinx, query):
    assert code(await datalinx.client.get(f"/sources?{query}")) == (422, "VALIDATION_ERROR")


async def test_a_page_is_50_rows_by_default_and_as_many_as_the_switch_says_at_most(datalinx):
    for number in range(51):
        datalinx.world.person_create({"type": "role", "name": f"r{number}"})
    assert len((await datalinx.client.get("/roles")).json()["data"]) == 50
    datalinx.world.switches.change({"limit_max": 20})
    page = (await datalinx.client.get("/roles?page_size=21&page=3")).json()
    assert page["pagination"] == {"page": 3, "page_size": 20, "total_items": 51, "total_pages": 3}
    assert len(page["data"]) == 11


async def test_a_refusal_can_come_with_200(datalinx):
    datalinx.world.switches.change({"failures_as_200": True})
    assert code(await datalinx.client.get("/workspaces/none")) == (200, "WORKSPACE_NOT_FOUND")
    datalinx.world.switches.change({"failures_as_200": False})
    datalinx.world.faults.add({"do": "answer", "status": 200, "method": "POST", "after": True})
    assert code(await datalinx.client.post("/sources", json={"name": "s"})) == (200, "INTERNAL_ERROR")
    assert datalinx.world.commits[-1].name == "s"


@pytest.mark.parametrize(
    ("fault", "status", "error_code"),
    [
        ("not-found", 404, "SOURCE_NOT_FOUND"),
        ("rate-limited", 429, "RATE_LIMITED"),
        ("server-error", 500, "INTERNAL_ERROR"),
    ],
)
async def test_faults_speak_as_the_platform_does(datalinx, fault, status, error_code):
    datalinx.world.faults.add({"fault": fault})
    assert code(await datalinx.client.get("/sources/src_1")) == (status, error_code)


async def test_faults_find_the_rows_and_their_number(datalinx):
    await datalinx.made("/sources", name="s")
    for fault, rows, total in (("empty-list", 0, 0), ("wrong-total", 1, 8), ("null-rows", None, 1)):
        datalinx.world.faults.replace([{"fault": fault}])
        page = (await datalinx.client.get("/sources")).json()
        assert page["pagination"]["total_items"] == total
        assert page["data"] is None if rows is None else len(page["data"]) == rows


async def test_a_stale_read_shows_what_was(datalinx):
    made = await datalinx.made("/sources", name="s", config={"host": "a"})
    datalinx.clock.at += 10
    await datalinx.client.delete(f"/sources/{made['id']}")
    assert (await datalinx.client.get(f"/sources/{made['id']}")).status_code == 404
    datalinx.world.switches.change({"lag": 5.0})
    assert (await datalinx.client.get(f"/sources/{made['id']}")).json()["data"] == made
    assert (await datalinx.client.get("/sources")).json()["pagination"]["total_items"] == 1


async def test_everything_survives_a_restart(tmp_path):
    first = Datalinx(state=tmp_path / "state.db", ready_after=10.0)
    first.world.person_edit("workspace", "w", {"config": {"webhooks": [{"url": "https://a.example.com"}]}})
    pipeline = await first.made("/pipelines", name="p")
    account = await first.made("/service-accounts", name="ci")
    bearer = (await first.login()).json()["access_token"]
    await first.client.post(f"/pipelines/{pipeline['id']}/run")
    shown = first.world.resources()
    first.world.close()
    second = Datalinx(state=tmp_path / "state.db")
    assert second.world.resources() == shown
    assert (await second.client.get(f"/pipelines/{pipeline['id']}")).json()["data"] == pipeline
    for headers in ({"X-API-Key": account["api_key"]}, {"Authorization": f"Bearer {bearer}"}):
        assert (await second.with_headers(headers).get("/workspaces")).status_code == 200
    second.clock.at += 10
    await second.client.get("/workspaces")
    assert [delivery.payload["pipeline_id"] for delivery in second.world.webhooks.delivered] == [pipeline["id"]]
    assert (await second.made("/pipelines", name="q"))["id"] > pipeline["id"]
    second.world.close()


async def test_a_commit_names_the_workspace(datalinx):
    await datalinx.made("/sources", name="s")
    commit = datalinx.world.commits[-1]
    assert (commit.platform, commit.type, commit.workspace, commit.name) == ("datalinx", "source", "w", "s")
    assert commit.agent == "tests/1.0" and commit.before is None and commit.after["name"] == "s"


def test_what_is_there_from_the_beginning_is_nobodys_commit():
    sandbox = Sandbox(platform="datalinx")
    assert not sandbox.world.commits
    assert [each["type"] for each in sandbox.world.resources()] == ["user", "organization"]


def test_a_person_clicks(datalinx):
    world = datalinx.world
    world.person_create({"type": "source", "name": "s", "workspace": "w", "config": {"a": 1, "b": 2}})
    shown = world.person_edit("source", "s", {"config": {"a": None, "c": 3}}, workspace="w")
    assert shown["config"] == {"b": 2, "c": 3}
    world.person_delete("source", "s", workspace="w")
    world.person_delete("workspace", "w")
    assert all(commit.person for commit in world.commits) and len(world.commits) == 5
    for document in ({"type": "wish", "name": "x"}, {"type": "source", "name": "x", "workspace": "none"}):
        with pytest.raises(Refusal):
            world.person_create(document)


async def test_the_openapi_document_has_every_route_and_no_other(datalinx):
    document = (await datalinx.client.get("/openapi.json")).json()
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    identities = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(identities) == len(set(identities))
    assert len(document["components"]["schemas"]) == len(KINDS) + 1
    assert "/service-accounts/{id}" in document["paths"] and "put" not in document["paths"]["/service-accounts/{id}"]


async def test_every_route_that_is_described_is_served(datalinx):
    for route in ROUTES:
        path = route.path.replace("{id}", "none").replace("{table_name}", "none").replace("{run_id}", "none")
        answer = await datalinx.client.request(route.method, path, json={} if route.method in ("POST", "PUT") else None)
        assert answer.status_code != 405 and answer.json().get("error_code") != "NOT_FOUND", route.path
