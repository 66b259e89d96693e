from __future__ import annotations

import pytest

from agent.validate.pointers import expand, is_pointer, is_under, join, leaves, may_show_secret, select, split

VALUE = {"a": [{"b": 1, "c/d": 2}, {"b": 3}], "e": {"~": {"b": 4}}}


@pytest.mark.parametrize("text", ["/a", "/a/0/b", "/", "/a~1b", "/~0", "/*/b"])
def test_a_pointer_starts_with_a_slash_and_escapes_properly(text: str) -> None:
    assert is_pointer(text)


@pytest.mark.parametrize("text", ["", "a", "a/b", "/~", "/a~3", "/~a"])
def test_anything_else_is_no_pointer(text: str) -> None:
    assert not is_pointer(text)


def test_splitting_and_joining_are_inverse() -> None:
    for pointer in ("", "/a", "/a/0/c~1d", "/e/~0/b", "/"):
        assert join(split(pointer)) == pointer


def test_a_star_stands_for_every_element_and_member() -> None:
    assert list(expand(VALUE, split("/a/*/b"))) == [(("a", "0", "b"), 1), (("a", "1", "b"), 3)]
    assert list(expand(VALUE, split("/e/*/b"))) == [(("e", "~", "b"), 4)]


def test_a_place_that_is_not_there_expands_to_nothing() -> None:
    for pointer in ("/a/2/b", "/a/-1", "/a/x", "/q", "/e/~0/b/c", "/a/00000000000009"):
        assert list(expand(VALUE, split(pointer))) == []


@pytest.mark.parametrize("pointer", ["", "/a", "/a/*/b", "/a/1/b", "/e/*/b", "/*", "/a/9", "/e/~0", "/a/0/b/*"])
def test_selecting_gives_what_expanding_gives(pointer: str) -> None:
    assert select(VALUE, split(pointer)) == [found for _, found in expand(VALUE, split(pointer))]


def test_leaves_come_in_document_order_with_their_keys() -> None:
    found = [(join(place), leaf) for place, leaf, is_key in leaves({"x": [1, {"y": "z"}], "w": None}) if not is_key]
    assert found == [("/x/0", 1), ("/x/1/y", "z"), ("/w", None)]
    assert [leaf for _, leaf, is_key in leaves({"x": [{"y": 1}], "w": 2}) if is_key] == ["x", "w", "y"]


def test_leaves_of_a_deep_value_need_no_deep_stack() -> None:
    value: object = "end"
    for _ in range(2_000):
        value = [value]
    (place, leaf, _), *others = list(leaves(value))[-1:]
    assert leaf == "end" and len(place) == 2_000 and not others


def test_a_place_is_under_a_pattern_when_the_pattern_names_it_or_a_parent() -> None:
    patterns = (split("/data/*"),)
    assert is_under(("data", "password"), patterns)
    assert is_under(("data", "password", "env"), patterns)
    assert not is_under(("data",), patterns)
    assert not is_under(("files", "key"), patterns)


@pytest.mark.parametrize(
    ("place", "hidden"),
    [
        (("data", "password"), True),
        (("data", "password", "deeper"), True),
        (("data",), True),  # somebody wrote the secret where the mapping of secrets is due
        (("list", "0", "data"), True),
        (("list", "type"), False),
        (("other",), False),
        ((), False),
    ],
)
def test_what_stands_where_the_parent_of_a_secret_is_due_is_hidden_too(place: tuple[str, ...], hidden: bool) -> None:
    assert may_show_secret(place, [("data", "*"), ("list", "*", "data", "*")]) is hidden
