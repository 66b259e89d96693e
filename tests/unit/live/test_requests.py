"""The exact bytes of a call, and the calls that are never built."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.definitions.expressions import PathTemplate, Template, UnsafePath
from agent.definitions.platform import Kind, Operation, Platform, ScopeWord
from agent.live.connection import Connection
from agent.live.rendering import Unbuildable
from agent.live.requests import NOTHING, Around, Prepared, Requests
from tests.unit.live.made_up import KEY, PLATFORM, RESOURCE, with_kind


def requests(platform: Platform = PLATFORM, prefix: str = "", **secrets: str) -> Requests:
    return Requests(platform, Connection("target", settings={"team": "blue"}), prefix, secrets=secrets)


def write(kind: Kind, name: str, body: Any = None, **words: Any) -> Prepared:
    server_id = words.pop("server_id", None)
    told, key = requests(words.pop("platform", PLATFORM)), words.pop("key", KEY)
    return told.writing(name, getattr(kind, name), kind, key, server_id, body, Around(**words))


def read(kind: Kind = RESOURCE, key: Any = KEY, server_id: str | None = None, prefix: str = "") -> Prepared:
    assert kind.get is not None
    return requests(prefix=prefix).reading_of(kind, kind.get, key, server_id)


def test_a_read_is_base_path_and_encoded_words() -> None:
    prepared = read(key=KEY._replace(name="a/b?c#d é%2F", scope=(("workspace", "a&b=c"),)), prefix="/pre")
    assert prepared.target == "/pre/v1/resources/workflow/a%2Fb%3Fc%23d%20%C3%A9%252F?workspace=a%26b%3Dc"
    assert (prepared.method, prepared.template) == ("GET", "/resources/{with.type}/{name}?workspace={workspace}")
    assert dict(prepared.headers)[b"accept-encoding"] == b"identity"
    assert dict(prepared.headers)[b"accept"] == b"application/json"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/../b"])
def test_a_name_that_would_leave_its_folder_builds_nothing(name: str) -> None:
    with pytest.raises(UnsafePath):
        read(key=KEY._replace(name=name))
    with pytest.raises(UnsafePath):
        write(RESOURCE, "delete", key=KEY._replace(name=name))


def test_a_missing_id_builds_nothing() -> None:
    kind = replace(RESOURCE, get=Operation("GET", PathTemplate("/things/{id}")))
    assert read(kind, server_id="7").target == "/v1/things/7"
    with pytest.raises(UnsafePath):
        read(kind)


def test_an_optional_scope_word_drops_out_of_the_query() -> None:
    kind = replace(RESOURCE, scope=(ScopeWord("workspace", optional=True),))
    assert read(kind, KEY._replace(scope=())).target == "/v1/resources/workflow/daily"


def test_a_create_lays_what_it_adds_over_the_spec() -> None:
    prepared = write(RESOURCE, "create", {"version": "v1", "name": "ignored"})
    assert prepared.target == "/v1/resources"
    assert prepared.body == b'{"version":"v1","name":"daily","workspace":"analytics"}'
    assert dict(prepared.headers)[b"content-type"] == b"application/json"
    assert prepared.reading.exists is not None and prepared.reading.writes


def test_only_a_create_may_answer_exists_and_a_delete_has_no_body() -> None:
    assert write(RESOURCE, "update", {}).reading.exists is None
    prepared = write(RESOURCE, "delete")
    assert prepared.body is None and b"content-type" not in dict(prepared.headers)


def test_a_body_of_the_operation_replaces_the_spec_and_may_hold_a_secret() -> None:
    operation = Operation("POST", PathTemplate("/x"), codec="form", body=Template({"n": "${name}", "t": "${secret.t}"}))
    kind = replace(RESOURCE, create=operation)
    prepared = requests(t="hunter2").writing("create", operation, kind, KEY, None, {"a": 1}, NOTHING)
    assert prepared.body == b"n=daily&t=hunter2"
    assert "hunter2" not in repr(prepared)


def test_members_of_a_parent_come_from_its_live_object() -> None:
    operation = Operation(
        "POST", PathTemplate("/w/{workspace.id}/x"), adds=Template({"ws": "${workspace.id}", "name": "${workspace}"})
    )
    kind = replace(RESOURCE, create=operation)
    prepared = write(kind, "create", {}, parents={"workspace": {"id": 5}})
    assert (prepared.target, prepared.body) == ("/v1/w/5/x", b'{"ws":5,"name":"analytics"}')
    with pytest.raises(UnsafePath):
        write(kind, "create", {})


def test_an_update_carries_what_the_server_wants_to_see_again() -> None:
    operation = Operation("PUT", PathTemplate("/x/{name}"), carries=("/revision", "/meta/etag", "/none"), if_match=True)
    kind = replace(RESOURCE, update=operation)
    prepared = write(kind, "update", {"a": 1}, live={"revision": 3, "meta": {"etag": "e", "b": 2}}, etag='"abc"')
    assert prepared.body == b'{"a":1,"revision":3,"meta":{"etag":"e"}}'
    assert dict(prepared.headers)[b"if-match"] == b'"abc"'
    assert b"if-match" not in dict(write(kind, "update", {}).headers)


def test_common_members_go_into_the_query_or_the_body_by_method() -> None:
    platform = with_kind(
        RESOURCE,
        request_query={"team_name": Template("${settings.team}")},
        request_body={"team_name": Template("${settings.team}")},
        request_headers={"x-team": Template("${settings.team}"), "x-fixed": Template("one")},
    )
    assert write(RESOURCE, "delete", platform=platform).target.endswith("?workspace=analytics&team_name=blue")
    prepared = write(RESOURCE, "update", {"a": 1}, platform=platform)
    assert prepared.body == b'{"a":1,"team_name":"blue"}' and "team_name" not in prepared.target
    assert dict(prepared.headers)[b"x-team"] == b"blue" and dict(prepared.headers)[b"x-fixed"] == b"one"


def test_a_body_that_the_platform_would_not_take_is_not_built() -> None:
    platform = with_kind(RESOURCE, request_bytes_max=9)
    assert write(RESOURCE, "update", {"a": 100}, platform=platform).body == b'{"a":100}'
    with pytest.raises(Unbuildable, match="10 bytes is more than the 9"):
        write(RESOURCE, "update", {"a": 1000}, platform=platform)


def test_a_header_of_the_kind_takes_the_scope_and_cannot_be_split() -> None:
    kind = replace(RESOURCE, headers={"X-Workspace": Template("${workspace}")})
    assert dict(read(kind).headers)[b"x-workspace"] == b"analytics"
    with pytest.raises(Unbuildable):
        read(kind, KEY._replace(scope=(("workspace", "a\r\nX-Evil: 1"),)))
    with pytest.raises(Unbuildable):
        read(kind, KEY._replace(scope=(("workspace", "日本"),)))


def test_an_idempotency_header_is_the_same_for_the_same_resource() -> None:
    assert RESOURCE.create is not None
    kind = replace(RESOURCE, create=replace(RESOURCE.create, idempotency="Idempotency-Key"))
    keys = [dict(write(kind, "create", {"a": n}).headers)[b"idempotency-key"] for n in (1, 2)]
    assert keys[0] == keys[1] != b""


def test_pages_replace_the_position_that_the_request_line_holds() -> None:
    operation = Operation("GET", PathTemplate("/jobs?limit=100&workspace={workspace}"))
    builder = requests()
    first = builder.listing(replace(RESOURCE, list=operation), operation, KEY.scope)
    assert builder.page(first, (), None).target == "/v1/jobs?limit=100&workspace=analytics"
    assert builder.page(first, (("limit", "2"), ("offset", "4")), None).target == (
        "/v1/jobs?workspace=analytics&limit=2&offset=4"
    )
    assert builder.page(first, (("limit", "2"),), "/v1/jobs?next=1").target == "/v1/jobs?next=1"


def test_a_list_that_is_asked_for_with_a_body_has_its_position_in_there() -> None:
    operation = Operation(
        "POST", PathTemplate("/jobs/filter?deep=1"), reads=True, body=Template({"in": "${workspace}", "limit": 9})
    )
    builder = requests()
    first = builder.listing(replace(RESOURCE, list=operation), operation, KEY.scope)
    assert first.body == b'{"in":"analytics","limit":9}'
    second = builder.page(first, (("limit", 2), ("offset", 4)), None)
    assert second.target == first.target == "/v1/jobs/filter?deep=1"
    assert second.body == b'{"in":"analytics","limit":2,"offset":4}'
    assert [name for name, _ in second.headers].count(b"content-type") == 1
    bare = replace(operation, body=None)
    page = builder.page(builder.listing(replace(RESOURCE, list=bare), bare, KEY.scope), (("cursor", "4"),), None)
    assert page.body == b'{"cursor":"4"}'


def test_a_read_of_one_object_may_have_a_body_too() -> None:
    operation = Operation("POST", PathTemplate("/jobs/info"), reads=True, body=Template({"name": "${name}"}))
    prepared = requests().reading_of(replace(RESOURCE, get=operation), operation, KEY, None)
    assert (prepared.body, prepared.reads) == (b'{"name":"daily"}', True)
