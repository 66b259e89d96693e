"""Bodies of webhooks as pointers, and pointers as keys: by what the definition says, and by nothing else."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.identity import Key, Origin, Revision
from agent.model.inventory import InventoryRow
from agent.model.manifest import Lifecycle
from agent.model.resource import Desired, Resource
from agent.reconcile.events import WORD_MAX, NotAnEvent, Pointer, keys_of, read_event

ALPHA = Pointer("Workflow", (("workspace", "analytics"),), "alpha", None)


@cache
def platform(name: str = "dataos/v1") -> Platform:
    return load_platform(name)


def body(**resource: Any) -> bytes:
    told = {"type": "workflow", "name": "alpha", "workspace": "analytics"} | resource
    return json.dumps({"event": "resource.updated", "resource": told}).encode()


def key(kind: str, name: str, **scope: str) -> Key:
    return Key("main", kind, tuple(scope.items()), name)


def desired(*keys: Key) -> Desired:
    resources = {each: Resource(each, Origin("a.yaml", 1, 1), "", Lifecycle(), (), dict) for each in keys}
    return Desired("main", Revision("0" * 40), resources)


def found(pointer: Pointer, *wanted: Key, rows: dict[Key, str] | None = None, **defaults: str) -> Key | None:
    inventory = {each: InventoryRow(each, "uid", server_id) for each, server_id in (rows or {}).items()}
    kinds = platform().kinds | platform("datalinx/v1").kinds
    return keys_of([pointer], desired(*wanted), inventory, kinds, defaults).get(pointer)


def test_the_payloads_that_the_pages_print_point_at_their_objects() -> None:
    dataos = {
        "event": "resource.created",
        "timestamp": "2024-01-01T10:00:00Z",
        "resource": {"type": "workflow", "name": "my-workflow", "workspace": "analytics", "status": "active"},
    }
    datalinx = {
        "event": "pipeline.completed",
        "workspace": "production",
        "pipeline_id": "pl_123",
        "status": "success",
        "timestamp": "2024-01-15T10:30:00Z",
    }
    assert read_event(json.dumps(dataos).encode(), platform()) == Pointer(
        "Workflow", (("workspace", "analytics"),), "my-workflow", None
    )
    assert read_event(json.dumps(datalinx).encode(), platform("datalinx/v1")) == Pointer(
        "Pipeline", (("workspace", "production"),), None, "pl_123"
    )


def test_nothing_else_of_a_body_is_kept() -> None:
    assert read_event(body(status="deleted", spec={"evil": True}, id="x"), platform()) == ALPHA


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "no-such-type"},
        {"type": None},
        {"type": ["workflow"]},
        {"name": None},
        {"name": ""},
        {"name": {"a": 1}},
        {"name": True},
        {"name": "x" * (WORD_MAX + 1)},
    ],
)
def test_what_names_nothing_points_nowhere(odd: dict[str, Any]) -> None:
    assert read_event(body(**odd), platform()) is None


@pytest.mark.parametrize(
    "event",
    [
        b"{}",
        b'{"event": null}',
        b'{"event": 5, "resource": {}}',
        b'{"event": "ping"}',
        b'{"event": "resource.updated"}',
        b'{"event": "resource.updated", "resource": null}',
        b'{"event": "resource.updated", "resource": [1, 2]}',
        b'{"event": "repository.pushed", "resource": {"type": "workflow", "name": "alpha"}}',
    ],
)
def test_an_event_of_no_rule_points_nowhere(event: bytes) -> None:
    assert read_event(event, platform()) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"{",
        b"\xff\xfe",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"event": "a", "event": "b"}',
        b'{"event": NaN}',
        b'{"event": "\\ud800"}',
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
    ids=range(13),
)
def test_what_is_no_json_mapping_is_no_event(broken: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_event(broken, platform())


def test_a_platform_without_rules_hears_nothing() -> None:
    assert read_event(body(), platform("dataloop/v1")) is None


def test_a_name_leads_to_what_git_names() -> None:
    alpha = key("Workflow", "alpha", workspace="analytics")
    assert found(ALPHA, alpha) == alpha
    assert found(ALPHA, key("Workflow", "alpha", workspace="other")) is None
    assert found(ALPHA, key("Service", "alpha", workspace="analytics")) is None
    assert found(ALPHA, rows={alpha: "id"}) is None, "it has left git: whole passes decide about it"


def test_a_scope_that_the_event_leaves_out_is_the_target_s_default() -> None:
    pointer = read_event(body(workspace=None), platform())
    alpha = key("Workflow", "alpha", workspace="public")
    assert pointer is not None
    assert found(pointer, alpha, workspace="public") == alpha
    assert found(pointer, alpha, workspace="other") is None
    assert found(pointer, alpha) is None


def test_a_scope_that_the_kind_has_not_is_not_looked_at() -> None:
    pointer = read_event(body(type="policy"), platform())
    policy = key("Policy", "alpha")
    assert pointer is not None and pointer.scope == ()
    assert found(pointer, policy) == policy


def test_an_id_leads_to_the_inventory_s_object_of_this_scope() -> None:
    one, other = (key("Pipeline", "nightly", workspace=each) for each in ("production", "test"))
    pointer = Pointer("Pipeline", (("workspace", "production"),), None, "pl_1")
    assert found(pointer, one, rows={one: "pl_1"}) == one
    assert found(pointer, one, rows={one: "pl_2"}) is None
    assert found(pointer, other, rows={other: "pl_1"}) is None, "the event speaks of another workspace"
    assert found(pointer, one) is None
    assert found(pointer, rows={one: "pl_1"}) is None, "git does not name it any more"
    unscoped = Pointer("Pipeline", (), None, "pl_1")
    assert found(unscoped, one, other, rows={one: "pl_1", other: "pl_1"}) is None, "it may mean either"


def test_a_number_may_be_an_id() -> None:
    event = b'{"event": "pipeline.completed", "workspace": "production", "pipeline_id": 17}'
    pointer = read_event(event, platform("datalinx/v1"))
    assert pointer == Pointer("Pipeline", (("workspace", "production"),), None, "17")
