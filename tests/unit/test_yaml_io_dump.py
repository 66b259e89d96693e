"""Rules of writing YAML."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.yaml_io import REPLY_BUDGET, dump, load

WORDS = (
    "yes No ~ null 010 1e3 1_0 0x1f 1:30 .inf - --- ... << = 15s *x &x !x %x @x ? y 1.10 0b1 0o7 5e5 12e03 2020-01-01"
)
EASY_TO_MISTAKE = [*WORDS.split(), "", "a b", "a: b", "a #b", "a\u0085b", "\ufeff", "2020-01-01 10:00:00"]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text(" \n\tab:#-'\"|>0.", max_size=20),
    st.sampled_from(EASY_TO_MISTAKE),
)
NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: Decimal(repr(number))),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=15,
)


@given(VALUES)
def test_written_value_is_read_back_without_a_word(value: Any) -> None:
    text = dump(value)
    loaded = load(text.encode(), REPLY_BUDGET)
    assert loaded.problems == (), text
    assert [document.value for document in loaded.documents] == [value], text


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
        max_leaves=8,
    )
)
def test_reader_of_yaml_1_1_reads_the_same_value(value: Any) -> None:
    assert yaml.load(dump(value), Loader=yaml.CSafeLoader) == value


def test_layout_is_block_style_in_the_order_of_the_keys() -> None:
    value = {
        "name": "daily etl",
        "version": Decimal("1.10"),
        "on": True,
        "sql": "select 1\nfrom t\n",
        "steps": [{"a": 1, "b": [1, 2]}, [["x"]], {}, []],
        "quoted": ["yes", "010", "2020-01-01", "", "a: b"],
    }
    assert dump(value) == (
        "name: daily etl\n"
        "version: 1.10\n"
        '"on": true\n'
        "sql: |\n"
        "  select 1\n"
        "  from t\n"
        "steps:\n"
        "  - a: 1\n"
        "    b:\n"
        "      - 1\n"
        "      - 2\n"
        "  - - - x\n"
        "  - {}\n"
        "  - []\n"
        "quoted:\n"
        '  - "yes"\n'
        '  - "010"\n'
        '  - "2020-01-01"\n'
        '  - ""\n'
        '  - "a: b"\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.500"), "1.500"),
        (Decimal("1E+300"), "1.0e+300"),
        (Decimal("-1.25E-200"), "-1.25e-200"),
        (Decimal("0.00"), "0.00"),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\n\n", "|+\n  a\n\n"),
        (" a\nb", '" a\\nb"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("720h", "720h"),
        ("x" * 500, "x" * 500),
    ],
)
def test_scalar_is_written_so(value: Any, text: str) -> None:
    assert dump(value) == f"{text}\n"


def test_long_key_is_written_in_the_explicit_form() -> None:
    value = {"k" * 2000: {"a": 1}, "b": 2}
    assert load(dump(value).encode()).documents[0].value == value


@pytest.mark.parametrize("value", [1.5, b"x", {"a": object()}, Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_json_value_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        dump(value)
