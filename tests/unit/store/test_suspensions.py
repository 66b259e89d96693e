"""What people have suspended: written beside whatever agent holds the store, in force until its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.model.suspension import Suspension
from agent.store import status
from agent.store.store import Store
from tests.unit.store.builders import HandClock, url_of


def suspension(clock: HandClock, **words: object) -> Suspension:
    made = Suspension("analytics", "Workflow/daily", "backfill", "ann", clock.time, clock.time + 60.0)
    return replace(made, **words)  # type: ignore[arg-type]


def test_one_is_in_force_until_its_end_and_not_a_moment_longer(store: Store, clock: HandClock) -> None:
    made = suspension(clock)
    store.suspend(made)
    clock.time += 59.9
    assert store.suspensions("analytics") == (made,)
    assert store.suspensions("sales") == ()
    clock.time += 0.1
    assert store.suspensions("analytics") == ()


def test_one_without_an_end_lasts_until_it_is_resumed(store: Store, clock: HandClock) -> None:
    store.suspend(suspension(clock, until=None))
    clock.time += 1e9
    assert len(store.suspensions("analytics")) == 1
    assert store.resume("analytics", "Workflow/other") == 0
    assert store.resume("analytics", "Workflow/daily") == 1
    assert store.suspensions("analytics") == ()


def test_the_same_suspended_again_has_the_newer_reason_and_end(store: Store, clock: HandClock) -> None:
    store.suspend(suspension(clock))
    newer = suspension(clock, reason="still", until=None)
    store.suspend(newer)
    assert store.suspensions("analytics") == (newer,)


def test_all_of_a_target_end_at_once(store: Store, clock: HandClock) -> None:
    store.suspend(suspension(clock))
    store.suspend(suspension(clock, selector=""))
    store.suspend(suspension(clock, target="sales"))
    assert store.resume("analytics", None) == 2
    assert len(store.suspensions("sales")) == 1


def test_it_is_written_while_an_agent_holds_the_store(store: Store, path: Path, clock: HandClock) -> None:
    store.lock()
    beside = Store.open(url_of(path), clock=clock)
    beside.suspend(suspension(clock))
    beside.close()
    assert len(store.suspensions("analytics")) == 1


def test_status_tells_those_in_force(store: Store, path: Path, clock: HandClock) -> None:
    store.suspend(suspension(clock))
    (told,) = status.read_status(url_of(path), clock.time)["suspended"]
    assert (told["target"], told["selector"], told["reason"], told["who"]) == (
        "analytics",
        "Workflow/daily",
        "backfill",
        "ann",
    )
    assert status.read_status(url_of(path), clock.time + 60.0)["suspended"] == []
