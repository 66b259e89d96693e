"""Which contents are read again: the oldest first, never more than the windows let go."""

from __future__ import annotations

from agent.model.change import WindowLeft
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.reconcile.schedule import due_reads

NOW = 10_000.0


def key(number: int) -> Key:
    return Key("t", "Thing", (), f"n{number:03}")


def rows(*ages: float | None) -> dict[Key, InventoryRow]:
    return {
        key(number): InventoryRow(key(number), "u", seen_at=None if age is None else NOW - age)
        for number, age in enumerate(ages)
    }


def due(known: dict[Key, InventoryRow], *budget: WindowLeft, fresh: bool = False) -> list[int]:
    found = due_reads(known, now=NOW, verify_seconds=300, budget=budget, interval_seconds=60, fresh=fresh)
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
