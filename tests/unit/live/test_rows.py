"""What rows say about themselves, and what they do not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.definitions.expressions import Expression, Template
from agent.definitions.marks import marks_of, owner_of
from agent.definitions.platform import Mark, Operation, ScopeWord
from agent.definitions.scope import list_words
from agent.live.rows import health_of, id_of, identity_of, is_untold, mismatch, name_of, revision_of
from tests.unit.live.made_up import KEY, RESOURCE

NAMED = frozenset({"workspace"})


@pytest.mark.parametrize(
    ("item", "health"),
    [
        ({"status": "active"}, "ready"),
        ({"status": "failed"}, "failed"),
        ({"status": "pending"}, "progressing"),
        ({"status": None}, "progressing"),
        ({"status": ["active"]}, "progressing"),
        ({}, "unknown"),
        (None, "unknown"),
        ("text", "unknown"),
    ],
)
def test_health_follows_the_kinds_conditions(item: Any, health: str) -> None:
    assert health_of(RESOURCE, item) == health
    assert health_of(RESOURCE, item) == health


def test_gone_wins_over_failed_and_ready() -> None:
    kind = replace(RESOURCE, gone=Expression("marked"))
    assert health_of(kind, {"status": "active", "marked": "2024-01-01"}) == "gone"
    assert health_of(kind, {"status": "active", "marked": None}) == "ready"


def test_a_kind_without_conditions_is_ready_by_being_there() -> None:
    assert health_of(replace(RESOURCE, ready=None, failed=None), {"a": 1}) == "ready"
    assert health_of(replace(RESOURCE, ready=None), {"status": "error"}) == "failed"


def test_a_condition_on_the_whole_object_is_never_remembered() -> None:
    kind = replace(RESOURCE, ready=Expression("length(keys(@)) > `1`"), failed=None)
    assert [health_of(kind, {"a": "x"}), health_of(kind, {"a": "x", "b": 1})] == ["progressing", "ready"]


def test_numbers_and_truth_values_are_not_mixed_up() -> None:
    kind = replace(RESOURCE, ready=Expression("state == `1`"), failed=None)
    assert health_of(kind, {"state": 1}) == "ready"
    assert health_of(kind, {"state": True}) == "progressing"


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        (["keel.target/abc123"], "abc123"),
        (["production", "keel.t2/zz9"], "zz9"),
        (["keel.target/ABC"], None),
        (["xkeel.target/abc", "keel.target/abc/more"], None),
        ([None, 5, {"a": 1}], None),
        ("keel.target/abc", "abc"),
        (None, None),
        ([], None),
    ],
)
def test_an_owner_is_read_from_a_whole_mark_only(tags: Any, owner: str | None) -> None:
    assert owner_of(RESOURCE, {"tags": tags}) == owner


def test_of_several_marks_the_preferred_owner_is_taken_if_it_is_there() -> None:
    item = {"tags": ["keel.old/aaa", "keel.target/bbb"]}
    assert owner_of(RESOURCE, item) == "aaa"
    assert owner_of(RESOURCE, item, "bbb") == "bbb"
    assert owner_of(RESOURCE, item, "ccc") == "aaa"
    assert [mark["target"] for mark in marks_of(RESOURCE, item)] == ["old", "target"]


def test_a_kind_without_a_mark_has_no_owner() -> None:
    assert owner_of(replace(RESOURCE, mark=None), {"tags": ["keel.target/abc"]}) is None


RUN = replace(
    RESOURCE,
    unique=False,
    id=Expression("id"),
    mark=Mark(
        "/query_name",
        Template("${name} [${uid}-${content}]"),
        "/name",
        r"(?P<name>.+) \[(?P<uid>[a-z0-9]{12})-(?P<content>[a-f0-9]{8})\]",
        False,
        True,
    ),
)


def test_a_name_inside_the_mark_is_the_name() -> None:
    item = {"name": "daily [abcdefghijkl-0123abcd]", "id": 7}
    assert (name_of(RUN, item), owner_of(RUN, item), id_of(RUN, item)) == ("daily", "abcdefghijkl", "7")
    assert name_of(RUN, {"name": "by a person"}) == "by a person"


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (7, "7"), (True, None), (None, None), ("", None), ([1], None)])
def test_ids_are_text(value: Any, text: str | None) -> None:
    assert id_of(RUN, {"id": value}) == text
    assert id_of(RESOURCE, {"id": value}) is None


def test_the_revision_is_the_one_that_the_list_declares() -> None:
    assert RESOURCE.list is not None
    kind = replace(RESOURCE, list=replace(RESOURCE.list, revision=Expression("hash")))
    assert (revision_of(kind, {"hash": "abc"}), revision_of(RESOURCE, {"hash": "abc"})) == ("abc", None)


def identity(item: Any, asked: dict[str, str], named: frozenset[str] = NAMED, optional: bool = False) -> Any:
    kind = replace(RESOURCE, scope=(ScopeWord("workspace", "Workspace", optional),))
    return identity_of(kind, item, asked, named)


def test_a_row_takes_the_scope_of_the_list_or_its_own() -> None:
    expected = ("a", (("workspace", "w"),))
    assert identity({"name": "a", "workspace": "w"}, {"workspace": "w"}) == expected
    assert identity({"name": "a"}, {"workspace": "w"}) == expected
    assert identity({"name": "a", "workspace": "w"}, {}, frozenset()) == expected
    assert identity({"name": "a", "workspace": {"id": 1}}, {"workspace": "w"}) == expected


def test_a_row_of_another_scope_is_nobodys() -> None:
    assert identity({"name": "a", "workspace": "other"}, {"workspace": "w"}) is None
    assert identity({"name": "a", "workspace": None}, {"workspace": "w"}) is None
    assert identity({"name": "a", "workspace": "w"}, {}, NAMED, optional=True) is None


def test_a_row_of_another_type_is_nobodys_where_the_list_filters_by_type() -> None:
    assert identity({"name": "a", "workspace": "w", "type": "service"}, {"workspace": "w"}) is None
    assert mismatch(RESOURCE, KEY, {"name": "daily", "type": "service"}) != ""
    assert mismatch(RESOURCE, KEY, {"name": "daily", "type": "workflow"}) == ""
    assert mismatch(replace(RESOURCE, list=None), KEY, {"name": "daily", "type": "service"}) == ""


def test_a_row_that_does_not_say_who_it_is_is_named_so() -> None:
    assert identity({"workspace": "w"}, {"workspace": "w"}) == "a row without a name"
    assert identity({"name": "a"}, {}, frozenset()) == "a row that does not say its workspace"
    assert identity({"name": "a"}, {}, frozenset(), optional=True) == ("a", ())


def test_words_in_a_header_are_asked_for_like_those_in_the_line() -> None:
    assert list_words(RESOURCE) == {"workspace"}
    plain = Operation("GET", RESOURCE.list.request.__class__("/things"))  # type: ignore[union-attr]
    assert list_words(replace(RESOURCE, list=plain)) == frozenset()
    assert list_words(replace(RESOURCE, list=plain, headers={"x-ws": Template("${workspace}")})) == {"workspace"}


@pytest.mark.parametrize(
    ("item", "same"),
    [
        ({"name": "daily", "workspace": "analytics"}, True),
        ({"name": "daily"}, True),
        ({"title": "no identity at all"}, True),
        ({"name": "weekly"}, False),
        ({"name": "daily", "workspace": "other"}, False),
        ({"name": "daily", "workspace": None}, False),
        ([], False),
        (None, False),
        ("daily", False),
    ],
)
def test_an_object_must_be_the_one_asked_for_as_far_as_it_says(item: Any, same: bool) -> None:
    assert (mismatch(RESOURCE, KEY, item) == "") is same


def test_an_object_asked_for_by_id_must_have_that_id() -> None:
    assert mismatch(RUN, KEY, {"name": "daily", "id": "7"}, "7") == ""
    assert mismatch(RUN, KEY, {"name": "daily", "id": "8"}, "7") != ""


@pytest.mark.parametrize("item", [{}, {"data": None}])
def test_an_answer_that_holds_nothing_is_about_nothing(item: Any) -> None:
    assert mismatch(RESOURCE, KEY, item) == "an answer that does not say what it is about"


def test_where_objects_have_ids_an_answer_without_one_or_a_name_is_about_nothing() -> None:
    failure = {"status": "failed", "message": "no more"}
    assert mismatch(RUN, KEY, failure) == "an answer that does not say what it is about"
    assert mismatch(replace(RUN, id=None), KEY, failure) == ""


def test_the_answer_to_a_create_must_tell_which_object_is_ours_unless_a_mark_or_a_name_does() -> None:
    nameless = replace(RUN, mark=None, unique=False)
    named = replace(RUN, mark=None, unique=True)
    assert is_untold(nameless, None) and is_untold(nameless, {"name": "daily"})
    assert not is_untold(nameless, {"id": "7"})
    assert not is_untold(named, None) and not is_untold(named, {"name": "daily"})
    assert is_untold(named, {"status": "failed"})
    assert not is_untold(replace(RUN, unique=False), None)
