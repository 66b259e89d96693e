"""What waits for its look: bounded, paced by what looks cost, and dropped when it was read meanwhile."""

from __future__ import annotations

import json
import math

import pytest

from agent.model.inventory import InventoryRow
from agent.reconcile.inbox import KEYS_MAX, WAITING_MAX, Inbox
from tests.unit.reconcile.test_events import desired, key, platform


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return 1_000_000.0 + self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


class Scene:
    """An inbox of a target with the workflows w0, w1, … in git and in the inventory."""

    def __init__(self, count: int = 20) -> None:
        self.clock = Clock()
        self.woken = 0
        self.inbox = Inbox(platform(), {"workspace": "public"}, self.clock, self._wake)
        self.keys = [key("Workflow", f"w{number}", workspace="public") for number in range(count)]
        self.desired = desired(*self.keys)
        self.rows = {each: InventoryRow(each, "uid", in_sync=True, seen_at=0.0) for each in self.keys}

    def _wake(self) -> None:
        self.woken += 1

    def receive(self, name: str) -> str:
        event = {"event": "resource.updated", "resource": {"type": "workflow", "name": name}}
        return self.inbox.receive(json.dumps(event).encode())

    def take(self, affordable: int = 1000) -> list[str]:
        return sorted(each.name for each in self.inbox.take(self.desired, self.rows, affordable))

    def pass_to(self, due_at: float) -> None:
        assert due_at < math.inf
        self.clock.at = max(self.clock.at, due_at)


def test_nothing_is_due_while_nothing_waits() -> None:
    assert Scene().inbox.due_at == math.inf


def test_events_of_one_moment_are_one_look() -> None:
    at = Scene()
    for name in ("w1", "w2", "w1", "w1"):
        assert at.receive(name) == "accepted"
        at.clock.at += 0.005
    assert at.clock.at < at.inbox.due_at < at.clock.at + 0.05
    at.pass_to(at.inbox.due_at)
    assert at.take() == ["w1", "w2"]
    assert (at.woken, at.inbox.due_at) == (2, math.inf)
    assert at.inbox.counts == {"accepted": 4}


def test_a_look_is_followed_by_a_second_of_rest_for_each_read() -> None:
    at = Scene()
    began = at.clock.at
    at.inbox.rest_after(began, 1)
    at.receive("w1")
    assert at.inbox.due_at == began + 1
    at.inbox.rest_after(began, 51)
    assert at.inbox.due_at == began + 51


def test_a_stream_of_events_does_not_push_the_look_ahead_of_it() -> None:
    at = Scene()
    at.receive("w0")
    due = at.inbox.due_at
    for number in range(20):
        at.clock.at += 0.001
        at.receive(f"w{number}")
    assert at.inbox.due_at == due


def test_what_no_manifest_names_is_counted_and_forgotten() -> None:
    at = Scene()
    assert at.receive("handmade") == "accepted"
    assert at.take() == []
    assert at.inbox.due_at == math.inf
    assert at.inbox.counts == {"accepted": 1, "unmanaged": 1}


def test_what_means_nothing_wakes_nobody() -> None:
    at = Scene()
    assert at.inbox.receive(b"{}") == "ignored"
    assert at.inbox.receive(b"[]") == "malformed"
    assert (at.woken, at.inbox.due_at) == (0, math.inf)
    assert at.inbox.counts == {"ignored": 1, "malformed": 1}


@pytest.mark.row("L1")
def test_a_flood_of_names_is_bounded_and_served_in_portions() -> None:
    at = Scene(count=WAITING_MAX + 5)
    for each in at.keys:
        assert at.receive(each.name) == "accepted"
    assert at.inbox.counts == {"accepted": WAITING_MAX, "dropped": 5}
    assert at.take() == sorted(f"w{number}" for number in range(KEYS_MAX))
    assert at.inbox.due_at <= at.clock.at + 0.05
    assert at.take(affordable=3) == [f"w{number}" for number in range(KEYS_MAX, KEYS_MAX + 3)]


def test_without_calls_at_hand_events_wait() -> None:
    at = Scene()
    at.receive("w1")
    assert at.take(affordable=0) == []
    assert at.clock.at + 1 < at.inbox.due_at < math.inf
    at.pass_to(at.inbox.due_at)
    assert at.take() == ["w1"]


@pytest.mark.parametrize(("age", "expected"), [(0.0, []), (0.1, ["w1"])])
def test_what_was_read_since_the_event_came_is_known(age: float, expected: list[str]) -> None:
    at = Scene()
    at.receive("w1")
    w1 = at.keys[1]
    at.rows[w1] = InventoryRow(w1, "uid", in_sync=True, seen_at=at.clock.now() - age)
    assert at.take() == expected
    assert at.inbox.counts["known"] == 1 - len(expected)


def test_an_event_in_the_settle_window_waits_for_its_end() -> None:
    at = Scene()
    at.receive("w1")
    w1 = at.keys[1]
    at.rows[w1] = InventoryRow(w1, "uid", in_sync=True, seen_at=0.0, settle_until=at.clock.now() + 7)
    assert at.take() == []
    assert at.inbox.due_at == at.clock.at + 7
    at.receive("w2")
    assert at.inbox.due_at < at.clock.at + 1, "others do not wait with it"
    at.pass_to(at.inbox.due_at)
    assert at.take() == ["w2"]
    at.pass_to(at.inbox.due_at)
    assert at.take() == ["w1"]


def test_a_clock_that_jumps_does_not_make_an_event_wait_for_ever() -> None:
    at = Scene()
    at.receive("w1")
    w1 = at.keys[1]
    at.rows[w1] = InventoryRow(w1, "uid", in_sync=True, seen_at=0.0, settle_until=at.clock.now() + 1e9)
    assert at.take() == []
    assert at.inbox.due_at <= at.clock.at + platform().kinds["Workflow"].settle_seconds
