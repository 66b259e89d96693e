"""Bodies of writes: a PUT erases nothing that nobody wrote about, and never sends what is the server's."""

from __future__ import annotations

from agent.definitions.platform import FieldRule
from agent.plan.compose import compose_create, compose_update, mark_text
from tests.unit.plan.kinds import MARK, book

TAGS = FieldRule("/tags", list="set", own="listed")
MINE = mark_text(MARK, "main", "abcdefghijkl", "x")


def test_the_mark_names_target_and_uid() -> None:
    assert MINE == "owner.main/abcdefghijkl"


def test_a_create_carries_the_mark_once() -> None:
    assert compose_create(book(TAGS), {"tags": ["a"]}, MINE) == {"tags": ["a", MINE]}
    assert compose_create(book(TAGS), {"tags": ["a", MINE]}, MINE) == {"tags": ["a", MINE]}
    assert compose_create(book(TAGS), {"a": 1}, None) == {"a": 1}


def test_unwritten_members_are_copied_from_live() -> None:
    body = compose_update(book(), {"a": {"x": 1}}, None, {"a": {"x": 0, "y": 2}, "b": 3}, mark=None)
    assert body == {"a": {"x": 1, "y": 2}, "b": 3}


def test_members_that_the_schema_does_not_name_are_never_sent_back() -> None:
    body = compose_update(book(), {"a": 1}, None, {"a": 0, "status": "active"}, mark=None, named={"a"})
    assert body == {"a": 1}


def test_read_only_and_masked_members_are_never_sent_back() -> None:
    rules = (FieldRule("/id", read_only=True), FieldRule("/config/password", mask=r"^\*+$"))
    body = compose_update(book(*rules), {"a": 1}, None, {"id": 7, "config": {"password": "***", "b": 1}}, mark=None)
    assert body == {"a": 1, "config": {"b": 1}}
    body = compose_update(book(*rules), {"a": 1}, None, {"config": {"b": [{"password": "***"}]}}, mark=None)
    assert body == {"a": 1, "config": {"b": [{}]}}
    body = compose_update(book(*rules), {"config": {"b": 2}}, None, {"config": {"password": "***", "b": 1}}, mark=None)
    assert body == {"config": {"b": 2}}


def test_asterisks_at_the_name_of_a_secret_are_never_sent_back() -> None:
    live = {"env": {"DB_PASSWORD": "********", "RATING": "***", "MODE": "slow"}}
    body = compose_update(book(), {"env": {"MODE": "fast"}}, None, live, mark=None)
    assert body == {"env": {"RATING": "***", "MODE": "fast"}}


def test_kept_leaves_stay_as_they_are_live() -> None:
    body = compose_update(book(), {"a": 1, "b": 2}, None, {"a": 9, "b": 9}, mark=None, keep=["/a"])
    assert body == {"a": 9, "b": 2}


def test_foreign_elements_of_a_listed_set_survive_and_ours_that_left_git_go() -> None:
    live = {"tags": ["a", "gone", "foreign", MINE]}
    body = compose_update(book(TAGS), {"tags": ["a", "new"]}, {"tags": ["a", "gone"]}, live, mark=MINE)
    assert body["tags"] == ["a", "new", "foreign", MINE]


def test_named_elements_keep_what_the_server_added() -> None:
    live = {"dag": [{"name": "a", "x": 0, "server": 1}, {"name": "gone"}]}
    body = compose_update(book(), {"dag": [{"name": "a", "x": 1}, {"name": "b"}]}, None, live, mark=None)
    assert body == {"dag": [{"name": "a", "x": 1, "server": 1}, {"name": "b"}]}


def test_an_element_without_a_name_is_not_mixed_with_another() -> None:
    live = {"hooks": [{"url": "a", "auth": "secret-of-a"}]}
    body = compose_update(book(), {"hooks": [{"url": "b"}]}, None, live, mark=None)
    assert body == {"hooks": [{"url": "b"}]}


def test_a_leaf_that_left_git_takes_its_default_in_the_body() -> None:
    rule = FieldRule("/b", default=0, has_default=True)
    assert compose_update(book(rule), {"a": 1}, {"a": 1, "b": 5}, {"a": 1, "b": 5}, mark=None) == {"a": 1, "b": 0}


def test_moved_and_encoded_members_travel_in_the_platforms_form() -> None:
    rules = (
        FieldRule("/*", read="/spec/*"),
        FieldRule("/tags", read="/tags", list="set", own="listed"),
        FieldRule("/env", encode="env"),
        FieldRule("/level", values={'"high"': 3}),
        FieldRule("/text", write="/content/text"),
    )
    live = {"spec": {"env": "A=1\nB=2", "level": 1, "kept": True}, "tags": ["t"], "status": "active"}
    body = compose_update(book(*rules), {"env": {"A": "2"}, "level": "high", "text": "x"}, None, live, mark=None)
    assert body == {"env": "A=2\nB=2", "level": 3, "kept": True, "tags": ["t"], "content": {"text": "x"}}


def test_only_changed_members_are_sent_where_the_operation_says_so() -> None:
    live = {"a": {"x": 0, "y": 1}, "b": 2}
    body = compose_update(book(), {"a": {"x": 1}, "b": 2}, None, live, mark=None, only=["/a/x"])
    assert body == {"a": {"x": 1, "y": 1}}


def test_what_is_ignored_in_every_element_keeps_its_live_value_in_a_body() -> None:
    desired = {"dag": [{"name": "a", "x": 1, "y": 2}, {"name": "new", "x": 1}]}
    live = {"dag": [{"name": "a", "x": 9, "y": 1}]}
    body = compose_update(book(), desired, None, live, mark=None, keep=["/dag/*/x"])
    assert body["dag"] == [{"name": "a", "x": 9, "y": 2}, {"name": "new", "x": 1}]
