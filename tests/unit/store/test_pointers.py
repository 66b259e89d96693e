"""What events pointed at, on its way from one agent to another, over both databases."""

from __future__ import annotations

from agent.store import pointers
from agent.store.store import Store
from tests.unit.store.builders import HandClock


def test_what_is_left_is_taken_once_oldest_first_by_who_asks_for_the_target(store: Store, clock: HandClock) -> None:
    now = clock.now()
    store.leave_pointers("sales", {"b": now - 1, "a": now - 2})
    store.leave_pointers("sales", {"b": now})  # again, and later
    store.leave_pointers("analytics", {"a": now})
    assert store.take_pointers(["none"]) == [] == store.take_pointers([])
    assert store.take_pointers(["sales"]) == [("sales", "a", now - 2), ("sales", "b", now)]
    assert store.take_pointers(["sales"]) == []
    assert store.take_pointers(["sales", "analytics"]) == [("analytics", "a", now)]


def test_what_nobody_comes_for_is_bounded_and_ends(store: Store, clock: HandClock) -> None:
    store.leave_pointers("sales", {str(number): clock.now() for number in range(pointers.OF_TARGET_MAX - 1)})
    store.leave_pointers("sales", {"x": clock.now(), "y": clock.now()})
    store.leave_pointers("sales", {"z": clock.now()})
    assert store.query("SELECT COUNT(*), MAX(body) FROM pointer", {}) == [(pointers.OF_TARGET_MAX, "x")]
    clock.time += pointers.KEPT_SECONDS + 1
    store.leave_pointers("analytics", {"new": clock.now()})
    assert store.query("SELECT target, body FROM pointer", {}) == [("analytics", "new")]
    assert store.take_pointers(["sales"]) == []
