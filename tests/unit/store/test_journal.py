from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.journal import OpenIntent
from agent.store.store import Store
from tests.unit.store.builders import DAY, HandClock, intent, key, row


def test_an_open_intent_comes_back_equal_with_what_is_true_if_it_landed(store: Store) -> None:
    leaves = {"/ratio": Decimal("1.10")}
    store.open_intent(intent(), row(server_id="id-7"), leaves)

    assert store.open_intents("analytics") == (OpenIntent(intent(), row(server_id="id-7"), leaves),)
    assert store.rows("analytics") == {}


def test_open_intents_are_told_in_the_order_of_opening_and_by_target(store: Store) -> None:
    for op_id in ("zulu", "alpha", "mike"):
        store.open_intent(intent(op_id), None, None)
    store.open_intent(intent("other", target="sales"), None, None)

    assert [found.intent.op_id for found in store.open_intents("analytics")] == ["zulu", "alpha", "mike"]
    assert store.open_intents("analytics")[0] == OpenIntent(intent("zulu"), None, None)


def test_the_same_operation_is_never_journalled_twice(store: Store) -> None:
    store.open_intent(intent(), None, None)

    with pytest.raises(StoreError):
        store.open_intent(intent(), None, None)


def test_closing_writes_row_and_leaves_with_the_outcome(store: Store) -> None:
    store.open_intent(intent(), None, None)

    assert store.close_intent("op-1", "done", row=row(server_id="id-7"), applied={"/a": 1}, note="found by marker")

    assert store.open_intents("analytics") == ()
    assert store.rows("analytics") == {key(): row(server_id="id-7")}
    assert store.applied([key()]) == {key(): {"/a": 1}}


def test_closing_without_a_row_leaves_the_inventory_alone(store: Store) -> None:
    store.put_rows([row(server_id="id-7")])
    store.open_intent(intent(), row(server_id="id-8"), {"/a": 1})

    store.close_intent("op-1", "not_done")

    assert store.rows("analytics") == {key(): row(server_id="id-7")}
    assert store.applied([key()]) == {}


def test_closing_a_delete_forgets_the_row_and_leaves_a_tombstone(store: Store, clock: HandClock) -> None:
    store.put_rows([row()], {key(): {"/a": 1}})
    store.open_intent(intent(), None, None)

    store.close_intent("op-1", "done", forget=True)

    assert store.rows("analytics") == {}
    assert store.applied([key()]) == {}
    assert store.tombstones("analytics") == {key(): clock.now()}


def test_an_intent_is_closed_once_and_the_second_word_changes_nothing(store: Store) -> None:
    store.open_intent(intent(), None, None)
    store.close_intent("op-1", "done", row=row(server_id="id-7"))

    assert not store.close_intent("op-1", "not_done", forget=True)
    assert not store.close_intent("never-opened", "done", row=row("stranger"))

    assert store.rows("analytics") == {key(): row(server_id="id-7")}
    assert store.tombstones("analytics") == {}


def test_a_fault_while_closing_leaves_the_intent_open_and_the_inventory_as_it_was(path: Path, clock: HandClock) -> None:
    class _Killed(BaseException):
        pass

    class _KilledBeforeCommit(Store):
        armed = False

        def _write(self, **options: bool):  # type: ignore[override,no-untyped-def]
            from contextlib import contextmanager

            @contextmanager
            def write():  # type: ignore[no-untyped-def]
                with super(_KilledBeforeCommit, self)._write(**options) as connection:
                    yield connection
                    if self.armed:
                        raise _Killed

            return write()

    store = _KilledBeforeCommit.open(f"sqlite:///{path}", clock=clock)
    store.put_rows([row()])
    store.open_intent(intent(), None, None)
    store.armed = True
    with pytest.raises(_Killed):
        store.close_intent("op-1", "done", forget=True)
    store.close()

    again = Store.open(f"sqlite:///{path}", clock=clock)
    assert [found.intent.op_id for found in again.open_intents("analytics")] == ["op-1"]
    assert again.rows("analytics") == {key(): row()}
    assert again.tombstones("analytics") == {}
    again.close()


@pytest.mark.row("S4")
def test_a_damaged_open_intent_stops_the_target(store: Store, path: Path) -> None:
    store.open_intent(intent(), row(), {"/a": 1})
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE journal SET server_id = 'id-9'")
    raw.close()

    with pytest.raises(StoreError, match=r"journal row 1 .* damaged"):
        store.open_intents("analytics")


@pytest.mark.row("S8")
def test_compaction_drops_closed_intents_after_thirty_days_and_never_open_ones(store: Store, clock: HandClock) -> None:
    store.open_intent(intent("open"), None, None)
    store.open_intent(intent("closed"), None, None)
    store.close_intent("closed", "done")

    clock.time += 30 * DAY
    store.compact()
    assert _count(store) == 2

    clock.time += 1
    store.compact()
    assert _count(store) == 1
    assert [found.intent.op_id for found in store.open_intents("analytics")] == ["open"]


def test_compaction_keeps_the_newest_closed_intents_up_to_the_limit(store: Store) -> None:
    store.open_intent(intent("open"), None, None)
    for number in range(4):
        store.open_intent(intent(f"op-{number}"), None, None)
        store.close_intent(f"op-{number}", "done")

    store.compact(closed_max=4)
    assert _count(store) == 5
    store.compact(closed_max=3)
    assert [name for (name,) in store.query("SELECT op_id FROM journal ORDER BY number", {})] == [
        "open",
        "op-1",
        "op-2",
        "op-3",
    ]


def _count(store: Store) -> int:
    return int(store.query("SELECT count(*) FROM journal", {})[0][0])
