"""The emulated Dataloop beyond its page's examples: what the server adds, refusals, tags, series, faults, clicks."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest
import yaml

from agent.sandbox import Refusal
from agent.sandbox.dataloop_bodies import yaml_text
from tests.platforms.test_dataloop_page import ACCOUNT, AGENT, DASHBOARD, ORG, RULE, as_multipart
from tests.unit.sandbox.support import Sandbox

YAML = {"Content-Type": "application/yaml"}
CONTENT = "cHJpbnQoMSkK"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(platform="dataloop")


@pytest.fixture
def client(sandbox: Sandbox) -> httpx.AsyncClient:
    return sandbox.client


# Dashboards and rules


async def test_an_import_sets_the_whole_document_and_keeps_the_id(client):
    first = (await client.put(f"{ACCOUNT}/dashboards/dash", content=DASHBOARD, headers=YAML)).json()
    second = (await client.put(f"{ACCOUNT}/dashboards/dash", content=b"title: other", headers=YAML)).json()
    assert second == {"title": "other", "id": first["id"], "name": "dash"}
    assert (await client.get(f"{ACCOUNT}/dashboards")).json() == [second]


async def test_the_path_names_a_document_and_not_its_body(client):
    body = b"name: other\nid: mine\n"
    made = (await client.put(f"{ACCOUNT}/dashboards/dash", content=body, headers=YAML)).json()
    assert made["name"] == "dash" and made["id"] != "mine"
    assert (await client.get(f"{ACCOUNT}/dashboards/other")).status_code == 404


async def test_a_document_is_found_by_its_id_too(client):
    made = (await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)).json()
    found = (await client.get(f"{ACCOUNT}/rules/{made['id']}")).json()
    assert found == made
    changed = (await client.put(f"{ACCOUNT}/rules/{made['id']}", content=b"title: new", headers=YAML)).json()
    assert (changed["name"], changed["title"]) == ("myrule", "new")


async def test_json_in_and_json_out(client):
    await client.put(f"{ACCOUNT}/dashboards/dash", json={"title": "t"})
    answer = await client.get(f"{ACCOUNT}/dashboards/dash", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json" and answer.json()["title"] == "t"


async def test_a_document_is_deleted(client):
    for family in ("dashboards", "rules"):
        await client.put(f"{ACCOUNT}/{family}/one", content=b"title: t", headers=YAML)
        assert (await client.delete(f"{ACCOUNT}/{family}/one")).status_code == 204
        assert (await client.delete(f"{ACCOUNT}/{family}/one")).status_code == 404
        assert (await client.get(f"{ACCOUNT}/{family}")).json() == []


@pytest.mark.parametrize("body", [b"", b"- a", b"text", b"a: [", b"a: &x [*x]", b"\xff", as_multipart(b"- a")])
async def test_what_is_no_yaml_mapping_is_refused(client, body):
    answer = await client.put(f"{ACCOUNT}/dashboards/dash", content=body, headers=YAML)
    assert answer.status_code == 400 and answer.json()["error"]
    assert (await client.get(f"{ACCOUNT}/dashboards")).json() == []


async def test_a_rule_comes_back_with_what_the_server_made(client):
    await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)
    rule = (await client.get(f"{ACCOUNT}/rules/myrule")).json()
    assert rule["mute"] is False
    (criterion,) = rule["criteria"]
    assert set(criterion) == {"id", "data_type", "rule", "state", "sources", "metric", "condition", "scopes"}
    assert criterion["rule"] == rule["id"] and criterion["scopes"] == [{"type": "tag", "id": "all"}]
    (action,) = rule["actions"]
    assert set(action) == {"id", "type", "details"}
    assert (await client.get(f"{ACCOUNT}/rules/myrule/criteria")).json() == [criterion]


async def test_the_ids_that_the_server_made_stay_when_the_rule_is_sent_again(client):
    first = (await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)).json()
    assert (await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)).json() == first


async def test_posting_a_rule_that_exists_changes_nothing(sandbox, client):
    made = (await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)).json()
    answer = await client.post(f"{ACCOUNT}/rules", data={"name": "myrule"})
    assert answer.status_code == 200 and answer.json() == made
    assert len(sandbox.world.commits) == 1


@pytest.mark.parametrize(
    "body", [{"data": {"name": "r"}}, {"json": {"name": "r", "title": "t"}}, {"content": b"name: r", "headers": YAML}]
)
async def test_a_rule_is_posted_as_a_form_json_or_yaml(client, body):
    assert (await client.post(f"{ACCOUNT}/rules", **body)).status_code == 200
    rule = (await client.get(f"{ACCOUNT}/rules/r")).json()
    assert rule["actions"] == [] and rule["criteria"] == [] and rule["mute"] is False


async def test_a_rule_is_muted_in_the_spelling_of_python(client):
    await client.put(f"{ACCOUNT}/rules/myrule", content=RULE, headers=YAML)
    for word, mute in (("True", True), ("False", False)):
        assert (await client.patch(f"{ACCOUNT}/rules/myrule", data={"mute": word})).json()["mute"] is mute
    rule = (await client.get(f"{ACCOUNT}/rules/myrule")).json()
    assert rule["title"] == "CPU" and len(rule["criteria"]) == 1


@pytest.mark.parametrize("body", [b"actions: text", b"criteria: [text]", b"criteria: [{scope: text}]"])
async def test_a_rule_with_wrong_parts_is_refused(client, body):
    assert (await client.put(f"{ACCOUNT}/rules/myrule", content=body, headers=YAML)).status_code == 422


async def test_dashboards_are_neither_posted_nor_patched(client):
    await client.put(f"{ACCOUNT}/dashboards/dash", content=DASHBOARD, headers=YAML)
    assert (await client.post(f"{ACCOUNT}/dashboards", data={"name": "x"})).status_code == 405
    assert (await client.patch(f"{ACCOUNT}/dashboards/dash", data={"x": "y"})).status_code == 405


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": None, "b": [], "c": {}, "d": [[1, [2]], {"x": 1, "y": [1]}, []], "e": 1.5, "f": True},
        {
            "text": [
                "yes",
                "No",
                "1",
                "1.0",
                "a: b",
                "- a",
                " a ",
                "",
                "é",
                "a\nb",
                "#a",
                "2001-01-01",
                "null",
                "0x1",
                "~",
            ]
        },
        {"on": 1, "1": 2, "a b": 3, "": 4, "a:": 5, ">": 6, "=": 7, "<<": 8},
        {"deep": {"deeper": {"deepest": [{"a": [{"b": 1}]}]}}},
    ],
)
def test_yaml_text_reads_back_as_what_it_was(value):
    assert yaml.safe_load(yaml_text(value)) == value


# Plugins and links


async def test_a_plugin_that_exists_is_422(client):
    body = {"name": "file", "extension": "py", "content": CONTENT}
    assert (await client.post(f"{ACCOUNT}/plugins", data=body)).status_code == 200
    answer = await client.post(f"{ACCOUNT}/plugins", data=body)
    assert answer.status_code == 422 and answer.json() == {"error": "plugin already exists"}


@pytest.mark.parametrize(
    "body",
    [
        {"extension": "py", "content": CONTENT},
        {"name": "file", "extension": "py"},
        {"name": "file", "content": "%%"},
        {"name": "file", "content": 5},
        {"name": "file", "content": CONTENT, "encoding": "rot13"},
        {"name": "file", "content": CONTENT, "interval": "often"},
        {"name": "file", "content": CONTENT, "interval": 0},
        {"name": "file", "content": CONTENT, "description": 5},
    ],
)
async def test_a_plugin_that_cannot_be_is_422(sandbox, client, body):
    assert (await client.post(f"{ACCOUNT}/plugins", json=body)).status_code == 422
    assert sandbox.world.commits == []


async def test_the_hash_follows_the_content_and_nothing_else(client):
    body = {"name": "file", "extension": "py", "content": CONTENT}
    first = (await client.post(f"{ACCOUNT}/plugins", json=body)).json()
    assert first["hash"] == hashlib.sha1(b"print(1)\n").hexdigest()
    same = (await client.patch(f"{ACCOUNT}/plugins/file", json={"content": CONTENT, "interval": "60"})).json()
    assert same["hash"] == first["hash"] and same["interval"] == 60
    other = (await client.patch(f"{ACCOUNT}/plugins/file", json={"content": "eA=="})).json()
    assert other["hash"] != first["hash"] and other["interval"] == 60 and other["extension"] == "py"
    (row,) = (await client.get(f"{ACCOUNT}/plugins")).json()
    assert row["hash"] == other["hash"]


async def test_a_plugin_that_is_not_there_is_404(client):
    for method in ("GET", "PATCH", "DELETE"):
        assert (await client.request(method, f"{ACCOUNT}/plugins/none", data={})).status_code == 404


@pytest.mark.parametrize(
    "body", [{"json": {"plugin": "base", "tags": ["a", "b"]}}, {"data": {"plugin": "base", "tags": "a,b"}}]
)
async def test_a_link_is_made_changed_and_deleted(client, body):
    link = (await client.post(f"{ACCOUNT}/links", **body)).json()
    assert link["tags"] == ["a", "b"]
    url = f"{ACCOUNT}/links/{link['id']}"
    assert (await client.get(url)).json() == link
    assert (await client.put(url, json={"plugin": "base", "tags": ["c"]})).json() == {**link, "tags": ["c"]}
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(f"{ACCOUNT}/links")).json() == []


# Agents, tags, metrics


async def test_a_ping_registers_a_host_and_later_ones_are_no_changes(sandbox, client):
    url = f"{ACCOUNT}/agents/92ed1121-e8cb-435b-a6c6-35cd636459f9/ping"
    form = {"os_version": "", "mac": "", "os_name": "", "container": "", "mode": "SOLO", "hostname": "n1", "name": "n1"}
    assert (await client.post(url, data=form)).json() == {"id": "92ed1121-e8cb-435b-a6c6-35cd636459f9"}
    sandbox.clock.at += 60
    await client.post(url, data=form)
    (agent,) = (await client.get(f"{ACCOUNT}/agents")).json()
    assert (agent["mode"], agent["tags"], agent["presence_state"]) == ("SOLO", ["all"], "online")
    assert (agent["modified"], agent["heartbeat"]) == ("2024-01-01T00:00:00.000Z", "2024-01-01T00:01:00.000Z")
    assert len(sandbox.world.commits) == 1


async def test_tags_are_those_of_agents_and_links(sandbox, client):
    sandbox.world.person_create({"kind": "agent", **AGENT, "tags": ["all", "db"]})
    sandbox.world.person_create({"kind": "link", "plugin": "base", "tags": ["web"]})
    assert (await client.get(f"{ACCOUNT}/tags")).json() == [{"name": "all"}, {"name": "db"}, {"name": "web"}]
    tags = f"{ACCOUNT}/agents/{AGENT['id']}/tags"
    assert (await client.put(tags, json={"names": ["db", "new"]})).json()["tags"] == ["all", "db", "new"]
    assert (await client.request("DELETE", tags, json={"tags": ["db"]})).status_code == 204
    assert (await client.delete(f"{ACCOUNT}/tags/web")).status_code == 204
    assert (await client.delete(f"{ACCOUNT}/tags/web")).status_code == 404
    assert (await client.delete(f"{ACCOUNT}/tags/all")).status_code == 422
    assert (await client.get(f"{ACCOUNT}/tags")).json() == [{"name": "all"}, {"name": "new"}]


async def test_series_of_a_tag_are_one_for_each_of_its_agents(sandbox, client):
    for number, tags in enumerate((["all"], ["all", "db"])):
        sandbox.world.person_create({"kind": "agent", "name": f"n{number}", "tags": tags})
    for tag, names in (("all", ["n0", "n1"]), ("db", ["n1"]), ("none", [])):
        series = (await client.get(f"{ACCOUNT}/metrics/base.cpu/series?tag={tag}")).json()
        assert [each["source"]["name"] for each in series] == names
        assert len((await client.get(f"{ACCOUNT}/metrics?tag={tag}")).json()) == (4 if names else 0)


async def test_points_are_the_same_when_asked_again(sandbox, client):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    url = f"{ACCOUNT}/metrics/base.cpu/series?tag=all&resolution=60&period[duration]=600&period[end]=1455027960"
    first = (await client.get(url)).json()
    sandbox.clock.at += 1000
    assert (await client.get(url)).json() == first
    assert all(point["value"] == point["avg"] and 0 <= point["value"] <= 100 for point in first[0]["points"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("metrics", 400),
        ("metrics?source=x&tag=y", 400),
        ("metrics?source=none", 404),
        ("metrics/none/series?tag=all", 404),
        ("metrics/base.cpu/series?tag=all&resolution=0", 400),
        ("metrics/base.cpu/series?tag=all&period=x", 400),
        ("metrics/base.cpu/series?tag=all&resolution=1&period=10000", 200),
        ("metrics/base.cpu/series?tag=all&resolution=1&period=10001", 400),
    ],
)
async def test_metrics_say_what_is_wrong(client, path, status):
    assert (await client.get(f"{ACCOUNT}/{path}")).status_code == status


# Annotations and accounts


async def test_a_stream_that_nothing_is_in_is_empty_and_cannot_be_deleted(client):
    assert (await client.get(f"{ACCOUNT}/annotations/none")).json() == []
    assert (await client.delete(f"{ACCOUNT}/annotations/none")).status_code == 404


async def test_two_annotations_may_have_one_name_but_only_one_stream_each(client):
    url = f"{ACCOUNT}/annotations/s"
    one, two = [(await client.post(url, json={"name": "n"})).json()["id"] for _ in "12"]
    assert one != two
    assert (await client.get(f"{ACCOUNT}/annotations/other/{one}")).status_code == 404
    assert (await client.put(f"{url}/{one}", json={"name": 5})).status_code == 422
    assert (await client.post(url, json={"description": "no name"})).status_code == 422


async def test_an_account_takes_with_it_what_it_holds(sandbox, client):
    await client.post(f"{ORG}/accounts", json={"name": "second"})
    url = f"{ORG}/accounts/second"
    await client.put(f"{url}/dashboards/dash", content=DASHBOARD, headers=YAML)
    await client.post(f"{url}/annotations/s", json={"name": "n"})
    await client.put(f"{ACCOUNT}/dashboards/dash", content=DASHBOARD, headers=YAML)
    assert (await client.delete(url)).status_code == 204
    gone = [commit.type for commit in sandbox.world.commits if commit.after is None]
    assert gone == ["dashboard", "annotation", "account"]
    assert (await client.get(f"{url}/dashboards")).status_code == 404
    assert len((await client.get(f"{ACCOUNT}/dashboards")).json()) == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a/b"}, {"name": 5}, {"name": "default"}, {"name": ".."}])
async def test_an_account_that_cannot_be_is_422(client, body):
    assert (await client.post(f"{ORG}/accounts", json=body)).status_code == 422


async def test_orgs_and_users(sandbox, client):
    await client.get(f"{ORG}/accounts")
    assert [org["name"] for org in (await client.get("/api/v1/orgs")).json()] == ["acme"]
    assert (await client.get(ORG)).json()["name"] == "acme"
    assert (await client.get("/api/v1/user")).json() == {"name": "datakeel-sandbox"}
    held = sandbox.client_with(sandbox.world.create_token("1h", workspaces=("other",)).value)
    assert (await held.get(f"{ORG}/accounts")).status_code == 403
    assert (await held.get("/api/v1/orgs")).json() == []
    assert (await held.get("/api/v1/orgs/other/accounts")).status_code == 200


# The framework


@pytest.mark.parametrize(
    "path", ["/", "/v1/orgs", "/api/v1", "/api/v1/none", f"{ORG}/none", f"{ACCOUNT}/none", f"{ORG}/accounts/none/tags"]
)
async def test_other_paths_are_not_found(client, path):
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["accounts", "accounts/default", "accounts/default/tags", "accounts/default/agents"])
async def test_other_methods_are_not_allowed(client, path):
    assert (await client.patch(f"{ORG}/{path}", data={})).status_code == 405


async def test_doubled_slashes_are_one(client):
    assert (await client.get(f"{ORG}//accounts/default//tags/")).json() == [{"name": "all"}]


async def test_a_reader_may_not_write(sandbox):
    reader = sandbox.client_with(sandbox.world.create_token("1h", scopes=("read",)).value)
    assert (await reader.get(f"{ACCOUNT}/tags")).status_code == 200
    assert (await reader.put(f"{ACCOUNT}/dashboards/d", content=b"a: b", headers=YAML)).status_code == 403


async def test_changes_are_commits_with_what_reads_show(sandbox, client):
    await client.put(f"{ACCOUNT}/dashboards/dash", content=b"title: a", headers=YAML)
    await client.put(f"{ACCOUNT}/dashboards/dash", content=b"title: b", headers=YAML)
    await client.delete(f"{ACCOUNT}/dashboards/dash")
    seen = [(each.type, each.workspace, each.name, each.method, each.request) for each in sandbox.world.commits]
    assert seen == [
        ("dashboard", "acme/default", "dash", method, n) for n, method in enumerate(("PUT", "PUT", "DELETE"), 1)
    ]
    titles = [
        (each.before and each.before["title"], each.after and each.after["title"]) for each in sandbox.world.commits
    ]
    assert titles == [(None, "a"), ("a", "b"), ("b", None)]


async def test_everything_survives_a_restart(tmp_path):
    seen: list[Any] = []
    for turn in range(2):
        sandbox = Sandbox(platform="dataloop", state=tmp_path / "state.db")
        if turn == 0:
            await sandbox.client.put(f"{ACCOUNT}/rules/r", content=RULE, headers=YAML)
            await sandbox.client.post(f"{ACCOUNT}/annotations/s", json={"name": "n"})
            await sandbox.client.post(f"{ACCOUNT}/plugins", json={"name": "p", "content": CONTENT})
        seen.append(sandbox.world.resources())
        assert (await sandbox.client.get(f"{ACCOUNT}/annotations")).json() == ["s"]
        sandbox.world.close()
    assert seen[0] == seen[1] and {each["kind"] for each in seen[0]} == {"account", "rule", "annotation", "plugin"}


async def test_a_stale_read_shows_the_world_before_the_write(sandbox, client):
    await client.put(f"{ACCOUNT}/dashboards/dash", content=b"title: a", headers=YAML)
    sandbox.clock.at += 10
    await client.put(f"{ACCOUNT}/dashboards/dash", content=b"title: b", headers=YAML)
    sandbox.world.switches.change({"lag": 5})
    assert (await client.get(f"{ACCOUNT}/dashboards/dash")).json()["title"] == "a"
    sandbox.world.switches.change({"lag": 15})
    assert (await client.get(f"{ACCOUNT}/dashboards/dash")).status_code == 404
    assert (await client.get(f"{ORG}/accounts/default")).status_code == 200


@pytest.mark.parametrize(
    ("fault", "seen"),
    [("short-list", ["a"]), ("empty-list", []), ("duplicated-row", ["a", "b", "a"]), ("null-rows", None)],
)
async def test_faults_know_the_rows_of_bare_lists(sandbox, client, fault, seen):
    for name in ("a", "b"):
        await client.put(f"{ACCOUNT}/dashboards/{name}", content=b"title: t", headers=YAML)
        await client.post(f"{ACCOUNT}/annotations/{name}", json={"name": "n"})
    sandbox.world.faults.add({"fault": fault})
    rows = (await client.get(f"{ACCOUNT}/dashboards")).json()
    assert (rows and [row["name"] for row in rows]) == (seen and [*seen]) or rows == seen
    assert (await client.get(f"{ACCOUNT}/annotations")).json() == seen


async def test_a_fault_speaks_with_the_platform_s_words(sandbox, client):
    sandbox.world.faults.add({"fault": "server-error", "times": 1}, {"fault": "rate-limited"})
    answer = await client.get(f"{ACCOUNT}/tags")
    assert answer.status_code == 500 and answer.json() == {"error": "internal server error"}
    answer = await client.get(f"{ACCOUNT}/tags")
    assert answer.status_code == 429 and answer.headers["retry-after"] == "5"


async def test_a_person_makes_edits_and_deletes(sandbox):
    world = sandbox.world
    world.person_create({"kind": "account", "workspace": "acme", "name": "second"})
    world.person_create({"type": "dashboard", "workspace": "acme/second", "name": "d", "title": "a"})
    world.person_create({"kind": "plugin", "name": "p", "content": CONTENT, "type": "EXTERNAL"}, person="ana")
    note = world.person_create({"kind": "annotation", "stream": "s", "name": "n"})
    assert world.person_edit("dashboard", "d", {"title": None, "x": 1}, workspace="acme/second")["x"] == 1
    assert world.person_edit("plugin", "p", {"interval": 60})["type"] == "EXTERNAL"
    assert world.person_edit("annotation", note["id"], {"description": "x"})["description"] == "x"
    world.person_delete("annotation", note["id"])
    world.person_delete("account", "second", workspace="acme")
    assert [each["kind"] for each in world.resources()] == ["account", "plugin"]
    assert all(commit.person for commit in world.commits)
    for wrong in ({"kind": "dashboard", "workspace": "acme/none", "name": "d"}, {"kind": "tag"}):
        with pytest.raises(Refusal):
            world.person_create(wrong)
    with pytest.raises(Refusal, match="exists"):
        world.person_create({"kind": "plugin", "name": "p", "content": CONTENT})
    with pytest.raises(Refusal, match="not found"):
        world.person_delete("link", "none")


async def test_templates_packs_and_tokens_are_named_lists(client):
    for path in ("templates/private", "packs"):
        assert (await client.post(f"{ACCOUNT}/{path}", data={"name": "t"})).status_code == 200
        assert [each["name"] for each in (await client.get(f"{ACCOUNT}/{path}")).json()] == ["t"]
        assert (await client.delete(f"{ACCOUNT}/{path}/t")).status_code == 204
        assert (await client.delete(f"{ACCOUNT}/{path}/t")).status_code == 404
    made = await client.post("/api/v1/user/tokens", data={"name": "mine"})
    assert made.json()["name"] == "mine"
    key = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await client.get("/api/v1/user", headers=key)).json() == {"name": "datakeel-sandbox"}
    assert [each["name"] for each in (await client.get("/api/v1/user/tokens")).json()] == ["mine"]
    assert (await client.delete("/api/v1/user/tokens/mine")).status_code == 204
    assert json.loads((await client.get("/api/v1/user/tokens")).content) == []
