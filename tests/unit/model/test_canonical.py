"""Equal values give equal bytes, and values that differ give bytes that differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent.model.canonical import canonical, digest, to_json


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Decimal("1.10"), Decimal("1.1")),
        (Decimal("1E+2"), 100),
        (Decimal("-0.0"), 0),
        (Decimal("0.00"), 0),
        (Decimal("1E+50"), 10**50),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_equal_values_have_one_digest(one: Any, other: Any) -> None:
    assert one == other
    assert canonical([one]) == canonical([other])
    assert digest(one) == digest(other)


def test_a_digit_far_behind_makes_another_value() -> None:
    one, other = Decimal("0." + "1" * 60 + "2"), Decimal("0." + "1" * 60 + "3")
    assert canonical(one) == b"0." + b"1" * 60 + b"2"
    assert digest(one) != digest(other)


def test_what_goes_on_the_wire_keeps_its_digits() -> None:
    assert to_json([Decimal("1.10"), Decimal("-0.0"), 2**64, 10**50]) == (
        b"[1.10,-0.0,18446744073709551616,1" + b"0" * 50 + b"]"
    )
