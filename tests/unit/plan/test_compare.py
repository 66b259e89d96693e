"""Leaves that differ, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent.definitions.platform import FieldRule
from agent.model.change import Cause, FieldOp
from agent.plan.compare import Comparison, compare
from agent.plan.normalize import fingerprinted
from tests.unit.plan.kinds import book

SET = FieldRule("/tags", list="set", own="listed")


def diff(desired: Any, applied: Any, live: Any, *fields: FieldRule, **words: Any) -> Comparison:
    return compare(book(*fields), desired, applied, live, **words)


def shown(found: Comparison) -> list[tuple[str, str, str]]:
    return [(field.path, field.op.value, field.cause.value) for field in found.fields]


def test_only_written_leaves_are_compared() -> None:
    found = diff({"a": 1}, {"a": 1}, {"a": 1, "server": "default", "nested": {"x": 1}})
    assert found.same and not found.released


def test_a_leaf_that_git_changed_is_caused_by_git() -> None:
    assert shown(diff({"a": 2}, {"a": 1}, {"a": 1})) == [("a", "change", "git")]


def test_a_leaf_that_live_changed_is_drift() -> None:
    assert shown(diff({"a": 1}, {"a": 1}, {"a": 9})) == [("a", "change", "drift")]


def test_a_leaf_that_both_changed_is_caused_by_git() -> None:
    assert shown(diff({"a": 2}, {"a": 1}, {"a": 9})) == [("a", "change", "git")]


def test_a_written_leaf_that_is_missing_live_is_added() -> None:
    found = diff({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}})
    assert shown(found) == [("a.c", "add", "drift")]
    assert found.fields[0].pointer == "/a/c" and found.fields[0].after == 2


def test_null_equals_absent() -> None:
    assert diff({"a": None}, None, {}).same


def test_a_leaf_that_left_git_is_released_and_needs_no_write() -> None:
    found = diff({"a": 1}, {"a": 1, "b": "old"}, {"a": 1, "b": "old"})
    assert found.same
    assert [(field.path, field.op, field.before) for field in found.released] == [("b", FieldOp.RELEASE, "old")]


def test_a_leaf_that_left_git_takes_its_declared_default() -> None:
    rule = FieldRule("/b", default=0, has_default=True)
    assert shown(diff({}, {"b": 5}, {"b": 5}, rule)) == [("b", "default", "default")]
    assert diff({}, {"b": 5}, {"b": 0}, rule).same


def test_without_a_last_applied_state_the_cause_is_adoption() -> None:
    assert shown(diff({"a": 1}, None, {"a": 2})) == [("a", "change", "adopt")]


@pytest.mark.parametrize(
    ("desired", "live", "equal"),
    [
        (Decimal("1.10"), Decimal("1.1"), True),
        (1, Decimal("1.0"), True),
        (True, 1, False),
        (1, True, False),
        ("1.10", Decimal("1.1"), False),
        ("a", "a", True),
        ({}, None, False),
        ([], [], True),
    ],
)
def test_values_are_equal_as_json_values(desired: Any, live: Any, equal: bool) -> None:
    found = diff({"a": desired}, None, {} if live is None else {"a": live})
    assert found.same is (equal or desired == {})


class OneType:
    def __init__(self, *types: str) -> None:
        self.types = frozenset(types)

    def type_at(self, pointer: str) -> frozenset[str]:
        return self.types


def test_a_live_text_is_a_number_where_the_schema_wants_one() -> None:
    assert diff({"a": 3650}, None, {"a": "3650"}, types=OneType("integer")).same
    assert not diff({"a": 3650}, None, {"a": "3650"}, types=OneType("string", "integer")).same
    assert diff({"a": "1.10"}, None, {"a": "1.10"}, types=OneType("string")).same
    assert not diff({"a": "1.10"}, None, {"a": "1.1"}, types=OneType("string")).same


@pytest.mark.parametrize(
    ("word", "desired", "live"),
    [
        ("case", "UTC", "utc"),
        ("space", "select  1", "select 1\n"),
        ("number", "1.50", Decimal("1.5")),
        ("duration", "90s", "1m30s"),
        ("time", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"),
        ("tail", "a", "projects/x/a"),
        ("empty", [], ""),
    ],
)
def test_compare_words_make_spellings_equal(word: Any, desired: Any, live: Any) -> None:
    rule = FieldRule("/a", compare=word)
    assert diff({"a": desired}, None, {"a": live}, rule).same
    assert not diff({"a": "x1"}, None, {"a": "x2"}, rule).same


def test_an_owned_subset_of_a_set_leaves_foreign_elements_alone() -> None:
    assert diff({"tags": ["b", "a"]}, {"tags": ["a", "b"]}, {"tags": ["a", "other", "b"]}, SET).same


def test_an_element_that_left_git_is_removed_from_a_set() -> None:
    found = diff({"tags": ["a"]}, {"tags": ["a", "b"]}, {"tags": ["a", "b", "other"]}, SET)
    assert [(field.op, field.before, field.cause) for field in found.fields] == [(FieldOp.REMOVE, "b", Cause.GIT)]


def test_a_set_that_left_git_loses_only_our_elements() -> None:
    found = diff({}, {"tags": ["a"]}, {"tags": ["a", "other"]}, SET)
    assert [(field.op, field.before) for field in found.fields] == [(FieldOp.REMOVE, "a")]


def test_a_named_element_is_shown_by_its_name() -> None:
    dag = [{"name": "load", "spec": {"stack": "6"}}, {"name": "tidy"}]
    live = {"dag": [{"name": "load", "spec": {"stack": "5", "default": 1}}, {"name": "old"}]}
    found = diff({"dag": dag}, {"dag": dag}, live)
    assert shown(found) == [
        ("dag[name=load].spec.stack", "change", "drift"),
        ("dag[name=tidy]", "add", "drift"),
        ("dag[name=old]", "remove", "drift"),
    ]


def test_another_order_of_named_elements_is_a_change() -> None:
    found = diff({"dag": [{"name": "a"}, {"name": "b"}]}, None, {"dag": [{"name": "b"}, {"name": "a"}]})
    assert shown(found) == [("dag (order)", "change", "adopt")]


def test_a_keyed_list_ignores_order() -> None:
    rule = FieldRule("/rules", list=("id",))
    desired = {"rules": [{"id": 1, "x": 1}, {"id": 2, "x": 2}]}
    assert diff(desired, desired, {"rules": [{"id": 2, "x": 2, "server": 1}, {"id": 1, "x": 1}]}, rule).same
    found = diff(desired, desired, {"rules": [{"id": 1, "x": 1}, {"id": 3}]}, rule)
    assert shown(found) == [("rules[id=2]", "add", "drift"), ("rules[id=3]", "remove", "drift")]


def test_a_plain_list_of_another_length_differs_as_a_whole() -> None:
    assert shown(diff({"a": [1, 2]}, {"a": [1, 2]}, {"a": [1]})) == [("a", "change", "drift")]


def test_an_element_that_changed_where_it_stands_is_told_by_its_position() -> None:
    desired = {"a": [{"x": 1}, {"x": 5}, {"x": 3}]}
    live = {"a": [{"x": 1}, {"x": 2}, {"x": 3, "id": "p3"}]}
    assert shown(diff(desired, desired, live)) == [("a[1].x", "change", "drift")]


def test_elements_that_stand_elsewhere_are_one_change_of_the_list() -> None:
    found = diff({"a": ["b", "c", "d"]}, {"a": ["a", "b", "c"]}, {"a": ["a", "b", "c"]})
    assert shown(found) == [("a", "change", "git")]
    assert (found.fields[0].before, found.fields[0].after) == (["a", "b", "c"], ["b", "c", "d"])
    assert shown(diff({"a": [1, 2]}, {"a": [1, 2]}, {"a": [2, 1]})) == [("a", "change", "drift")]


def test_a_list_shows_of_live_what_git_writes() -> None:
    """Members of the platform's own in each element would make every one look changed."""
    rule = {"metric": "cpu", "when": {"above": 90}}
    desired = {"a": [{"metric": "lag", "when": {"above": 5}}, rule]}
    live = {"a": [{"id": "c1", "when": {"above": 90, "unit": "%"}, "metric": "cpu"}]}
    (field,) = diff(desired, {"a": [rule]}, live).fields
    assert (field.path, field.before, field.after) == ("a", [rule], desired["a"])
    other = {"a": [{"id": "c1", "metric": "disk", "when": {"above": 80, "unit": "%"}}, {"id": "c2", "odd": 1}]}
    (field,) = diff({"a": [rule, rule, rule]}, {"a": [rule]}, other).fields
    assert field.before == [{"metric": "disk", "when": {"above": 80}}, {"id": "c2", "odd": 1}]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((FieldRule("/a/*/x", immutable=True),), {}),
        ((FieldRule("/a/*/y", write_only=True),), {}),
        ((FieldRule("/a", read_only=True),), {}),
        ((), {"ignore": ["/a/*/y"]}),
        ((), {"create_only": ["/a/0/y"]}),
    ],
)
def test_what_holds_for_a_leaf_of_an_element_is_heeded_leaf_by_leaf(rules: Any, words: Any) -> None:
    old, new = ({"a": [{"x": number} for number in numbers]} for numbers in ((1, 2, 3), (2, 3, 4)))
    assert [path for path, _, _ in shown(diff(new, old, old, *rules, **words))] == ["a[0].x", "a[1].x", "a[2].x"]
    assert [path for path, _, _ in shown(diff(new, old, old))] == ["a"]


