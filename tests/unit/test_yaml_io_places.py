"""Rules of finding the place of a leaf."""

from __future__ import annotations

import pytest

from agent.yaml_io import positions

TEXT = b"""\
# comment
name: x
spec:
  list:
    - a
    - {k: v, "a/b": 1}
  other: &o {deep: [1, 2]}
  again: *o
---
second: 1
"""


@pytest.mark.parametrize(
    ("pointer", "key", "value"),
    [
        ("", (2, 1), (2, 1)),
        ("/name", (2, 1), (2, 7)),
        ("/spec", (3, 1), (4, 3)),
        ("/spec/list/0", (5, 7), (5, 7)),
        ("/spec/list/1/k", (6, 8), (6, 11)),
        ("/spec/list/1/a~1b", (6, 14), (6, 21)),
        ("/spec/other/deep/1", (7, 24), (7, 24)),
        ("/spec/again", (8, 3), (8, 10)),
        ("/spec/again/deep", (7, 14), (7, 20)),
    ],
)
def test_pointer_has_the_place_of_its_key_and_its_value(
    pointer: str, key: tuple[int, int], value: tuple[int, int]
) -> None:
    places = positions(TEXT, 0)
    assert (places.key(pointer), places.value(pointer)) == (key, value)


def test_missing_pointer_has_the_place_of_its_nearest_parent() -> None:
    places = positions(TEXT, 0)
    assert places.key("/spec/list/7/x") == places.key("/spec/list")
    assert places.value("/nothing/at/all") == (2, 1)


def test_document_is_chosen_by_its_index() -> None:
    assert positions(TEXT, 1).value("/second") == (10, 9)
    assert positions(TEXT, 9).value("/second") == (1, 1)


@pytest.mark.parametrize("source", [b"\xff\xfe", b"a: [1", b"a: @", b"", b"? [x]\n: y\nb: 1\n"])
def test_unreadable_text_has_places_too(source: bytes) -> None:
    assert positions(source, 0).value("/a/b")[0] == 1


def test_value_after_a_complex_key_is_still_found() -> None:
    assert positions(b"? [x]\n: {y: 1}\nb: 1\n", 0).value("/b") == (3, 4)


def test_deep_pointers_cost_no_memory() -> None:
    key = b"k" * 1000
    text = b"".join(b"  " * level + key + b":\n" for level in range(90)) + b"  " * 90 + b"[" + b"1," * 5000 + b"1]"
    assert positions(text, 0).value("/" + "/".join(["k" * 1000] * 90) + "/5000")[0] == 91
