"""Bodies: YAML and JSON as servers read them, and what answers 400."""

from __future__ import annotations

import pytest

from agent.sandbox.dataos_bodies import BODY_MAX
from tests.unit.sandbox.support import WORKFLOW, Sandbox, error_code


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


async def post(sandbox: Sandbox, body: bytes, content_type: str = "application/yaml"):
    return await sandbox.client.post("/v1/resources", content=body, headers={"Content-Type": content_type})


HEAD = b"name: n\nversion: v1\ntype: workflow\n"


async def test_yaml_is_read_as_the_json_that_it_means(sandbox):
    body = HEAD + b"workflow:\n  on: 2024-01-01\n  2: two\n  share: 1.5\n  text: '1e3'\n  none: null\n"
    assert (await post(sandbox, body, "application/yaml; charset=utf-8")).status_code == 201
    section = (await sandbox.shown("n", workspace="public"))["spec"]["workflow"]
    assert section == {"true": "2024-01-01", "2": "two", "share": 1.5, "text": "1e3", "none": None}


@pytest.mark.parametrize(
    "body",
    [
        b"a: [",
        b"a: b: c",
        b"- a list",
        b"text",
        b"",
        HEAD + b"workflow: {x: .nan}",
        HEAD + b"workflow: {x: !!binary aGk=}",
        HEAD + b"workflow: !!python/object:os.system {}",
        HEAD + b"---\n" + HEAD,
        HEAD + b"workflow: " + b"[" * 50_000,
        HEAD + b"? [a, b]\n: 1\n",
        b"\xff\xfe\x00",
        HEAD + b'workflow: {x: "\\ud800"}',
    ],
)
async def test_yaml_that_is_no_mapping_of_json_values_is_refused(sandbox, body):
    answer = await post(sandbox, body)
    assert answer.status_code == 400 and error_code(answer) == "INVALID_REQUEST"
    assert not sandbox.world.commits


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": NaN}', b"[" * 100_000, b'{"name": "\\ud800"}'])
async def test_json_that_is_no_mapping_is_refused(sandbox, body):
    assert (await post(sandbox, body, "application/json")).status_code == 400


async def test_nesting_is_read_up_to_its_limit(sandbox):
    for depth, status in ((198, 201), (201, 400)):
        body = HEAD.replace(b"name: n", b"name: n%d" % depth) + b"workflow: {x: " + b"[" * depth + b"]" * depth + b"}"
        assert (await post(sandbox, body)).status_code == status


async def test_aliases_are_read_up_to_their_limit(sandbox):
    for count, status in ((100, 201), (101, 400)):
        body = HEAD.replace(b"name: n", b"name: n%d" % count)
        body += b"a: &a x\nworkflow: {x: [" + b", ".join([b"*a"] * count) + b"]}"
        assert (await post(sandbox, body)).status_code == status


async def test_a_body_may_be_a_mebibyte_and_no_more(sandbox):
    for size, status in ((BODY_MAX, 201), (BODY_MAX + 1, 400)):
        body = HEAD.replace(b"name: n", b"name: n%d" % (size % 2)) + b"title: "
        assert (await post(sandbox, body + b"x" * (size - len(body)))).status_code == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_content_type_is_refused(sandbox, content_type):
    assert (await post(sandbox, HEAD, content_type)).status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"version": ""}, "version"),
        ({"version": "1"}, "version"),
        ({"type": "Work Flow"}, "type"),
        ({"tags": "one"}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"description": 1}, "description"),
        ({"workflow": []}, "workflow"),
        ({"workspace": "An"}, "workspace"),
    ],
)
async def test_a_member_in_the_wrong_form_is_named(sandbox, change, field):
    answer = await sandbox.client.post("/v1/resources", json={**WORKFLOW, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field


@pytest.mark.parametrize("word", ["name", "version", "type"])
async def test_what_every_resource_has_is_required(sandbox, word):
    document = {key: value for key, value in WORKFLOW.items() if key != word}
    answer = await sandbox.client.post("/v1/resources", json=document)
    assert answer.status_code == 400 and word in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("type_name", "name", "status"),
    [
        ("workflow", "a" * 48, 201),
        ("workflow", "a" * 49, 400),
        ("workflow", "a-1", 201),
        ("workflow", "a-", 400),
        ("workflow", "-a", 400),
        ("workflow", "a_b", 400),
        ("workflow", "A", 400),
        ("workflow", "..", 400),
        ("depot", "lake1", 201),
        ("depot", "lake-1", 400),
        ("cluster", "1lake", 400),
    ],
)
async def test_names_follow_the_rule_of_their_type(sandbox, type_name, name, status):
    answer = await sandbox.client.post("/v1/resources", json={"name": name, "version": "v1", "type": type_name})
    assert answer.status_code == status


@pytest.mark.parametrize(("length", "status"), [(32, 201), (33, 400)])
async def test_a_workspace_name_has_at_most_32_characters(sandbox, length, status):
    assert (await sandbox.create(workspace="w" * length)).status_code == status


@pytest.mark.parametrize(("name", "status"), [("a_b", 201), ("..", 400), ("a/b", 400), ("a\nb", 400)])
async def test_lenient_names_still_fit_into_a_path(name, status):
    sandbox = Sandbox(switches={"strict_names": False})
    assert (await sandbox.create(name=name)).status_code == status
