"""Which contents are read again: the oldest first, never more than the windows let go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent.model.change import WindowLeft
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.reconcile.schedule import Rhythm, due_reads, oldest, rhythm_of

NOW = 10_000.0


def key(number: int) -> Key:
    return Key("t", "Thing", (), f"n{number:03}")


def rows(*ages: float | None) -> dict[Key, InventoryRow]:
    return {
        key(number): InventoryRow(key(number), "u", seen_at=None if age is None else NOW - age)
        for number, age in enumerate(ages)
    }


def due(known: dict[Key, InventoryRow], *budget: WindowLeft, fresh: bool = False) -> list[int]:
    found = due_reads(known, now=NOW, goals=lambda kind: 300.0, budget=budget, interval_seconds=60, fresh=fresh)
    return sorted(int(each.name[1:]) for each in found)


def window(left: int, usable: int = 800, seconds: float = 3600) -> WindowLeft:
    return WindowLeft("c", seconds, 1000, usable, left)


def test_content_is_due_at_the_freshness_goal_and_not_before() -> None:
    assert due(rows(299.9, 300.0, None)) == [1, 2]


def test_fresh_reads_everything() -> None:
    assert due(rows(0.0, 1.0), window(0), fresh=True) == [0, 1]


def test_a_pass_spends_its_share_of_the_window_and_the_oldest_go_first() -> None:
    ages = [1000.0 + number for number in range(100)]
    # 800 usable an hour, a pass a minute, a tenth kept: twelve.
    assert due(rows(*ages), window(800)) == list(range(88, 100))


def test_a_drained_window_still_lets_one_read_go() -> None:
    assert due(rows(1000.0, 2000.0), window(0)) == [1]


def test_the_tightest_window_counts() -> None:
    ages = [1000.0] * 50
    assert len(due(rows(*ages), window(800), window(5, 80, 60))) == 4


# --- the rhythm of an agent that looks around


SWEPT = SimpleNamespace(get=object(), list=SimpleNamespace(holds="summary", revision=None), is_run=False)
LISTED = SimpleNamespace(get=object(), list=SimpleNamespace(holds="full", revision=None), is_run=False)
KINDS: Any = {"Thing": SWEPT, "Plain": LISTED}


def rhythm(objects: int, calls_per_hour: float, *, lists: int = 10, goal: float = 3600.0, plain: int = 0) -> Rhythm:
    return rhythm_of(
        {"Thing": objects, "Plain": plain},
        KINDS,
        lambda kind: goal,
        list_calls=lists,
        interval_seconds=60.0,
        share=lambda wanted: calls_per_hour / 3600,
    )


def test_where_all_fits_nothing_is_stretched() -> None:
    found = rhythm(65, 720, lists=2)
    assert (found.stretch, found.list_seconds) == (1.0, 60.0)
    assert found.reads_per_second * 3600 == pytest.approx(65 / 0.9)


def test_too_small_a_budget_stretches_lists_first_down_to_their_quarter() -> None:
    found = rhythm(1000, 720)
    assert found.list_seconds == pytest.approx(10 * 3600 / 180)
    assert found.reads_per_second * 3600 == pytest.approx(540)
    assert found.stretch == pytest.approx(1000 / 0.9 / 540)
    easy = rhythm(300, 720)
    assert easy.stretch == 1.0, "reads keep their goal as long as lists have their quarter"
    assert easy.list_seconds == pytest.approx(10 * 3600 / (720 - 300 / 0.9))


def test_never_more_is_spent_than_there_is() -> None:
    for objects in (0, 1, 50, 1000, 100_000):
        for lists in (0, 1, 10, 1000):
            found = rhythm(objects, 720, lists=lists)
            spent = (lists / found.list_seconds + found.reads_per_second) * 3600
            assert spent <= 720 * 1.000001
            assert found.list_seconds >= 60.0 and found.stretch >= 1.0


def test_kinds_whose_lists_show_all_cost_no_reads() -> None:
    found = rhythm(0, 720, plain=5000)
    assert found.reads_per_second == 0 and found.slice_seconds == float("inf")


def test_reads_are_spread_and_never_a_burst() -> None:
    assert rhythm(1000, 720).reads_at_once == 4
    assert rhythm(1000, 720).slice_seconds == pytest.approx(4 / 540 * 3600)
    assert rhythm(3, 720, lists=1).reads_at_once == 1
    assert rhythm(100_000, 1e9).reads_at_once == 32


def test_the_oldest_goes_first_by_the_goal_of_its_kind() -> None:
    goals = {"Thing": 100.0, "Other": 1000.0, "Plain": 1.0}
    kinds = {**KINDS, "Other": SWEPT}
    ages = [("Thing", 90.0), ("Thing", 150.0), ("Other", 1200.0), ("Other", 2000.0), ("Plain", 1e6), ("Thing", None)]
    known = {
        Key("t", kind, (), f"n{place}"): InventoryRow(
            Key("t", kind, (), f"n{place}"), "u", seen_at=None if age is None else NOW - age
        )
        for place, (kind, age) in enumerate(ages)
    }
    found = oldest(known, kinds, goals.__getitem__, NOW, 4, {})
    assert [key.name for key in found] == ["n5", "n3", "n1", "n2"]
    tried = {key: NOW - 10.0 for key in known if key.name in ("n5", "n3")}
    found = oldest(known, kinds, goals.__getitem__, NOW, 3, tried)
    assert [key.name for key in found] == ["n1", "n2", "n0"], "what could not be read lets others go first"
