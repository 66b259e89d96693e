"""Every request and answer that the Dataloop page prints, against the sandbox; `<org name>` is acme, `<account name>`
default. An answer may hold members that the example leaves out; it never lacks one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml

from tests.unit.sandbox.support import TOKEN, Sandbox

ORG = "/api/v1/orgs/acme"
ACCOUNT = f"{ORG}/accounts/default"
AGENT = {
    "id": "0a46e3a3-96dc-4ada-9e37-eea214c9b664",
    "name": "dataloop",
    "hostname": "dataloop",
    "mac": "00:80:27:a2:71:71",
    "interfaces": [{"addresses": [{"family": "AF_INET", "ips": ["127.0.0.1"]}], "interface": "lo0"}],
    "created": "2016-01-07T17:12:56.887Z",
    "modified": "2016-01-10T14:43:19.586Z",
    "org": "52d1bff881f2a2e087000007",
    "tags": ["all"],
    "osName": "Linux",
    "heartbeat": "2016-01-10T14:43:19.585Z",
    "presence_state": "online",
    "status": "REGISTERED",
    "running_plugin_names": ["base"],
    "process_summary": [{"name": "init", "count": 1}],
    "container_name": "Linux",
    "mode": "DEFAULT",
}
DASHBOARD = b"""\
title: My dashboard
default:
  span: 3600
widgets:
- type: timeseries
  height: 3
  options:
    series:
    - metric: base.cpu
      tags: [all]
"""
RULE = b"""\
title: CPU
criteria:
- metric: base.cpu
  condition: {operator: '>', threshold: 90, timeout: 60}
  scope: {tag: all}
actions:
- type: email
  details: {to: [ops@example.com]}
