"""What is told of rows and manifests as a whole is the same after any row of changes as when all is looked at anew."""

from __future__ import annotations

import random
from dataclasses import replace

from agent.model.apart import Apart, is_apart
from agent.model.identity import Key, Origin
from agent.model.inventory import InventoryRow, Reported
from agent.model.manifest import NO_LIFECYCLE, Lifecycle
from agent.model.resource import Resource
from agent.model.stock import by_age, by_kind, restless
from agent.model.tracked import Tracked

KINDS = ("Depot", "Workflow")


def key(number: int) -> Key:
    return Key("main", KINDS[number % 2], (), f"n{number}")


def row(random_: random.Random, number: int) -> InventoryRow:
    return InventoryRow(
        key(number),
        f"uid{number}",
        applied_digest=random_.choice("ab"),
        in_sync=random_.random() < 0.7,
        seen_at=random_.choice([None, 1.0, 2.0, random_.random() * 100]),
        protect=random_.random() < 0.1,
        healed_at=random_.choice([None, None, 5.0]),
        reported=random_.choice([None, None, None, Reported("m", "d")]),
    )


def resource(random_: random.Random, number: int) -> Resource:
    words = random_.choice([NO_LIFECYCLE, NO_LIFECYCLE, Lifecycle(), Lifecycle(protect=True)])
    return Resource(key(number), Origin("a.yaml", 1, 1), random_.choice("ab"), words, (), dict)


def test_every_fold_and_the_difference_follow_any_changes() -> None:
    random_ = random.Random(11)
    rows = Tracked({key(number): row(random_, number) for number in range(0, 40, 2)})
    named: Tracked[Key, Resource] = Tracked({key(number): resource(random_, number) for number in range(30)})
    apart = Apart()
    for _ in range(1500):
        number = random_.randrange(50)
        if random_.random() < 0.6:
            rows.put(key(number), row(random_, number))
        elif random_.random() < 0.3:
            rows.drop(key(number))
        else:
            named = named.followed_by({key(number): resource(random_, number)})
        if random_.random() < 0.5:
            continue  # several changes before somebody asks
        plain = dict(rows)
        assert by_kind(rows) == by_kind(plain)
        assert restless(rows) == restless(plain)
        aged, anew = by_age(rows), by_age(plain)
        assert aged.kinds == anew.kinds
        for kind in KINDS:
            assert aged.read(kind) == anew.read(kind) and aged.count(kind) == anew.count(kind)
            assert aged.unread(kind).keys() == anew.unread(kind).keys()
            assert list(aged.oldest(kind)) == list(anew.oldest(kind))
        found = apart.between(named, rows.snapshot())
        assert found is apart
        assert found.differing.keys() == {each for each in named if is_apart(named[each], rows.get(each))}
        assert found.gone.keys() == rows.keys() - named.keys()


def test_mappings_that_know_no_changes_are_compared_apart() -> None:
    random_ = random.Random(1)
    kept = Apart()
    one, two = {key(1): resource(random_, 1)}, {key(2): row(random_, 2)}
    found = kept.between(one, two)
    assert found is not kept and [*found.differing] == [key(1)] and [*found.gone] == [key(2)]
    assert not kept.differing


def test_a_row_agrees_only_when_it_was_read_and_is_of_this_manifest() -> None:
    random_ = random.Random(1)
    wanted = replace(resource(random_, 1), digest="a")
    agreed = InventoryRow(key(1), "uid", applied_digest="a", in_sync=True, seen_at=1.0)
    assert not is_apart(wanted, agreed)
    for other in (
        None,
        replace(agreed, applied_digest="b"),
        replace(agreed, in_sync=False),
        replace(agreed, seen_at=None),
    ):
        assert is_apart(wanted, other)