def test_secrets_in_a_list_are_told_leaf_by_leaf() -> None:
    old, new = (
        hidden({"a": [{"password": f"p{number}", "x": number} for number in numbers]})
        for numbers in ((1, 2, 3), (2, 3, 4))
    )
    assert {field.path: field.sensitive for field in diff(new, old, old).fields} == {
        **{f"a[{index}].password": True for index in range(3)},
        **{f"a[{index}].x": False for index in range(3)},
    }


def test_ignored_and_create_only_leaves_are_quiet_and_say_so() -> None:
    found = diff({"a": 1, "b": 1}, None, {"a": 2, "b": 2}, ignore=["/a"], create_only=["/b"])
    assert found.same
    assert found.quiet == [
        ("a", "ignored", "lifecycle.ignore"),
        ("b", "create only", "lifecycle.createOnly"),
    ]


def test_a_rule_may_ignore_a_leaf_of_every_element() -> None:
    desired = {"dag": [{"name": "a", "x": 1, "y": 1}, {"name": "b", "x": 1, "y": 1}]}
    live = {"dag": [{"name": "a", "x": 2, "y": 1}, {"name": "b", "x": 3, "y": 4}]}
    found = diff(desired, desired, live, ignore=["/dag/*/x"])
    assert shown(found) == [("dag[name=b].y", "change", "drift")]
    assert [path for path, _, _ in found.quiet] == ["dag[name=a].x", "dag[name=b].x"]


