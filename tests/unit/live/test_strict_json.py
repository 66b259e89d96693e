"""What two parsers could read differently is refused; everything else comes through exactly."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.live.strict_json import DEPTH_MAX, DIGITS_MAX, loads


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1}x', "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "double"),
        (b"1e-999", "double"),
        (b"1e1111111111111111111", "double"),
        (b"0e-9999999", "double"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"[" * 100_000, "nested|not JSON"),
        (nested(100_000), "nested"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
        (b'["]",' * 150 + b"1" + b"]" * 150, "nested"),
    ],
)
@pytest.mark.row("A21")
def test_what_parsers_could_read_differently_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        loads(body)


def test_depth_is_counted_to_the_level() -> None:
    assert loads(nested(DEPTH_MAX)) is not None
    with pytest.raises(ValueError, match="nested"):
        loads(nested(DEPTH_MAX + 1))


def test_brackets_in_strings_are_no_depth() -> None:
    value = ["[" * 500, "{" * 500]
    assert loads(json.dumps(value).encode()) == value


def test_integers_are_exact_up_to_four_hundred_digits() -> None:
    digits = "7" * DIGITS_MAX
    assert loads(digits.encode()) == int(digits)
    with pytest.raises(ValueError, match="digits"):
        loads(b"[" + digits.encode() + b"7]")
    assert loads(b'["' + digits.encode() * 3 + b'"]') == [digits * 3]


def test_fractions_keep_their_digits() -> None:
    value = loads(b"[1.10, 1e3, -0.0, 1.7976931348623157e308]")
    assert [str(number) for number in value] == ["1.10", "1E+3", "-0.0", "1.7976931348623157E+308"]
    assert all(type(number) is Decimal for number in value)


def test_the_smallest_double_is_a_number() -> None:
    assert loads(b"5e-324") == Decimal("5e-324")
    with pytest.raises(ValueError, match="double"):
        loads(b"1e-324")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert loads(b'["\\ud83d\\ude00"]') == ["😀"]


def test_a_refusal_quotes_nothing_of_the_body() -> None:
    with pytest.raises(ValueError) as caught:
        loads(b'{"password": "hunter2" "x"}')
    assert "hunter2" not in str(caught.value)


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
        max_leaves=20,
    )
)
def test_whatever_the_standard_library_writes_comes_back(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False, indent=1).encode()) == value


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_value_error(body: bytes) -> None:
    try:
        loads(body)
    except ValueError as error:
        assert type(error) is ValueError
