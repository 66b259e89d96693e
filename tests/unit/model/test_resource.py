"""A live object that is kept as bytes is the one that was read, each time it is asked for."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.live import strict_json
from agent.model.canonical import packed, to_json
from agent.model.resource import Present, as_kept

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3)
_scalars = st.none() | st.booleans() | st.integers() | _decimals | _texts
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3), max_leaves=8
)


def _typed(value: Any) -> Any:
    """A value that equals another one only where all types, digits and the order of members do as well."""
    if isinstance(value, dict):
        return [(name, _typed(member)) for name, member in value.items()]
    return [_typed(each) for each in value] if isinstance(value, list) else (type(value), str(value))


@settings(max_examples=50)
@given(st.dictionaries(_texts, _values, max_size=4))
def test_what_a_platform_answers_comes_back_as_it_was_decoded(answer: dict[str, Any]) -> None:
    live = strict_json.loads(to_json(answer))
    seen = Present(as_kept(live))
    assert isinstance(seen.kept, bytes)
    assert _typed(seen.live) == _typed(live)
    assert seen.is_read


def test_each_look_at_it_is_a_tree_of_its_own() -> None:
    seen = Present(as_kept({"a": [1]}))
    assert seen.live == seen.live == {"a": [1]}
    assert seen.live is not seen.live


def test_an_empty_object_was_read_and_none_was_not() -> None:
    assert (Present(as_kept({})).is_read, Present(as_kept({})).live) == (True, {})
    assert (Present(None).is_read, Present(None).live) == (False, None)


def test_what_cannot_be_json_stays_as_it_is() -> None:
    live = {"half of a pair": "\ud800", "number": Decimal("1.10")}
    assert Present(as_kept(live)).live is live


def test_bytes_that_stay_take_no_more_room_than_they_need() -> None:
    value = {"text": "a" * 700}
    assert packed(value) == to_json(value)
    assert sys.getsizeof(packed(value)) == sys.getsizeof(b"") + len(packed(value))
