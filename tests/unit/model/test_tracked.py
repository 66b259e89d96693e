"""What follows a mapping's changes tells what looking at all of it tells, whoever asks and in whatever order."""

from __future__ import annotations

import random
import weakref
from collections import Counter
from typing import ClassVar

import pytest

from agent.model.tracked import Tracked, folded


class Values:
    """How often each value stands in a mapping; how many were looked at for it."""

    looked = 0

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, key: str, value: int) -> None:
        Values.looked += 1
        self.counts[value] += 1

    def remove(self, key: str, value: int) -> None:
        self.counts[value] -= 1
        assert self.counts[value] >= 0


def told(values: Tracked[str, int]) -> Counter[int]:
    return +values.fold(Values).counts


def test_a_fold_follows_every_change_of_every_snapshot_and_successor() -> None:
    random_ = random.Random(7)
    values = Tracked({str(n): n % 3 for n in range(20)})
    shots: list[tuple[Tracked[str, int], dict[str, int]]] = []
    for _ in range(2000):
        key, dice = str(random_.randrange(30)), random_.random()
        if dice < 0.4:
            values.put(key, random_.randrange(5))
        elif dice < 0.6:
            values.drop(key)
        elif dice < 0.8:
            shot = values.snapshot()
            shots.append((shot, dict(shot)))
        elif dice < 0.9:
            values = random_.choice(shots)[0].followed_by({key: 9}) if shots else values
        else:
            shot, was = random_.choice(shots) if shots else (values, dict(values))
            assert told(shot) == Counter(was.values())
        assert told(values) == Counter(values.values())
    assert all(dict(shot) == was for shot, was in shots)


def test_what_differs_is_told_with_what_was_there() -> None:
    values = Tracked({"a": 1, "b": 2})
    before = values.snapshot()
    assert values.snapshot() is before and values.since(before) == {}
    values.put("a", 5)
    values.put("a", 6)
    values.put("c", 3)
    values.drop("b")
    values.drop("never there")
    after = values.snapshot()
    assert after.since(before) == {"a": 1, "c": None, "b": 2}
    assert before.since(after) is None and after.since({"a": 1}) is None and after.since(None) is None
    assert dict(before) == {"a": 1, "b": 2} and dict(after) == {"a": 6, "c": 3}


def test_a_second_successor_is_of_another_line() -> None:
    first = Tracked({"a": 1})
    one = first.followed_by({"b": 2})
    other = first.followed_by({"c": 3})
    assert one.since(first) == {"b": None} and other.since(first) is None and other.since(one) is None
    assert told(one) == Counter([1, 2]) and told(other) == Counter([1, 3])


def test_a_change_costs_itself_and_not_the_whole() -> None:
    values = Tracked({str(n): n for n in range(1000)})
    told(values)
    Values.looked = 0
    values.put("7", 1)
    told(values)
    assert Values.looked == 1


class Held:
    """A value of which it is known whether anything holds it."""

    all: ClassVar[weakref.WeakSet[Held]] = weakref.WeakSet()

    def __init__(self) -> None:
        Held.all.add(self)


@pytest.mark.parametrize("size", [1, 20_000])
def test_a_line_that_is_changed_for_ever_keeps_no_more_than_it_needs(size: int) -> None:
    values = Tracked({str(number): Held() for number in range(size)})
    earliest, most = values.snapshot(), 0
    for number in range(10_000):
        values.put("0", Held())
        most = max(most, len(Held.all) if number > 5000 else 0)
        if number == 5000:
            assert values.since(earliest) is None
            del earliest
    assert 0 < most <= size + max(100, size // 10) + 2
    former, kept = values.snapshot(), values["0"]
    values.put("0", Held())
    assert values.since(former) == {"0": kept}


def test_a_plain_mapping_is_folded_whole() -> None:
    assert +folded({"a": 4}, Values).counts == Counter([4])
