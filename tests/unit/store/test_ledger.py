from __future__ import annotations

from pathlib import Path

from agent.store.store import Store
from tests.unit.store.builders import DAY, HandClock, url_of


def test_spending_is_told_by_credential_from_a_moment_on(store: Store) -> None:
    store.spend("token-a", 30.5, 2)
    store.spend("token-a", 10.0, 1)
    store.spend("token-b", 20.0, 7)

    assert store.spent("token-a", 0.0) == [(10.0, 1), (30.5, 2)]
    assert store.spent("token-a", 10.1) == [(30.5, 2)]
    assert store.spent("token-a", 30.5) == [(30.5, 2)]
    assert store.spent("token-c", 0.0) == []


def test_spending_survives_a_restart(store: Store, path: Path, clock: HandClock) -> None:
    store.spend("token", 30.5, 2)
    again = Store.open(url_of(path), clock=clock)

    assert again.spent("token", 0.0) == [(30.5, 2)]
    again.close()


def test_old_spending_is_merged_by_the_hour_at_its_last_call(store: Store, clock: HandClock) -> None:
    now = clock.time = 100 * DAY
    hour = now - 3 * DAY
    for at in (hour + 1, hour + 5, hour + 3601, now - DAY - 1, now - DAY, now - 1):
        store.spend("token", at, 2)

    store.compact()
    store.compact()

    assert store.spent("token", 0.0) == [
        (hour + 5, 4),
        (hour + 3601, 2),
        (now - DAY - 1, 2),
        (now - DAY, 2),
        (now - 1, 2),
    ]


def test_spending_is_dropped_after_thirty_two_days(store: Store, clock: HandClock) -> None:
    now = clock.time = 100 * DAY
    store.spend("token", now - 32 * DAY, 1)
    store.spend("token", now - 32 * DAY - 1, 1)

    store.compact()

    assert store.spent("token", 0.0) == [(now - 32 * DAY, 1)]
