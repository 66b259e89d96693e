from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.model.spending import Spent
from agent.store.store import Store
from tests.unit.store.builders import DAY, HandClock, url_of


def test_spending_is_told_by_credential_from_a_moment_on(store: Store) -> None:
    store.spend("token-a", 30.5, 2)
    store.spend("token-a", 10.0, 1)
    store.spend("token-b", 20.0, 7)

    assert store.spent("token-a", 0.0).rows == [(10.0, 1), (30.5, 2)]
    assert store.spent("token-a", 10.1).rows == [(30.5, 2)]
    assert store.spent("token-a", 30.5).rows == [(30.5, 2)]
    assert store.spent("token-c", 0.0).rows == []


def test_spending_survives_a_restart(store: Store, path: Path, clock: HandClock) -> None:
    store.spend("token", 30.5, 2)
    again = Store.open(url_of(path), clock=clock)

    assert again.spent("token", 0.0).rows == [(30.5, 2)]
    again.close()


def test_old_spending_is_merged_by_the_hour_at_its_last_call(store: Store, clock: HandClock) -> None:
    now = clock.time = 100 * DAY
    hour = now - 3 * DAY
    for at in (hour + 1, hour + 5, hour + 3601, now - DAY - 1, now - DAY, now - 1):
        store.spend("token", at, 2)

    store.compact()
    store.compact()

    assert store.spent("token", 0.0).rows == [
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

    assert store.spent("token", 0.0).rows == [(now - 32 * DAY, 1)]


def test_a_command_beside_a_running_agent_is_seen_by_it_and_sees_it(path: Path, clock: HandClock) -> None:
    agent = Store.open(url_of(path), clock=clock)
    agent.lock()
    command = Store.open(url_of(path), clock=clock, write=False)
    now = clock.time
    first = agent.spend("token", now, 3)
    assert (first.rows, command.spent("token", 0.0)) == ([], Spent([(now, 3)], first.newest))

    told = command.spend("token", now + 1, 2, first.newest)
    command.spend("another", now + 1, 9, told.newest)
    seen = agent.spend("token", now + 2, 1, first.newest)

    assert told.rows == [], "what it has seen before is not told again"
    assert seen.rows == [(now + 1, 2)], "the other's calls, none of its own and none of another credential"
    assert agent.spend("token", now + 3, 1, seen.newest).rows == []
    command.close()
    agent.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_store_that_cannot_be_written_still_tells(path: Path, clock: HandClock) -> None:
    agent = Store.open(url_of(path), clock=clock)
    path.chmod(0o400)
    command = Store.open(url_of(path), clock=clock, write=False)
    before = command.spent("token", 0.0)
    agent.spend("token", clock.time, 4)

    assert command.spend("token", clock.time, 1, before.newest).rows == [(clock.time, 4)]
    assert agent.spent("token", 0.0).rows == [(clock.time, 4)], "it could not say what it spent itself"
    command.close()
    agent.close()
