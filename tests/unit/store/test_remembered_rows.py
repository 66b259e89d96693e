"""Under the lock of the store its rows are remembered: what is told is what the file holds, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.errors import StoreError
from agent.store.store import Store
from tests.unit.store.builders import HandClock, intent, key, row, url_of


@pytest.fixture
def locked(store: Store) -> Store:
    store.lock()
    store.put_rows([row("a"), row("b")])
    store.rows("analytics")
    return store


def written(path: Path, clock: HandClock) -> dict:
    other = Store.open(url_of(path), clock=clock, write=False)
    try:
        return other.rows("analytics")
    finally:
        other.close()


def test_own_writes_are_seen(locked: Store, path: Path, clock: HandClock) -> None:
    locked.put_rows([row("a", health="failed"), row("c")])
    locked.forget(key("b"), tombstone=True)
    locked.open_intent(intent("op-1", "d"), row("d"), None)
    assert set(locked.rows("analytics")) == {key("a"), key("c")}
    locked.close_intent("op-1", "done", row=row("d"))
    found = locked.rows("analytics")
    assert found == written(path, clock)
    assert set(found) == {key("a"), key("c"), key("d")} and found[key("a")].health == "failed"


def test_an_intent_that_ends_in_forgetting_takes_its_row(locked: Store, path: Path, clock: HandClock) -> None:
    locked.open_intent(intent("op-1", "a"), row("a"), None)
    locked.close_intent("op-1", "done", forget=True)
    assert set(locked.rows("analytics")) == {key("b")} == set(written(path, clock))


def test_an_intent_closed_twice_changes_nothing(locked: Store, path: Path, clock: HandClock) -> None:
    locked.open_intent(intent("op-1", "a"), row("a"), None)
    locked.close_intent("op-1", "done", row=row("a", health="ready"))
    locked.close_intent("op-1", "done", row=row("a", health="failed"))
    assert locked.rows("analytics")[key("a")].health == "ready"
    assert locked.rows("analytics") == written(path, clock)


def test_what_a_caller_was_given_does_not_change_behind_its_back(locked: Store) -> None:
    before = locked.rows("analytics")
    locked.put_rows([row("c")])
    assert set(before) == {key("a"), key("b")}
    before.clear()
    assert set(locked.rows("analytics")) == {key("a"), key("b"), key("c")}


class FullDisk(Store):
    """A store whose disk is full at the moment of the commit."""

    full = False

    @contextmanager
    def _write(self, **words: Any) -> Iterator[Any]:
        with super()._write(**words) as connection:
            yield connection
            if self.full:
                raise StoreError("the disk is full")


def test_a_write_that_failed_is_not_remembered(path: Path, clock: HandClock) -> None:
    store = FullDisk.open(url_of(path), clock=clock)
    store.lock()
    store.put_rows([row("a")])
    store.rows("analytics")
    store.full = True
    with pytest.raises(StoreError):
        store.put_rows([row("b")])
    with pytest.raises(StoreError):
        store.forget(key("a"), tombstone=False)
    assert set(store.rows("analytics")) == {key("a")} == set(written(path, clock))
    store.close()


def test_without_the_lock_another_writer_is_seen(store: Store, path: Path, clock: HandClock) -> None:
    assert store.rows("analytics") == {}
    other = Store.open(url_of(path), clock=clock)
    other.put_rows([row("a")])
    other.close()
    assert set(store.rows("analytics")) == {key("a")}


def test_targets_are_kept_apart(locked: Store) -> None:
    locked.put_rows([row("a", "other")])
    assert set(locked.rows("other")) == {key("a", "other")}
    assert set(locked.rows("analytics")) == {key("a"), key("b")}
