"""The emulated DataOS beyond its page's examples: order, defaults, refusals, and what the switches change."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.support import WORKFLOW, Sandbox, error_code


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


async def test_a_new_resource_is_pending_until_ready_after_has_passed(sandbox):
    await sandbox.create()
    sandbox.clock.at += 1.9
    assert (await sandbox.shown())["status"] == "pending"
    sandbox.clock.at += 0.1
    assert (await sandbox.shown())["status"] == "active"


async def test_put_replaces_the_whole_document_and_starts_over(sandbox):
    await sandbox.create()
    sandbox.clock.at += 100
    shorter = {"name": "daily-etl", "version": "v1", "type": "workflow", "workflow": {"dag": []}}
    answer = await sandbox.client.put("/v1/resources/workflow/daily-etl?workspace=analytics", json=shorter)
    assert answer.status_code == 200
    shown = await sandbox.shown()
    assert shown["status"] == "pending"
    assert shown["spec"] == {"workflow": {"dag": []}}
    assert "description" not in shown and "tags" not in shown
    assert shown["created"] == "2024-01-01T00:00:00Z"
    sandbox.clock.at += 2
    assert (await sandbox.shown())["status"] == "active"


async def test_a_name_in_a_list_of_failing_names_ends_as_failed(sandbox):
    sandbox.world.switches.change({"fail_names": ["daily-etl"]})
    await sandbox.create()
    await sandbox.create(name="other")
    sandbox.clock.at += 2
    assert (await sandbox.shown())["status"] == "failed"
    assert (await sandbox.shown("other"))["status"] == "active"


async def test_a_share_of_failures_is_the_same_for_the_same_seed():
    async def statuses(seed: int) -> list[str]:
        sandbox = Sandbox(seed=seed, ready_after=0.0, switches={"fail_share": 0.5})
        for number in range(20):
            await sandbox.create(name=f"n{number}")
        return [resource["status"] for resource in sandbox.world.resources()]

    assert await statuses(7) == await statuses(7)
    assert {"active", "failed"} == set(await statuses(7))


async def test_unknown_members_are_kept_and_shown_under_spec(sandbox):
    await sandbox.create(title="A title", runAsUser="ana")
    spec = (await sandbox.shown())["spec"]
    assert spec["title"] == "A title" and spec["runAsUser"] == "ana" and spec["workflow"] == WORKFLOW["workflow"]


async def test_what_only_the_server_sets_is_ignored_in_a_body(sandbox):
    await sandbox.create(status="active", created="1999-01-01T00:00:00Z")
    shown = await sandbox.shown()
    assert shown["status"] == "pending" and shown["created"] == "2024-01-01T00:00:00Z"
    assert "status" not in shown["spec"]


async def test_owner_is_the_caller_only_where_none_is_written(sandbox):
    token = sandbox.world.create_token("1h", owner="ana")
    client = sandbox.client_with(token.value)
    await client.post("/v1/resources", json=WORKFLOW)
    await client.post("/v1/resources", json={**WORKFLOW, "name": "other", "owner": "bo"})
    assert (await sandbox.shown())["owner"] == "ana"
    assert (await sandbox.shown("other"))["owner"] == "bo"
    sandbox.world.switches.change({"force_owner": True})
    await client.post("/v1/resources", json={**WORKFLOW, "name": "third", "owner": "bo"})
    assert (await sandbox.shown("third"))["owner"] == "ana"


async def test_tags_are_as_written_unless_the_server_adds_its_own(sandbox):
    await sandbox.create()
    assert (await sandbox.shown())["tags"] == ["production", "daily"]
    sandbox.world.switches.change({"server_tags": True})
    await sandbox.create(name="other")
    added = ["dataos:type:resource", "dataos:resource:workflow", "dataos:layer:user", "dataos:workspace:analytics"]
    assert (await sandbox.shown("other"))["tags"] == ["production", "daily", *added]


async def test_section_defaults_are_filled_in_where_nothing_is_written(sandbox):
    sandbox.world.switches.change({"section_defaults": {"workflow": {"schedule": {"timezone": "UTC", "cron": "x"}}}})
    await sandbox.create()
    assert (await sandbox.shown())["spec"]["workflow"]["schedule"] == {"cron": "0 2 * * *", "timezone": "UTC"}


async def test_a_workspace_level_type_without_one_lands_in_public(sandbox):
    await sandbox.create(workspace=None)
    assert (await sandbox.shown(workspace="public"))["workspace"] == "public"
    assert (await sandbox.client.get("/v1/resources/workflow/daily-etl")).status_code == 200
    assert (await sandbox.client.get("/v1/resources/workflow/daily-etl?workspace=analytics")).status_code == 404


async def test_an_instance_level_type_has_no_workspace(sandbox):
    await sandbox.client.post(
        "/v1/resources", json={"name": "lake", "version": "v1", "type": "depot", "workspace": "analytics", "depot": {}}
    )
    for query in ("", "?workspace=analytics"):
        shown = (await sandbox.client.get(f"/v1/resources/depot/lake{query}")).json()
        assert shown["name"] == "lake" and "workspace" not in shown
    listed = (await sandbox.client.get("/v1/resources?type=depot&workspace=analytics")).json()
    assert [row["name"] for row in listed["data"]] == ["lake"]


async def test_one_name_may_exist_once_in_each_workspace(sandbox):
    assert (await sandbox.create()).status_code == 201
    assert (await sandbox.create(workspace="sales")).status_code == 201
    again = await sandbox.create()
    assert again.status_code == 409 and error_code(again) == "RESOURCE_ALREADY_EXISTS"


async def test_pages_hold_twenty_rows_unless_told_otherwise(sandbox):
    for number in range(21):
        await sandbox.create(name=f"n{number:02}")
    first = (await sandbox.client.get("/v1/resources")).json()
    assert len(first["data"]) == 20 and first["meta"] == {"total": 21, "limit": 20, "offset": 0}
    rest = (await sandbox.client.get("/v1/resources?limit=5&offset=20")).json()
    assert [row["name"] for row in rest["data"]] == ["n20"]
    assert (await sandbox.client.get("/v1/resources?offset=21")).json()["data"] == []


async def test_a_limit_above_the_largest_is_lowered_and_says_so(sandbox):
    sandbox.world.switches.change({"limit_max": 2})
    for number in range(3):
        await sandbox.create(name=f"n{number}")
    page = (await sandbox.client.get("/v1/resources?limit=2")).json()
    assert page["meta"]["limit"] == 2
    page = (await sandbox.client.get("/v1/resources?limit=3")).json()
    assert len(page["data"]) == 2 and page["meta"]["limit"] == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "offset=-1", "offset=1e3"])
async def test_a_page_that_cannot_be_read_is_refused(sandbox, query):
    answer = await sandbox.client.get(f"/v1/resources?{query}")
    assert answer.status_code == 400 and error_code(answer) == "INVALID_REQUEST"


async def test_list_filters_by_type_and_workspace_together(sandbox):
    await sandbox.create()
    await sandbox.create(workspace="sales")
    await sandbox.client.post("/v1/resources", json={"name": "s", "version": "v1", "type": "service"})

    async def total(query: str) -> int:
        return (await sandbox.client.get(f"/v1/resources{query}")).json()["meta"]["total"]

    assert [await total(query) for query in ("", "?type=workflow", "?workspace=analytics")] == [3, 2, 1]
    assert await total("?type=workflow&workspace=sales") == 1
    assert await total("?type=service&workspace=sales") == 0


async def test_delete_removes_at_once_and_a_second_one_finds_nothing(sandbox):
    await sandbox.create()
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    assert (await sandbox.client.delete(url)).status_code == 200
    assert (await sandbox.client.get(url)).status_code == 404
    assert (await sandbox.client.delete(url)).status_code == 404


async def test_a_delayed_delete_stays_readable_until_its_time(sandbox):
    await sandbox.create()
    sandbox.world.switches.change({"delete_delay": 10.0})
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    await sandbox.client.delete(url)
    sandbox.clock.at += 9.9
    assert (await sandbox.shown())["status"] == "deleted"
    assert (await sandbox.create()).status_code == 409
    assert (await sandbox.client.delete(url)).status_code == 409
    sandbox.clock.at += 0.1
    assert (await sandbox.client.get(url)).status_code == 404
    assert (await sandbox.create()).status_code == 201
    assert [commit.after is None for commit in sandbox.world.commits] == [False, True, False]


async def test_delete_is_refused_while_another_depends_on_it_only_if_asked_for(sandbox):
    sandbox.world.person_create({"name": "lake", "version": "v1", "type": "depot", "depot": {}})
    await sandbox.create(workflow={"dag": [{"spec": {"input": "dataos://lake:raw/orders"}}]})
    sandbox.world.switches.change({"refuse_dependents": True})
    answer = await sandbox.client.delete("/v1/resources/depot/lake")
    assert answer.status_code == 409 and "workflow:v1:daily-etl:analytics" in answer.json()["error"]["message"]
    sandbox.world.switches.change({"refuse_dependents": False})
    assert (await sandbox.client.delete("/v1/resources/depot/lake")).status_code == 200


async def test_put_of_what_is_not_there_is_not_found(sandbox):
    answer = await sandbox.client.put("/v1/resources/workflow/daily-etl?workspace=analytics", json=WORKFLOW)
    assert answer.status_code == 404 and error_code(answer) == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("change", [{"name": "other"}, {"type": "service"}, {"workspace": "sales"}])
async def test_put_refuses_a_body_about_another_resource(sandbox, change):
    await sandbox.create()
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    assert (await sandbox.client.put(url, json={**WORKFLOW, **change})).status_code == 400
    assert len(sandbox.world.commits) == 1


async def test_put_without_a_workspace_in_the_path_takes_the_one_of_the_body(sandbox):
    await sandbox.create()
    answer = await sandbox.client.put("/v1/resources/workflow/daily-etl", json={**WORKFLOW, "description": "new"})
    assert answer.status_code == 200
    assert (await sandbox.shown())["description"] == "new"


async def test_a_token_without_the_scope_is_forbidden(sandbox):
    await sandbox.create()
    client = sandbox.client_with(sandbox.world.create_token("1h", scopes=("read",)).value)
    assert (await client.get("/v1/resources")).status_code == 200
    answer = await client.post("/v1/resources", json=WORKFLOW)
    assert answer.status_code == 403 and error_code(answer) == "FORBIDDEN"


async def test_a_token_of_one_workspace_does_not_see_another(sandbox):
    await sandbox.create()
    client = sandbox.client_with(sandbox.world.create_token("1h", workspaces=("sales",)).value)
    assert (await client.get("/v1/resources?workspace=sales")).status_code == 200
    assert (await client.get("/v1/resources")).status_code == 403
    assert (await client.get("/v1/resources/workflow/daily-etl?workspace=analytics")).status_code == 403
    assert (await client.delete("/v1/resources/workflow/daily-etl?workspace=analytics")).status_code == 403
    assert (await client.post("/v1/resources", json=WORKFLOW)).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/v2/resources", "/v1/resources/", "/v1/resources/workflow", "/v1/resources/workflow/a/b", "/v1"]
)
async def test_a_path_that_is_not_on_the_page_is_not_found(sandbox, path):
    answer = await sandbox.client.get(path)
    assert answer.status_code in (400, 404)
    assert (await sandbox.client.delete(path)).status_code in (400, 404, 405)


async def test_a_method_that_is_not_on_the_page_is_refused(sandbox):
    await sandbox.create()
    for method, path in (("PATCH", "/v1/resources/workflow/daily-etl"), ("DELETE", "/v1/resources")):
        assert (await sandbox.client.request(method, path)).status_code == 405
    assert len(sandbox.world.commits) == 1


async def test_reads_lag_behind_writes_by_the_switch(sandbox):
    sandbox.world.switches.change({"lag": 3.0, "ready_after": 0.0})
    await sandbox.create()
    url = "/v1/resources/workflow/daily-etl?workspace=analytics"
    sandbox.clock.at += 2.9
    assert (await sandbox.client.get(url)).status_code == 404
    assert (await sandbox.client.get("/v1/resources")).json()["meta"]["total"] == 0
    sandbox.clock.at += 0.1
    assert (await sandbox.client.get(url)).status_code == 200
    await sandbox.client.delete(url)
    assert (await sandbox.client.get(url)).status_code == 200
    assert (await sandbox.client.get("/v1/resources")).json()["meta"]["total"] == 1
    sandbox.clock.at += 3
    assert (await sandbox.client.get(url)).status_code == 404
    assert (await sandbox.client.get("/v1/resources")).json()["data"] == []
