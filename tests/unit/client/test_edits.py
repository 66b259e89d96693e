"""What a program changed, laid over what is live, and what must not be erased on the way."""

from __future__ import annotations

from typing import Any

import pytest

import agent
from agent.client.edits import (
    body_of_save,
    check,
    edits_between,
    laid_over,
    may_erase,
    may_hide,
    supports_save,
    vias_of,
)
from agent.definitions.load import load_platform
from agent.errors import UsageError
from agent.model.identity import Key
from agent.plan.rules import RuleBook

FLOW: dict[str, Any] = {
    "name": "flow",
    "type": "workflow",
    "workspace": "sales",
    "status": "active",
    "tags": ["a"],
    "spec": {"workflow": {"dag": [{"name": "x"}], "schedule": {"cron": "0 2 * * *"}}},
}


def book(platform: str, kind: str) -> RuleBook:
    return RuleBook(load_platform(platform).kinds[kind], {})


def saved(rules: RuleBook, before: dict[str, Any], after: dict[str, Any]) -> Any:
    return body_of_save(rules, supports_save(rules.kind), before, after)


def test_edits_are_the_deepest_members_and_a_list_is_one() -> None:
    after = {**FLOW, "tags": ["a", "b"], "spec": {"workflow": {"dag": [{"name": "x"}], "title": 1}}}
    told = {edit.path: (edit.before, edit.after) for edit in edits_between(FLOW, after)}
    assert told.keys() == {"tags", "spec.workflow.schedule", "spec.workflow.title"}
    assert told["tags"] == (["a"], ["a", "b"])
    assert list(edits_between({"a": 1}, {"a": True}))  # a truth value is no number


def test_an_edit_goes_over_what_is_live_now_or_collides() -> None:
    edits = list(edits_between({"a": {"b": 1}, "c": 1}, {"a": {"b": 2}}))
    assert laid_over(edits, {"a": {"b": 1, "theirs": 3}, "c": 1}, "x") == {"a": {"b": 2, "theirs": 3}}
    assert laid_over(edits, {"a": {"b": 2}, "c": 1}, "x") == {"a": {"b": 2}}  # somebody did the same
    for live in ({"a": {"b": 5}, "c": 1}, {"a": 7, "c": 1}, {"a": {"b": 1}, "c": 9}):
        with pytest.raises(agent.ConflictError, match=r"x: somebody else changed `(a\.b|c)`"):
            laid_over(edits, live, "x")


def test_a_body_is_the_whole_object_without_what_is_the_platforms() -> None:
    rules = book("dataos", "Workflow")
    after = {**FLOW, "spec": {"workflow": {"dag": [{"name": "x"}]}}}
    assert saved(rules, FLOW, after) == {"tags": ["a"], "workflow": {"dag": [{"name": "x"}]}}


def test_where_changes_are_sent_only_they_are() -> None:
    rules = book("dataloop", "Plugin")
    before = {"name": "disk", "id": "1", "content": "cHJpbnQoMSkK", "description": "old", "interval": 30}
    assert saved(rules, before, {**before, "content": "cHJpbnQoMikK"}) == {"content": "cHJpbnQoMikK"}
    gone = {name: value for name, value in before.items() if name != "description"}
    assert saved(rules, before, gone) == {"description": None}


def test_leaves_with_endpoints_of_their_own_are_no_part_of_a_body() -> None:
    rules = book("dataops-live", "Project")
    before = {"id": 1, "path": "etl", "archived": False, "description": "old"}
    after = {**before, "archived": True, "description": "new"}
    assert vias_of(rules, before, after) == {("archived",): True}
    assert saved(rules, before, after) == {"description": "new"}


def test_what_no_write_can_change_is_refused_before_anything_is_sent() -> None:
    rules, key = book("dataos", "Workflow"), Key("t", "Workflow", (("workspace", "sales"),), "flow")

    def checked(**changed: Any) -> None:
        after = {**FLOW, **changed}
        check(rules, key, FLOW, after, list(edits_between(FLOW, after)))

    checked(description="new")
    with pytest.raises(UsageError, match="`status` belongs to the platform"):
        checked(status="failed")
    with pytest.raises(UsageError, match="`colour` is not part of what a Workflow may say"):
        checked(colour="red")
    for wrong in ({"name": "other"}, {"workspace": "else"}, {"type": "service"}):
        with pytest.raises(agent.NotSupportedError, match="no members to change"):
            checked(**wrong)
    plugin, before = book("dataloop", "Plugin"), {"name": "disk", "extension": "py"}
    after = {**before, "extension": "sh"}
    with pytest.raises(agent.NotSupportedError, match="cannot be changed in place"):
        check(plugin, Key("t", "Plugin", (), "disk"), before, after, list(edits_between(before, after)))


@pytest.mark.parametrize(
    ("kind", "spec", "hidden"),
    [
        ("Secret", {"secret": {"type": "k", "acl": "r"}}, True),
        ("Secret", {"secret": {"type": "k", "data": {}}}, True),
        ("Secret", {"secret": {"type": "k", "data": {"a": "b"}}}, False),
        ("Secret", {"secret": [{"acl": "r", "data": {"a": "b"}}]}, False),
        ("Secret", {"secret": [{"acl": "r"}]}, True),
        ("Depot", {"depot": {"type": "S3"}}, False),
        ("Depot", {"depot": {"connectionSecret": [{"acl": "rw", "type": "key-value"}]}}, True),
        ("Depot", {"depot": {"connectionSecret": [{"acl": "rw", "data": {"a": "b"}}]}}, False),
        ("Workflow", {"workflow": {}}, False),
    ],
)
def test_what_a_platform_may_hide(kind: str, spec: dict[str, Any], hidden: bool) -> None:
    assert bool(may_hide(book("dataos", kind), spec)) == hidden


def test_where_a_mask_is_known_only_a_mask_hides() -> None:
    rules = book("datalinx", "Source")
    assert may_hide(rules, {"config": {"host": "a"}}) == []
    assert may_hide(rules, {"config": {"password": "****"}}) == ["/config/password"]
    assert may_hide(rules, {"config": {"password": "new"}}) == []


@pytest.mark.parametrize(
    ("platform", "kind", "live", "said", "erased"),
    [
        ("datalinx", "Source", {"config": {"password": "***"}}, {"config": {"host": "a"}}, ["/config/password"]),
        ("datalinx", "Source", {"config": {"password": "***"}}, {"config": {"password": "new"}}, []),
        ("datalinx", "Source", {"config": {"host": "b"}}, {"config": {"host": "a"}}, []),
        (
            "dataos",
            "Depot",
            {"depot": {"secrets": [{"name": "a"}]}},
            {"description": "new"},
            ["/depot/secrets/*/data/*"],
        ),
        ("dataos", "Depot", {"depot": {"secrets": [{"name": "a"}]}}, {"depot": {"secrets": [{"name": "b"}]}}, []),
        ("dataos", "Depot", {"depot": {"type": "S3"}}, {"description": "new"}, []),
    ],
)
def test_a_document_erases_nothing_that_it_does_not_speak_of(
    platform: str, kind: str, live: dict[str, Any], said: dict[str, Any], erased: list[str]
) -> None:
    assert may_erase(book(platform, kind), live, said) == erased
