"""Limits and waits as platforms write them, and the nonsense that is ignored (fault-model A10 to A12)."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from agent.definitions.expressions import Expression
from agent.definitions.platform import BudgetRule
from agent.live.rate_headers import read_limits, read_wait

NOW = 1_700_000_000.0
RULE = BudgetRule(
    header_limit="l", header_remaining="r", header_reset="reset", retry_after=Expression("error.retry_after")
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("60", 60),
        ("0.5", 0.5),
        ("1700000030", 30),
        ("1700000030000", 30),
        ("1699999000", 0),
        ("2023-11-14T22:13:50Z", 30),
        ("2023-11-14T22:13:50", 30),
        (formatdate(NOW + 30, usegmt=True), 30),
    ],
)
@pytest.mark.row("A12")
def test_a_reset_is_understood_in_every_form(text: str, seconds: float) -> None:
    told = read_limits(RULE, {"reset": text}, NOW)
    assert told.reset_seconds == pytest.approx(seconds)
    assert told.nonsense == ()


@pytest.mark.parametrize("text", ["-5", "nan", "1e400", "soon", "٣", "", "9" * 400, "0x10", "Inf", "1_0"])
def test_nonsense_is_named_and_ignored(text: str) -> None:
    told = read_limits(RULE, {"reset": text, "l": text, "r": text}, NOW)
    assert (told.limit, told.remaining, told.reset_seconds) == (None, None, None)
    assert set(told.nonsense) == {"reset", "l", "r"}


def test_moments_are_compared_with_the_servers_own_clock() -> None:
    headers = {"reset": str(int(NOW) + 7200 + 30), "date": formatdate(NOW + 7200, usegmt=True)}
    assert read_limits(RULE, headers, NOW).reset_seconds == pytest.approx(30)


def test_a_list_of_limits_counts_by_its_first() -> None:
    assert read_limits(RULE, {"l": "100, 100;w=60"}, NOW).limit == 100


@pytest.mark.row("A11")
def test_retry_after_wins_over_the_body_and_the_body_over_the_reset() -> None:
    body = {"error": {"retry_after": 20}}
    assert read_wait(RULE, {"retry-after": "10", "reset": "30"}, body, NOW) == (10, "")
    assert read_wait(RULE, {"reset": "30"}, body, NOW) == (20, "")
    assert read_wait(RULE, {"reset": "30"}, {"error": {}}, NOW) == (30, "")
    assert read_wait(RULE, {}, None, NOW) == (None, "")


@pytest.mark.row("A10")
def test_retry_after_may_be_a_date() -> None:
    assert read_wait(RULE, {"retry-after": formatdate(NOW + 12, usegmt=True)}, None, NOW)[0] == pytest.approx(12)
    assert read_wait(RULE, {"retry-after": formatdate(NOW - 12, usegmt=True)}, None, NOW)[0] == 0


@pytest.mark.parametrize("text", ["-5", "1e9", "soon", "٣", "nan"])
def test_a_nonsensical_retry_after_leaves_the_word_to_the_body(text: str) -> None:
    assert read_wait(RULE, {"retry-after": text}, {"error": {"retry_after": "7"}}, NOW) == (7, "retry-after")


@pytest.mark.parametrize("value", [-1, True, None, "soon", [], {}])
def test_a_nonsensical_body_is_no_wait(value: object) -> None:
    assert read_wait(RULE, {}, {"error": {"retry_after": value}}, NOW)[0] is None