def test_a_changed_immutable_leaf_is_named() -> None:
    rule = FieldRule("/mode", immutable=True)
    assert [field.path for field in diff({"mode": 2}, {"mode": 1}, {"mode": 1}, rule).immutable] == ["mode"]
    assert diff({"mode": 2}, None, {}, rule).immutable == []


SECRET = FieldRule("/data/*", secret=True)


def hidden(value: Any, *fields: FieldRule) -> Any:
    return fingerprinted(book(*fields), value, lambda leaf: f"fp-{leaf}")


def test_a_secret_never_enters_a_field_change() -> None:
    desired = hidden({"data": {"password": "new-hunter2"}}, SECRET)
    live = hidden({"data": {"password": "old-hunter2"}}, SECRET)
    found = diff(desired, live, live, SECRET)
    assert "hunter2" not in repr(found)
    assert [(field.path, field.sensitive, field.before, field.after) for field in found.fields] == [
        ("data.password", True, None, None)
    ]
    assert found.fields[0].cause is Cause.SECRET


def test_a_subtree_that_is_added_hides_its_secrets() -> None:
    desired = hidden({"data": {"password": "hunter2"}}, SECRET)
    found = diff(desired, None, {}, SECRET)
    assert found.fields[0].after == {"password": "(secret)"}


def test_a_secret_by_its_name_is_hidden_on_both_sides_too() -> None:
    desired = hidden(
        {"env": {"DB_PASSWORD": "new-hunter2", "MODE": "fast"}, "list": [{"name": "API_KEY", "value": "h"}]}
    )
    live = hidden({"env": {"DB_PASSWORD": "old-hunter2", "MODE": "slow"}, "list": [{"name": "API_KEY", "value": "g"}]})
    found = diff(desired, live, live)
    assert "hunter2" not in repr(found)
    assert [(field.path, field.sensitive, field.after) for field in found.fields] == [
        ("env.DB_PASSWORD", True, None),
        ("env.MODE", False, "fast"),
        ("list[name=API_KEY].value", True, None),
    ]


def test_a_definition_may_know_that_a_name_is_of_no_secret() -> None:
    spec = {"token": "not-a-secret", "tokens": {"secret": "kept-elsewhere"}}
    assert hidden(spec, FieldRule("/token", secret=False), FieldRule("/tokens/secret", values={"a": "b"})) == spec
    assert hidden(spec) != spec


def test_asterisks_at_a_secret_are_judged_by_what_was_last_sent() -> None:
    sent, live = hidden({"password": "x"}), hidden({"password": "********"})
    assert diff(sent, sent, live).same
    assert not diff(hidden({"password": "y"}), sent, live).same


def test_a_masked_answer_is_judged_by_what_was_last_sent() -> None:
    rule = FieldRule("/password", secret=False, mask=r"^\*+$")
    assert diff({"password": "x"}, {"password": "x"}, {"password": "****"}, rule).same
    assert not diff({"password": "y"}, {"password": "x"}, {"password": "****"}, rule).same


def test_a_write_only_leaf_that_does_not_come_back_is_no_difference() -> None:
    rule = FieldRule("/password", write_only=True)
    assert diff({"password": "x"}, {"password": "x"}, {}, rule).same
    assert shown(diff({"password": "y"}, {"password": "x"}, {}, rule)) == [("password", "add", "git")]


def test_a_masked_secret_is_judged_by_the_fingerprint_of_what_was_last_sent() -> None:
    rule = FieldRule("/password", secret=True, mask=r"^\*+$")
    desired, live = hidden({"password": "x"}, rule), hidden({"password": "****"}, rule)
    assert diff(desired, desired, live, rule).same
    assert not diff(hidden({"password": "y"}, rule), desired, live, rule).same
