"""Which elements of two lists are the same ones."""

from __future__ import annotations

import itertools
from difflib import SequenceMatcher

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.plan.elements import aligned, as_written, merged

LETTERS = st.text("abcd", max_size=9)


def pairs_of(left: str, right: str) -> list[tuple[int, int]]:
    return aligned(len(left), len(right), lambda at, there: left[at] == right[there])


@settings(max_examples=150, deadline=None)
@given(LETTERS, LETTERS)
def test_the_pairs_are_a_longest_common_subsequence(left: str, right: str) -> None:
    pairs = pairs_of(left, right)
    assert all(left[at] == right[there] for at, there in pairs)
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in itertools.pairwise(pairs))
    longest = {(-1, -1): 0}
    for at in range(-1, len(left)):
        for there in range(-1, len(right)):
            if min(at, there) < 0:
                longest[at, there] = 0
            elif left[at] == right[there]:
                longest[at, there] = longest[at - 1, there - 1] + 1
            else:
                longest[at, there] = max(longest[at - 1, there], longest[at, there - 1])
    assert len(pairs) == longest[len(left) - 1, len(right) - 1]
    assert len(pairs) >= sum(block.size for block in SequenceMatcher(None, left, right, False).get_matching_blocks())


def test_of_very_long_lists_only_the_ends_are_paired() -> None:
    left, right = list(range(500)), [0, *range(1000, 1498), 499]
    asked = 0

    def same(at: int, there: int) -> bool:
        nonlocal asked
        asked += 1
        return left[at] == right[there]

    assert aligned(500, 500, same) == [(0, 0), (499, 499)]
    assert asked < 10


def test_a_value_is_told_in_the_members_of_its_models() -> None:
    model = merged([{"b": 1, "a": {"x": 1}}, {"a": {"y": 2}, "c": [{"n": 1}]}, {"c": [{"m": 1}]}])
    assert model == {"b": 1, "a": {"x": 1, "y": 2}, "c": [{"n": 1}, {"m": 1}]}
    live = {"id": 7, "a": {"y": 3, "z": 4}, "b": 2, "c": [{"m": 5, "n": 6, "id": 1}, "text"]}
    assert as_written(live, model) == {"b": 2, "a": {"y": 3}, "c": [{"n": 6, "m": 5}, "text"]}
    assert list(as_written(live, model)) == ["b", "a", "c"]
    assert as_written({"other": 1}, model) == {"other": 1}
