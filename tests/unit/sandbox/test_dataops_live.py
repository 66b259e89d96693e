"""The emulated DataOps.live where its page is silent: what a GitLab does, under faults, restarts and people."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from agent.sandbox import Refusal, World
from tests.unit.sandbox.support import START, TOKEN, Sandbox, SandboxTransport


class GitLab(Sandbox):
    """With a group `acme`, and requests that carry the token."""

    def __init__(self, **options: Any) -> None:
        super().__init__(platform="dataops-live", **options)
        if not self.world.commits:
            self.world.person_create({"type": "group", "name": "Acme", "path": "acme"})
        self.client = self.with_token(TOKEN)

    def with_token(self, token: str) -> httpx.AsyncClient:
        headers = {"PRIVATE-TOKEN": token, "User-Agent": "tests/1.0"}
        return httpx.AsyncClient(transport=SandboxTransport(self.app), base_url="http://host/api/v4", headers=headers)

    def project(self, name: str = "orders", **members: Any) -> Any:
        return self.world.person_create({"name": name, "workspace": "acme", **members})


@pytest.fixture
def gitlab() -> GitLab:
    return GitLab()


async def test_a_bearer_header_beside_the_token_changes_nothing_and_alone_opens_nothing(gitlab):
    both = await gitlab.client.get("/namespaces", headers={"Authorization": "Bearer whatever"})
    assert both.status_code == 200
    del gitlab.client.headers["PRIVATE-TOKEN"]
    alone = await gitlab.client.get("/namespaces", headers={"Authorization": f"Bearer {TOKEN}"})
    assert alone.status_code == 401


async def test_a_token_ends(gitlab):
    client = gitlab.with_token(gitlab.world.create_token("1h").value)
    gitlab.clock.at += 3599
    assert (await client.get("/user")).status_code == 200
    gitlab.clock.at += 1
    assert (await client.get("/user")).json() == {"message": "401 Unauthorized"}


async def test_a_token_that_may_read_only_is_told_so(gitlab):
    client = gitlab.with_token(gitlab.world.create_token("1h", scopes=("read",)).value)
    answer = await client.post("/projects", json={"name": "x"})
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


async def test_a_group_token_sees_its_own_namespaces_only(gitlab):
    gitlab.project()
    gitlab.world.person_create({"type": "group", "name": "Other", "path": "other"})
    client = gitlab.with_token(gitlab.world.create_token("1h", workspaces=("other",)).value)
    assert (await client.get("/projects/acme%2Forders")).status_code == 404
    assert (await client.get("/projects")).json() == []
    assert [row["path"] for row in (await client.get("/namespaces")).json()] == ["other"]


@pytest.mark.parametrize("reference", ["acme%2Forders", "ACME%2forders", "{id}"])
async def test_a_project_is_found_by_its_id_and_its_encoded_path(gitlab, reference):
    made = gitlab.project()
    answer = await gitlab.client.get(f"/projects/{reference.format(id=made['id'])}")
    assert answer.status_code == 200 and answer.json()["id"] == made["id"]


async def test_a_path_whose_slash_is_not_encoded_is_another_path(gitlab):
    gitlab.project()
    answer = await gitlab.client.get("/projects/acme/orders")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Project Not Found"})
    assert (await gitlab.client.get("/nothing")).json() == {"error": "404 Not Found"}


async def test_subgroups_are_part_of_the_path(gitlab):
    group = gitlab.world.person_create({"type": "group", "name": "Sub", "path": "sub", "workspace": "acme"})
    assert group["full_path"] == "acme/sub" and group["full_name"] == "Acme / Sub"
    made = await gitlab.client.post("/projects", json={"name": "x", "namespace_id": group["id"]})
    assert made.json()["path_with_namespace"] == "acme/sub/x"
    assert (await gitlab.client.get("/projects/acme%2Fsub%2Fx")).status_code == 200


async def test_the_path_comes_from_the_name_and_the_namespace_from_the_caller(gitlab):
    made = (await gitlab.client.post("/projects", json={"name": "Sales Pipeline"})).json()
    assert made["path_with_namespace"] == "datakeel-sandbox/sales-pipeline"
    assert made["namespace"]["kind"] == "user" and made["visibility"] == "private"


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ({"name": "Orders", "path": "orders"}, {"name", "path"}),
        ({"name": "ORDERS", "path": "other"}, {"name"}),
        ({"name": "Other", "path": "ORDERS"}, {"path"}),
    ],
)
async def test_names_and_paths_are_taken_once_in_a_namespace(gitlab, body, taken):
    made = gitlab.project("Orders")
    answer = await gitlab.client.post("/projects", json={**body, "namespace_id": made["namespace"]["id"]})
    assert answer.status_code == 400
    assert answer.json() == {"message": {word: ["has already been taken"] for word in taken}}
    elsewhere = await gitlab.client.post("/projects", json=body)
    assert elsewhere.status_code == 201


async def test_a_name_is_free_again_after_a_rename_or_a_delete(gitlab):
    made = gitlab.project()
    gitlab.world.person_edit("project", "orders", {"name": "sales", "path": "sales"}, workspace="acme")
    second = gitlab.project()
    assert second["id"] != made["id"]
    with pytest.raises(Refusal):
        gitlab.world.person_edit("project", "sales", {"path": "orders"}, workspace="acme")
    gitlab.world.person_delete("project", "orders", workspace="acme")
    gitlab.world.person_edit("project", "sales", {"name": "orders", "path": "orders"}, workspace="acme")
    assert [project["id"] for project in gitlab.world.resources()] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "name, path are missing, at least one parameter must be provided"),
        ({"name": "x", "visibility": "no"}, "visibility does not have a valid value"),
        ({"name": "x", "namespace_id": "acme"}, "namespace_id is invalid"),
    ],
)
async def test_parameters_that_are_wrong_are_an_error_not_a_message(gitlab, body, words):
    answer = await gitlab.client.post("/projects", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": words})


@pytest.mark.parametrize("body", [{"name": "-x"}, {"name": "x", "path": "a b"}, {"name": "x", "path": "x.git"}])
async def test_names_that_no_project_can_have_are_refused(gitlab, body):
    answer = await gitlab.client.post("/projects", json=body)
    assert answer.status_code == 400 and isinstance(answer.json()["message"], dict)


async def test_put_changes_what_is_sent_and_nothing_else(gitlab):
    made = gitlab.project(description="d", topics=["a"])
    gitlab.clock.at += 60
    answer = await gitlab.client.put(f"/projects/{made['id']}", json={"topics": ["b", "c"]})
    shown = answer.json()
    assert shown["topics"] == shown["tag_list"] == ["b", "c"]
    moved = {"topics", "tag_list", "updated_at", "last_activity_at"}
    assert {word for word in shown if shown[word] != made[word]} == moved
    nothing = await gitlab.client.put(f"/projects/{made['id']}", json={"archived": True})
    assert nothing.status_code == 400 and "at least one parameter" in nothing.json()["error"]


async def test_a_new_path_is_a_new_address_of_the_same_project(gitlab):
    made = gitlab.project()
    await gitlab.client.put(f"/projects/{made['id']}", json={"path": "sales"})
    assert (await gitlab.client.get("/projects/acme%2Fsales")).json()["id"] == made["id"]
    assert (await gitlab.client.get("/projects/acme%2Forders")).status_code == 404
    assert len((await gitlab.client.get("/projects")).json()) == 1


async def test_archive_and_unarchive(gitlab):
    made = gitlab.project()
    for verb, archived in (("archive", True), ("archive", True), ("unarchive", False)):
        answer = await gitlab.client.post(f"/projects/{made['id']}/{verb}")
        assert answer.status_code == 201 and answer.json()["archived"] is archived
    assert [commit.method for commit in gitlab.world.commits] == ["POST"] * 4
    await gitlab.client.post(f"/projects/{made['id']}/archive")
    assert [len((await gitlab.client.get(f"/projects?archived={word}")).json()) for word in ("true", "false")] == [1, 0]


async def test_delete_is_at_once_by_default(gitlab):
    made = gitlab.project()
    answer = await gitlab.client.delete(f"/projects/{made['id']}")
    assert (answer.status_code, answer.json()) == (202, {"message": "202 Accepted"})
    assert (await gitlab.client.get(f"/projects/{made['id']}")).status_code == 404
    assert (await gitlab.client.delete(f"/projects/{made['id']}")).status_code == 404


async def test_a_delayed_delete_marks_first(gitlab):
    gitlab.world.switches.change({"delete_delay": 100.0})
    made = gitlab.project()
    assert made["marked_for_deletion_on"] is None
    for _ in range(2):
        assert (await gitlab.client.delete(f"/projects/{made['id']}")).status_code == 202
    assert (await gitlab.client.get("/projects/acme%2Forders")).json()["marked_for_deletion_on"] == "2024-01-01"
    assert len((await gitlab.client.get("/projects")).json()) == 1
    taken = await gitlab.client.post("/projects", json={"name": "orders", "namespace_id": made["namespace"]["id"]})
    assert taken.status_code == 400
    gitlab.clock.at += 100
    assert (await gitlab.client.get("/projects/acme%2Forders")).status_code == 404
    assert [commit.after is None for commit in gitlab.world.commits] == [False, False, True]


async def test_a_marked_project_can_be_restored_or_removed_at_once(gitlab):
    gitlab.world.switches.change({"delete_delay": 100.0})
    made = gitlab.project()
    url = f"/projects/{made['id']}"
    at_once = f"{url}?permanently_remove=true&full_path=acme%2Forders"
    assert (await gitlab.client.post(f"{url}/restore")).status_code == 400
    assert (await gitlab.client.delete(at_once)).status_code == 400
    await gitlab.client.delete(url)
    assert (await gitlab.client.post(f"{url}/restore")).json()["marked_for_deletion_on"] is None
    await gitlab.client.delete(url)
    assert (await gitlab.client.delete(at_once.replace("orders", "other"))).status_code == 400
    assert (await gitlab.client.delete(at_once)).status_code == 202
    assert (await gitlab.client.get(url)).status_code == 404


async def test_fork(gitlab):
    made = gitlab.project(description="d")
    answer = await gitlab.client.post(f"/projects/{made['id']}/fork", json={})
    assert answer.status_code == 201
    assert answer.json()["forked_from_project"]["id"] == made["id"] and answer.json()["import_status"] == "started"
    again = await gitlab.client.post(f"/projects/{made['id']}/fork", json={})
    assert again.status_code == 409
    assert (await gitlab.client.get(f"/projects/{made['id']}")).json()["forks_count"] == 1
    gitlab.clock.at += 2
    assert (await gitlab.client.get(f"/projects/{answer.json()['id']}")).json()["import_status"] == "finished"


async def test_trigger_a_pipeline(gitlab):
    made = gitlab.project()
    url = f"/projects/{made['id']}"
    token = (await gitlab.client.post(f"{url}/triggers", json={"description": "ci"})).json()["token"]
    for body, status in (({"ref": "main"}, 400), ({"token": token}, 400), ({"ref": "main", "token": "no"}, 404)):
        assert (await gitlab.client.post(f"{url}/trigger/pipeline", json=body)).status_code == status
    form = {"token": token, "ref": "main", "variables[A]": "1"}
    started = (await gitlab.client.post(f"{url}/trigger/pipeline", data=form)).json()
    assert started["status"] == "created"
    seen = []
    for seconds in (0, 2):
        gitlab.clock.at += seconds
        seen.append((await gitlab.client.get(f"{url}/pipelines/{started['id']}")).json()["status"])
    assert seen == ["running", "success"]
    gitlab.world.switches.change({"fail_names": ["orders"], "ready_after": 0.0})
    await gitlab.client.post(f"{url}/trigger/pipeline", data=form)
    assert [row["status"] for row in (await gitlab.client.get(f"{url}/pipelines")).json()] == ["failed", "success"]


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("variables", {"key": "K", "value": "v"}, "K"),
        ("hooks", {"url": "https://x.example.com", "token": "t"}, None),
        ("pipeline_schedules", {"description": "d", "ref": "main", "cron": "0 1 * * *"}, None),
        ("triggers", {"description": "d"}, None),
    ],
)
async def test_the_life_of_a_part(gitlab, path, body, key):
    url = f"/projects/{gitlab.project()['id']}/{path}"
    assert (await gitlab.client.post(url, json={})).status_code == 400
    made = (await gitlab.client.post(url, json=body)).json()
    one = f"{url}/{key or made['id']}"
    assert "t" not in made.values()
    assert (await gitlab.client.get(one)).json() == made
    assert (await gitlab.client.get(url)).json() == [made]
    changed = await gitlab.client.put(one, json={"description": "changed"})
    assert changed.status_code == 200 and changed.json()["description"] == "changed"
    gone = await gitlab.client.delete(one)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await gitlab.client.get(one)).status_code == 404


async def test_a_variables_key_is_taken_once(gitlab):
    url = f"/projects/{gitlab.project()['id']}/variables"
    statuses = [(await gitlab.client.post(url, json={"key": "K", "value": "v"})).status_code for _ in range(2)]
    assert statuses == [201, 400]


async def test_a_hidden_variable_is_never_shown(gitlab):
    url = f"/projects/{gitlab.project()['id']}/variables"
    made = await gitlab.client.post(url, json={"key": "K", "value": "canary", "masked_and_hidden": True})
    assert made.json()["value"] is None and made.json()["hidden"] is True
    assert "canary" not in json.dumps([commit.after for commit in gitlab.world.commits])


async def test_what_belongs_to_a_project_goes_with_it(gitlab):
    made = gitlab.project()
    await gitlab.client.post(f"/projects/{made['id']}/variables", json={"key": "K", "value": "v"})
    await gitlab.client.delete(f"/projects/{made['id']}")
    assert not [key for key in gitlab.world.records if key[1] == "variable"]


async def test_a_group_takes_its_subgroups_and_projects_with_it(gitlab):
    gitlab.world.person_create({"type": "group", "name": "Sub", "path": "sub", "workspace": "acme"})
    gitlab.project()
    gitlab.world.person_create({"name": "x", "workspace": "acme/sub"})
    assert (await gitlab.client.delete("/groups/acme")).status_code == 202
    assert (await gitlab.client.get("/projects")).json() == []
    assert [row["kind"] for row in (await gitlab.client.get("/namespaces")).json()] == ["user"]
    deleted = [commit.name for commit in gitlab.world.commits if commit.after is None]
    assert deleted == ["x", "acme/sub", "orders", "acme"]


async def test_newest_first_unless_asked_otherwise(gitlab):
    for name in ("b", "c", "a"):
        gitlab.project(name)
    orders = {"": "acb", "?sort=asc": "bca", "?order_by=name&sort=asc": "abc", "?search=C": "c", "?topic=x": ""}
    for query, wanted in orders.items():
        rows = (await gitlab.client.get(f"/projects{query}")).json()
        assert "".join(row["name"] for row in rows) == wanted
    assert (await gitlab.client.get("/projects?order_by=colour")).status_code == 400
    assert "permissions" not in (await gitlab.client.get("/projects?simple=true")).json()[0]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?per_page=2", ("3", "2", "2", "1", "2", "")),
        ("?per_page=2&page=2", ("3", "2", "2", "2", "", "1")),
        ("?per_page=2&page=3", ("3", "2", "2", "3", "", "2")),
        ("?per_page=100&page=0", ("3", "1", "100", "1", "", "")),
        ("?per_page=101", ("3", "1", "100", "1", "", "")),
    ],
)
async def test_headers_of_a_page(gitlab, query, headers):
    for name in "abc":
        gitlab.project(name)
    answer = await gitlab.client.get(f"/projects{query}")
    names = ("X-Total", "X-Total-Pages", "X-Per-Page", "X-Page", "X-Next-Page", "X-Prev-Page")
    assert tuple(answer.headers[name] for name in names) == headers


async def test_the_next_link_is_on_the_callers_own_host_and_keeps_the_query(gitlab):
    for name in "abc":
        gitlab.project(name)
    answer = await gitlab.client.get("/projects?membership=true&per_page=2", headers={"Host": "gitlab.example.com:8"})
    assert answer.links["next"]["url"] == (
        "http://gitlab.example.com:8/api/v4/projects?membership=true&page=2&per_page=2"
    )
    assert "next" not in (await gitlab.client.get("/projects?per_page=2&page=2")).links


@pytest.mark.parametrize("query", ["per_page=0", "per_page=x", "page=x"])
async def test_a_page_that_is_no_number_is_refused(gitlab, query):
    assert (await gitlab.client.get(f"/projects?{query}")).status_code == 400


async def test_one_page_below_several_platforms_links_below_its_own_name():
    sandbox = Sandbox(platform=["dataos", "dataops-live"])
    for name in "ab":
        sandbox.world.person_create({"type": "group", "name": name, "path": name}, platform="dataops-live")
    answer = await sandbox.client.get("/dataops-live/api/v4/groups?per_page=1", headers={"private-token": TOKEN})
    assert answer.links["next"]["url"] == "http://sandbox/dataops-live/api/v4/groups?page=2&per_page=1"


async def test_there_is_no_limit_of_its_own(gitlab):
    assert gitlab.world.limits
    statuses = {(await gitlab.client.get("/projects")).status_code for _ in range(150)}
    assert statuses == {200}


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("rate-limited", 429, "429 Too Many Requests"),
        ("server-error", 500, "500 Internal Server Error"),
        ("not-found", 404, "404 Project Not Found"),
        ("forbidden", 403, "403 Forbidden"),
    ],
)
async def test_faults_speak_as_the_platform_does(gitlab, fault, status, message):
    gitlab.world.faults.add({"fault": fault})
    answer = await gitlab.client.get("/projects/acme%2Forders")
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    if status == 429:
        assert answer.headers["Retry-After"] == "5" and answer.headers["RateLimit-Reset"] == str(int(START) + 5)


@pytest.mark.parametrize(("fault", "rows"), [("empty-list", 0), ("short-list", 1), ("duplicated-row", 4)])
async def test_faults_find_the_rows_of_a_bare_list(gitlab, fault, rows):
    for name in "abc":
        gitlab.project(name)
    gitlab.world.faults.add({"fault": fault})
    assert len((await gitlab.client.get("/projects")).json()) == rows


async def test_a_lost_answer_has_its_effect(gitlab):
    gitlab.world.faults.add({"fault": "answer-lost", "method": "POST", "times": 1})
    with pytest.raises(httpx.ReadError):
        await gitlab.client.post("/projects", json={"name": "x"})
    again = await gitlab.client.post("/projects", json={"name": "x"})
    assert again.status_code == 400 and len(gitlab.world.resources()) == 1


async def test_a_stale_read_shows_what_was(gitlab):
    made = gitlab.project()
    gitlab.clock.at += 10
    await gitlab.client.put(f"/projects/{made['id']}", json={"description": "new"})
    gitlab.project("second")
    gitlab.world.switches.change({"lag": 5.0})
    assert (await gitlab.client.get(f"/projects/{made['id']}")).json()["description"] is None
    assert len((await gitlab.client.get("/projects")).json()) == 1
    await gitlab.client.delete(f"/projects/{made['id']}")
    assert (await gitlab.client.get("/projects/acme%2Forders")).status_code == 200


async def test_everything_survives_a_restart(tmp_path):
    first = GitLab(state=tmp_path / "state.db")
    first.world.switches.change({"delete_delay": 100.0})
    made = first.project(topics=["a"])
    leaving = first.project("leaving")
    await first.client.delete(f"/projects/{leaving['id']}")
    await first.client.post(f"/projects/{made['id']}/variables", json={"key": "K", "value": "v"})
    rows = (await first.client.get("/projects")).json()
    first.world.close()
    second = GitLab(state=tmp_path / "state.db")
    assert (await second.client.get("/projects")).json() == rows
    assert (await second.client.get(f"/projects/{made['id']}/variables/K")).json()["value"] == "v"
    second.clock.at += 100
    assert len((await second.client.get("/projects")).json()) == 1
    assert second.project("third")["id"] > leaving["id"]
    second.world.close()


async def test_a_commit_names_the_namespace_and_the_path(gitlab):
    group = (await gitlab.client.get("/namespaces/acme")).json()
    await gitlab.client.post("/projects", json={"name": "Orders", "namespace_id": group["id"]})
    commit = gitlab.world.commits[-1]
    assert (commit.platform, commit.type, commit.workspace, commit.name) == (
        "dataops-live", "project", "acme", "orders",
    )  # fmt: skip
    assert commit.agent == "tests/1.0" and commit.before is None and commit.after["name"] == "Orders"


def clicks(world: World) -> None:
    world.person_edit("project", "orders", {"description": "by hand", "archived": True}, workspace="acme")
    world.person_create({"type": "variable", "workspace": "acme/orders", "key": "K", "value": "v"})
    world.person_edit("variable", "K", {"value": "w"}, workspace="acme/orders")
    world.person_delete("variable", "K", workspace="acme/orders")
    world.person_edit("group", "acme", {"description": "by hand"})
    world.person_delete("project", "orders", workspace="acme")
    world.person_delete("group", "acme")


def test_a_person_clicks(gitlab):
    gitlab.project()
    clicks(gitlab.world)
    assert all(commit.person for commit in gitlab.world.commits) and len(gitlab.world.commits) == 10
    assert gitlab.world.resources() == []
    for document in ({"type": "project", "name": "x", "workspace": "none"}, {"type": "wish", "name": "x"}):
        with pytest.raises(Refusal):
            gitlab.world.person_create(document)