"""


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(platform="dataloop")


@pytest.fixture
def client(sandbox: Sandbox) -> httpx.AsyncClient:
    return sandbox.client


def as_multipart(content: bytes) -> bytes:
    """What `requests` makes of `files=` where the header says another type."""
    boundary = b"1f0a5b4c3d2e1f0a5b4c3d2e1f0a5b4c"
    head = b'Content-Disposition: form-data; name="dash.yaml"; filename="dash.yaml"'
    return b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n--" + boundary + b"--\r\n"


async def test_get_all_accounts(client):
    answer = await client.get(f"{ORG}/accounts")
    assert answer.status_code == 200
    (account,) = answer.json()
    assert set(account) == {"agent_keys", "id", "name"} and account["name"] == "default"
    assert len(account["agent_keys"][0]) == 36 and len(account["id"]) == 24


@pytest.mark.parametrize("body", [{"json": {"name": "second"}}, {"data": {"name": "second"}}])
async def test_create_an_account(client, body):
    answer = await client.post(f"{ORG}/accounts", **body)
    assert answer.status_code == 200
    assert [account["name"] for account in (await client.get(f"{ORG}/accounts")).json()] == ["default", "second"]


async def test_delete_an_account(client):
    await client.post(f"{ORG}/accounts", json={"name": "second"})
    assert (await client.delete(f"{ORG}/accounts/second")).status_code == 204
    assert [account["name"] for account in (await client.get(f"{ORG}/accounts")).json()] == ["default"]


async def test_get_all_agents(sandbox, client):
    printed = {
        "id": "8ccf364f-e33c-4061-8163-8c952b2f18de",
        "name": "dataloop",
        "hostname": "dcbe63762685",
        "mac": "02:42:ac:11:00:02",
        "created": "2015-12-11T12:05:09.879Z",
        "modified": "2016-01-10T14:31:45.066Z",
        "tags": ["all", "tag1"],
        "osName": "Linux",
        "heartbeat": "2016-01-10T14:31:45.065Z",
        "presence_state": "online",
        "status": "REGISTERED",
        "container_name": "Linux",
        "mode": "DEFAULT",
    }
    sandbox.world.person_create({"kind": "agent", **printed})
    answer = await client.get(f"{ACCOUNT}/agents")
    assert answer.status_code == 200
    assert answer.json() == [printed]


async def test_get_a_specific_agent(sandbox, client):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    answer = await client.get(f"{ACCOUNT}/agents/{AGENT['id']}")
    assert answer.status_code == 200
    assert answer.json() == AGENT


async def test_delete_a_specific_agent(sandbox, client):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    assert (await client.delete(f"{ACCOUNT}/agents/{AGENT['id']}")).status_code == 204
    assert (await client.get(f"{ACCOUNT}/agents/{AGENT['id']}")).status_code == 404


@pytest.mark.parametrize("envelope", [lambda content: content, as_multipart, lambda content: b"---\n" + content])
async def test_import_and_export_a_dashboard(client, envelope: Callable[[bytes], bytes]):
    headers = {"Content-Type": "application/yaml"}
    answer = await client.put(f"{ACCOUNT}/dashboards/dash", content=envelope(DASHBOARD), headers=headers)
    assert answer.status_code == 200 and "content-length" in answer.headers
    exported = await client.get(f"{ACCOUNT}/dashboards/dash", headers={"Accept": "application/yaml"})
    assert exported.status_code == 200
    assert exported.headers["content-type"] == "application/yaml"
    seen = yaml.safe_load(exported.content)
    assert seen.pop("name") == "dash" and len(seen.pop("id")) == 24
    assert seen == yaml.safe_load(DASHBOARD)


@pytest.mark.parametrize(
    ("envelope", "label"),
    [
        (lambda content: content, {"Content-Type": "application/x-www-form-urlencoded"}),  # curl --data-binary
        (as_multipart, {"Content-Type": "multipart/form-data; boundary=1f0a5b4c3d2e1f0a5b4c3d2e1f0a5b4c"}),
    ],
)
async def test_import_and_export_a_rule(client, envelope, label):
    headers = {**label, "Expect": "application/yaml"}
    answer = await client.put(f"{ACCOUNT}/rules/myrule", content=envelope(RULE), headers=headers)
    assert answer.status_code == 200
    exported = await client.get(f"{ACCOUNT}/rules/myrule", headers={"Accept": "application/yaml"})
    seen = yaml.safe_load(exported.content)
    assert seen["title"] == "CPU" and seen["name"] == "myrule"
    assert seen["actions"][0]["details"] == {"to": ["ops@example.com"]}
    assert seen["criteria"][0]["condition"] == {"operator": ">", "threshold": 90, "timeout": 60}


async def test_get_all_links(sandbox, client):
    link = {"plugin": "base", "id": "54dcd33803d166c35481367c", "tags": ["all"]}
    sandbox.world.person_create({"kind": "link", **link})
    (seen,) = (await client.get(f"{ACCOUNT}/links")).json()
    assert len(seen.pop("org")) == 24 and seen == link


@pytest.mark.parametrize("query", [f"source={AGENT['id']}", "tag=all"])
async def test_get_all_metrics_for_an_agent_and_for_a_tag(sandbox, client, query):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    answer = await client.get(f"{ACCOUNT}/metrics?{query}")
    assert answer.status_code == 200
    (swap,) = [metric for metric in answer.json() if metric["name"] == "base.swap"]
    assert set(swap) == {"id", "name", "data_type", "collector_id", "collector_type"}
    assert (swap["data_type"], swap["collector_type"]) == ("number", "plugin")


@pytest.mark.parametrize("query", [f"source={AGENT['id']}", "tag=all"])
async def test_get_metric_series_for_an_agent_and_for_a_tag(sandbox, client, query):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    answer = await client.get(f"{ACCOUNT}/metrics/base.cpu/series?{query}")
    assert answer.status_code == 200
    (series,) = answer.json()
    assert set(series) == {"origin", "id", "uom", "metric", "source", "points"}
    assert series["origin"] == ["dataloop"] and series["uom"] == "%"
    assert series["source"] == {"id": AGENT["id"], "name": "dataloop"}
    assert set(series["metric"]) == {"collector_type", "id", "data_type", "name"}
    assert series["metric"]["name"] == "base.cpu"
    assert {"uom", "value", "time"} <= set(series["points"][0])


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ("resolution=60&period=180", [1_704_067_080, 1_704_067_140, 1_704_067_200]),
        ("resolution=60&period[duration]=120", [1_704_067_140, 1_704_067_200]),
        ("resolution=60&period[duration]=120&period[end]=1455027960", [1_455_027_900, 1_455_027_960]),
    ],
)
async def test_optional_parameters_of_series(sandbox, client, query, times):
    sandbox.world.person_create({"kind": "agent", **AGENT})
    (series,) = (await client.get(f"{ACCOUNT}/metrics/base.cpu/series?tag=all&{query}")).json()
    assert [point["time"] for point in series["points"]] == times


@pytest.mark.parametrize("other", ["period[duration]=60", "period[end]=1455027939"])
async def test_period_cannot_be_mixed_with_its_parts(client, other):
    answer = await client.get(f"{ACCOUNT}/metrics/base.cpu/series?tag=all&period=60&{other}")
    assert answer.status_code == 400


PLUGIN = {
    "content": base64.b64encode(b"print('OK')\n").decode(),
    "name": "base",
    "extension": "py",
    "description": "",
    "interval": 30,
    "encoding": "base64",
    "params": "",
    "shellArgs": "",
    "type": "INPROCESS",
    "pack": "base",
}


async def test_get_all_plugins(sandbox, client):
    sandbox.world.person_create({"kind": "plugin", "name": "base", "extension": "py", "content": ""})
    sandbox.world.person_create({"kind": "link", "plugin": "base", "tags": ["all"]})
    (row,) = (await client.get(f"{ACCOUNT}/plugins")).json()
    assert {"org", "plugin", "id", "tags"} <= set(row)
    assert (row["plugin"], row["tags"], row["name"], row["extension"]) == ("base", ["all"], "base", "py")
    assert "content" not in row


async def test_export_a_plugin(sandbox, client):
    sandbox.world.person_create({"kind": "plugin", **PLUGIN})
    answer = await client.get(f"{ACCOUNT}/plugins/base")
    assert answer.status_code == 200
    plugin = answer.json()
    assert len(plugin.pop("id")) == 24 and len(plugin.pop("hash")) == 40 and len(plugin.pop("org")) == 24
    assert plugin == PLUGIN
    assert base64.b64decode(plugin["content"]) == b"print('OK')\n"


@pytest.mark.parametrize("style", ["json", "data"])
async def test_import_and_update_a_plugin(client, style):
    wrapped = base64.encodebytes(b"x" * 200).decode()  # GNU base64 wraps lines
    made = await client.post(f"{ACCOUNT}/plugins", **{style: {"name": "file", "extension": "py", "content": wrapped}})
    assert made.status_code == 200
    assert base64.b64decode((await client.get(f"{ACCOUNT}/plugins/file")).json()["content"]) == b"x" * 200
    changed = {"content": base64.b64encode(b"new").decode(), "encoding": "base64"}
    assert (await client.patch(f"{ACCOUNT}/plugins/file", **{style: changed})).status_code == 200
    plugin = (await client.get(f"{ACCOUNT}/plugins/file")).json()
    assert base64.b64decode(plugin["content"]) == b"new" and plugin["extension"] == "py"
    assert plugin["hash"] != made.json()["hash"] and plugin["id"] == made.json()["id"]


async def test_delete_a_plugin(sandbox, client):
    sandbox.world.person_create({"kind": "plugin", **PLUGIN})
    assert (await client.delete(f"{ACCOUNT}/plugins/base")).status_code == 204
    assert (await client.get(f"{ACCOUNT}/plugins/base")).status_code == 404


async def test_get_all_tags(client):
    answer = await client.get(f"{ACCOUNT}/tags")
    assert answer.status_code == 200
    assert answer.json() == [{"name": "all"}]


async def test_get_all_annotation_streams(client):
    for number in (1, 2, 3):
        await client.post(f"{ACCOUNT}/annotations/stream-{number}", json={"name": "n"})
    assert (await client.get(f"{ACCOUNT}/annotations")).json() == ["stream-1", "stream-2", "stream-3"]


async def test_get_all_annotations_for_a_stream(sandbox, client):
    for number in (2, 3, 4):
        description = "a" if number == 3 else ""
        body = {"name": f"v{number}", "description": description}
        await client.post(f"{ACCOUNT}/annotations/test-stream", json=body)
        sandbox.clock.at += 0.1
    seen = (await client.get(f"{ACCOUNT}/annotations/test-stream")).json()
    assert [(each["name"], each["description"]) for each in seen] == [("v4", ""), ("v3", "a"), ("v2", "")]
    assert seen[0]["start_time"] == "2024-01-01T00:00:00.200Z"
    assert set(seen[0]) == {"description", "id", "name", "start_time", "stream"}


async def test_delete_a_stream(client):
    await client.post(f"{ACCOUNT}/annotations/test-stream", json={"name": "n"})
    await client.post(f"{ACCOUNT}/annotations/other", json={"name": "n"})
    assert (await client.delete(f"{ACCOUNT}/annotations/test-stream")).status_code == 204
    assert (await client.get(f"{ACCOUNT}/annotations")).json() == ["other"]


async def test_create_get_update_and_delete_an_annotation(client):
    made = await client.post(f"{ACCOUNT}/annotations/test-stream", json={"name": "deploy v23"})
    assert made.status_code == 200
    annotation: dict[str, Any] = made.json()
    assert annotation == {
        "id": annotation["id"],
        "stream": "test-stream",
        "name": "deploy v23",
        "description": "",
        "start_time": "2024-01-01T00:00:00.000Z",
    }
    assert len(annotation["id"]) == 24
    url = f"{ACCOUNT}/annotations/test-stream/{annotation['id']}"
    assert (await client.get(url)).json() == annotation
    changed = await client.put(url, json={"description": "new description"})
    assert changed.json() == {**annotation, "description": "new description"}
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(url)).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer wrong", f"token {TOKEN}", TOKEN, "Bearer"])
async def test_requests_need_a_bearer_key(client, header):
    answer = await client.get(f"{ORG}/accounts", headers={"Authorization": header})
    assert answer.status_code == 401 and set(answer.json()) == {"error"}


async def test_the_python_example_of_metrics_names_the_agent(sandbox, client):
    """`params = {"source": "<name>"}`, where curl has the id."""
    sandbox.world.person_create({"kind": "agent", **AGENT})
    by_name = await client.get(f"{ACCOUNT}/metrics", params={"source": "dataloop"})
    by_id = await client.get(f"{ACCOUNT}/metrics", params={"source": AGENT["id"]})
    assert by_name.status_code == 200 and by_name.json() == by_id.json()


async def test_the_python_example_of_series_says_the_source_twice(sandbox, client):
    """Once in the address and once in `params`."""
    sandbox.world.person_create({"kind": "agent", **AGENT})
    answer = await client.get(f"{ACCOUNT}/metrics/base.cpu/series?source={AGENT['id']}&source={AGENT['id']}")
    assert answer.status_code == 200 and len(answer.json()) == 1


async def test_the_curl_example_of_an_update_of_a_plugin_says_json(client):
    content = base64.b64encode(b"print(1)\n").decode()
    await client.post(f"{ACCOUNT}/plugins", json={"name": "file", "extension": "py", "content": content})
    answer = await client.patch(
        f"{ACCOUNT}/plugins/file",
        content=b'{"content": "cHJpbnQoMikK", "encoding": "base64"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert (await client.get(f"{ACCOUNT}/plugins/file")).json()["content"] == "cHJpbnQoMikK"
