from __future__ import annotations

import pytest

from agent.validate.names import NAME_MAX, folded, name_fault, scope_fault, type_fault


@pytest.mark.parametrize("name", ["daily-etl", "a", "0", "orders_db", "Q3.report", "a@b", "größe", "x" * NAME_MAX])
def test_ordinary_names_may_travel(name: str) -> None:
    assert type_fault(name) is None
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "..", ".", "../../admin", "a/b", "a\\b", "a?x=1", "a#f", "%2e%2e", "a..b", " a", "a ", "a b", "a\tb", "a\nb",
        "a\u00a0b", "a\u202eb", "a\u200bb", "\x00", "x" * (NAME_MAX + 1),
    ],
)  # fmt: skip
def test_names_that_mean_something_else_in_an_address_are_refused(name: str) -> None:
    assert name_fault(name)


@pytest.mark.parametrize("name", [None, "", 7, True, [], {}])
def test_a_name_is_text_that_is_not_empty(name: object) -> None:
    assert type_fault(name)


def test_a_name_that_is_no_identity_may_hold_blanks_inside() -> None:
    assert name_fault("deploy v23", blanks_allowed=True) is None
    assert name_fault(" deploy", blanks_allowed=True)
    assert name_fault("deploy\u00a0v23", blanks_allowed=True)


@pytest.mark.parametrize("name", ["analytics", "group/subgroup", "a.b"])
def test_a_scope_may_be_a_path(name: str) -> None:
    assert scope_fault(name) is None


@pytest.mark.parametrize("name", ["/a", "a/", "a//b", "a/../b", "./a", "a b", "a?b", "a%2fb", "a\x07"])
def test_a_scope_must_not_leave_its_place(name: str) -> None:
    assert scope_fault(name)


def test_names_fold_by_case_form_and_look_alike_letters() -> None:
    assert folded("Orders") == folded("orders")
    assert folded("caf\u00e9") == folded("cafe\u0301")
    assert folded("\u043erders") == folded("orders")  # a Cyrillic o
    assert folded("orders") != folded("order")
