"""The usual ways in which an API is built, each drafted from a document that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.definitions.platform import Kind, Platform
from tests.unit.drafting.test_documents import TEXT, answer, body, document, drafted, item

NUMBER = {"type": "integer"}


def rows_in(name: str, schema: Any, **around: Any) -> dict[str, Any]:
    return answer({"type": "object", "properties": {name: {"type": "array", "items": schema}, **around}})


def asked(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": {**NUMBER, **more}} for name in names]


def platform_of(paths: dict[str, Any], folder: Path, **more: Any) -> Platform:
    platform: Platform = drafted(document(paths, **more), folder)[0]
    return platform


def lines(kind: Kind) -> dict[str, str]:
    operations = {name: getattr(kind, name) for name in ("list", "get", "create", "apply", "update", "delete")}
    return {name: f"{one.method} {one.request.source}" for name, one in operations.items() if one is not None}


def test_an_update_by_post_and_a_cursor_that_is_the_last_id(tmp_path: Path) -> None:
    """As payment services have it: forms, `has_more`, and a POST to the item that changes it."""
    schema = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "email": TEXT}}
    form = {"content": {"application/x-www-form-urlencoded": {"schema": {"properties": {"name": TEXT, "email": TEXT}}}}}
    cursor = {"name": "starting_after", "in": "query", "schema": TEXT}
    listed = rows_in("data", schema, has_more={"type": "boolean"})
    paths = {
        "/v1/customers": {
            "get": {"parameters": [*asked("limit", maximum=100), cursor], "responses": listed},
            "post": {"operationId": "PostCustomers", "requestBody": form, "responses": answer(schema)},
        },
        "/v1/customers/{customer}": {
            "get": {"responses": answer(schema)},
            "post": {"operationId": "PostCustomersCustomer", "requestBody": form, "responses": answer(schema)},
            "delete": {"responses": {}},
        },
    }
    platform = platform_of(paths, tmp_path)
    customer = platform.kinds["Customer"]
    assert lines(customer) == {
        "list": "GET /customers",
        "get": "GET /customers/{id}",
        "create": "POST /customers",
        "update": "POST /customers/{id}",
        "delete": "DELETE /customers/{id}",
    }
    assert customer.create and customer.create.codec == "form"
    assert customer.update and customer.update.sends == "changes"
    pages = customer.list.pages if customer.list else None
    assert pages and pages.next and pages.next.body and pages.more
    assert (pages.by, pages.at, pages.ask, pages.next.body.source) == ("cursor", "starting_after", 100, "data[-1].id")


def test_a_search_by_post_reads_and_pages_in_its_body(tmp_path: Path) -> None:
    schema = item(note=TEXT)
    search = body({"properties": {"limit": {**NUMBER, "default": 50}, "offset": NUMBER}})
    paths = {
        "/flows/": {
            "post": {"requestBody": body({"required": ["name"], **item(note=TEXT)}), "responses": answer(schema)}
        },
        "/flows/filter": {
            "post": {"requestBody": search, "responses": answer({"type": "array", "items": schema})},
        },
        "/flows/{id}": {
            "get": {"responses": answer(schema)},
            "patch": {"requestBody": body({"properties": {"note": TEXT}}), "responses": {}},
        },
        "/flows/name/{name}": {"get": {"responses": answer(schema)}},
    }
    flow = platform_of(paths, tmp_path).kinds["Flow"]
    assert lines(flow) == {
        "list": "POST /flows/filter",
        "get": "GET /flows/name/{name}",
        "create": "POST /flows/",
        "update": "PATCH /flows/{id}",
    }
    assert flow.list and flow.list.reads
    pages = flow.list.pages
    assert (pages.by, pages.at, pages.size, pages.ask, pages.short) == ("offset", "offset", "limit", 50, True)


def test_objects_in_an_envelope_that_their_rows_do_not_have(tmp_path: Path) -> None:
    """`{"data": …, "permissions": …}` for an object, bare `data` for its rows, and a PUT that creates."""
    data = {"type": "object", "properties": {"id": TEXT, "color": TEXT}}
    whole = {"type": "object", "properties": {"data": data, "permissions": {"type": "object"}}}
    only_new = [{"name": "If-None-Match", "in": "header", "schema": TEXT}]
    paths = {
        "/boxes": {
            "get": {"responses": rows_in("data", data)},
            "post": {"requestBody": body(whole), "responses": answer(whole)},
        },
        "/boxes/{id}": {
            "get": {"responses": answer(whole)},
            "put": {
                "parameters": only_new,
                "requestBody": body(whole),
                "responses": answer(whole) | {"201": {"description": "made"}},
            },
            "patch": {"requestBody": body(whole), "responses": {}},
        },
    }
    box = platform_of(paths, tmp_path).kinds["Box"]
    assert (box.key.source, box.id) == ("data.id", None)
    assert box.list and box.list.items and box.list.items.source == "data[].{data: @}"
    assert box.list.holds == "summary"
    assert lines(box)["create"] == "PUT /boxes/{name}"
    assert box.create and box.create.exists.statuses == {412}


def test_scopes_references_and_members_that_cannot_change(tmp_path: Path) -> None:
    project, task = item(), item(title=TEXT, owner_id=TEXT)
    created = {"required": ["name"], "properties": {"name": TEXT, "title": TEXT, "owner_id": TEXT}}
    both = {"get": {"responses": rows_in("items", project)}, "post": {"requestBody": body(project), "responses": {}}}
    paths = {
        "/api/owners": both,
        "/api/owners/{id}": {"get": {"responses": answer(project)}, "delete": {"responses": {}}},
        "/api/projects": both,
        "/api/projects/{project_id}": {"get": {"responses": answer(project)}, "delete": {"responses": {}}},
        "/api/projects/{project_id}/tasks": {
            "get": {"responses": rows_in("items", task)},
            "post": {"requestBody": body(created), "responses": answer(task)},
        },
        "/api/projects/{project_id}/tasks/{task_id}": {
            "get": {"responses": answer(task)},
            "patch": {"requestBody": body({"properties": {"title": TEXT}}), "responses": {}},
        },
    }
    platform = platform_of(paths, tmp_path)
    assert platform.base and platform.base.source == "/api"
    task_kind, project_kind = platform.kinds["Task"], platform.kinds["Project"]
    assert [(word.word, word.kind) for word in task_kind.scope] == [("project", "Project")]
    assert lines(task_kind)["get"] == "GET /projects/{project.id}/tasks/{id}"
    assert project_kind.delete and project_kind.delete.careful
    owner = next(rule for rule in task_kind.fields if rule.pointer == "/owner_id")
    assert owner.ref and (owner.ref.kind, owner.ref.member, owner.immutable) == ("Owner", "id", True)


def test_a_patch_that_needs_members_sends_them_all(tmp_path: Path) -> None:
    whole = {"type": "object", "required": ["key", "value"], "properties": {"key": TEXT, "value": TEXT}}
    one = {"get": {"responses": answer(whole)}, "patch": {"requestBody": body(whole), "responses": {}}}
    listed = rows_in("variables", whole, total_entries=NUMBER)
    paths = {
        "/variables": {
            "get": {"parameters": asked("limit", "offset"), "responses": listed},
            "post": {"requestBody": body(whole), "responses": {}},
        },
        "/variables/{variable_key}": one,
    }
    platform = platform_of(paths, tmp_path)
    variable = platform.kinds["Variable"]
    assert variable.key.source == "key"
    assert variable.update and (variable.update.sends, variable.update.adds is not None) == ("whole", True)
    assert lines(variable)["update"] == "PATCH /variables/{name}"
    assert variable.list and variable.list.pages.total and variable.list.pages.by == "offset"


def test_a_list_whose_end_nobody_tells_is_incomplete(tmp_path: Path) -> None:
    paths = {
        "/things": {
            "get": {"parameters": asked("limit"), "responses": answer({"type": "array", "items": item()})},
            "post": {"requestBody": body(item()), "responses": {}},
        },
        "/things/{id}": {"get": {"responses": answer(item())}},
    }
    thing = platform_of(paths, tmp_path).kinds["Thing"]
    assert thing.list and not thing.list.complete


def test_version_2_and_its_forms(tmp_path: Path) -> None:
    schema = {"$ref": "#/definitions/Pet"}
    value = {
        "swagger": "2.0",
        "info": {"title": "Pet Store", "version": "1"},
        "basePath": "/v2",
        "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "api_key"}},
        "definitions": {"Pet": {"type": "object", "required": ["name"], "properties": {"id": NUMBER, "name": TEXT}}},
        "paths": {
            "/pets": {
                "get": {"responses": {"200": {"schema": {"type": "array", "items": schema}}}},
                "post": {"parameters": [{"in": "body", "name": "body", "schema": schema}], "responses": {}},
                "put": {"parameters": [{"in": "body", "name": "body", "schema": schema}], "responses": {}},
            },
            "/pets/{petId}": {"get": {"responses": {"200": {"schema": schema}}}, "delete": {"responses": {}}},
        },
    }
    platform, _ = drafted(value, tmp_path)
    pet = platform.kinds["Pet"]
    assert platform.base and platform.base.source == "/v2"
    assert platform.auth[0].header == "api_key"
    assert (pet.key.source, pet.id and pet.id.source) == ("name", "id")
    assert lines(pet)["update"] == "PUT /pets"
