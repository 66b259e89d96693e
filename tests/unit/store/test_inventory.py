from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.model.change import Cause, FieldChange, FieldOp
from agent.model.identity import Key
from agent.model.inventory import InventoryRow, Reported
from agent.store.store import Store
from tests.unit.store.builders import DAY, HandClock, key, row

# U+0000 is left out: a text of PostgreSQL cannot hold it, and a name or id with one is a known gap of that store.
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_times = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_maps = st.dictionaries(_texts, _texts, max_size=2)
_keys = st.builds(Key, st.just("analytics"), _texts, st.lists(st.tuples(_texts, _texts), max_size=2).map(tuple), _texts)
_values = st.none() | _texts | st.decimals("-1e9", "1e9", places=3) | st.lists(_texts, max_size=2) | _maps
_leaves = st.builds(
    FieldChange, _texts, _texts, st.sampled_from(FieldOp), st.sampled_from(Cause), _values, _values, st.booleans()
)
_rows = st.builds(
    InventoryRow,
    _keys,
    _texts,
    st.none() | _texts,
    st.sampled_from(["created", "adopted", "rebuilt"]),
    st.none() | _texts,
    st.none() | _texts,
    st.booleans(),
    st.sampled_from(["ready", "failed", "unknown"]),
    _times,
    _times,
    _times,
    _texts,
    st.integers(0, 10_000),
    _texts,
    st.booleans(),
    _maps,
    _maps,
    reported=st.none() | st.builds(Reported, _texts, _texts, st.lists(_leaves, max_size=2).map(tuple), st.booleans()),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=_rows)
def test_a_row_comes_back_equal_in_every_field(store: Store, written: InventoryRow) -> None:
    store.put_rows([written])

    read = store.rows("analytics")[written.key]

    assert read == written
    assert type(read) is InventoryRow
    assert type(read.key) is Key


def test_a_second_write_of_a_key_overwrites_and_other_targets_stay(store: Store) -> None:
    store.put_rows([row(), row("other"), row(target="sales")])
    store.put_rows([row(server_id="id-7", in_sync=True)])

    assert store.rows("analytics") == {key(): row(server_id="id-7", in_sync=True), key("other"): row("other")}
    assert store.rows("sales") == {key(target="sales"): row(target="sales")}
    assert store.rows("unheard-of") == {}


def test_more_rows_than_are_packed_at_a_time_are_written_with_their_leaves(store: Store) -> None:
    keys = [key(f"etl-{number}") for number in range(1201)]
    store.forget(keys[0], tombstone=True)
    store.forget(keys[-1], tombstone=True)
    store.put_rows((row(one.name) for one in keys), {one: {"/name": one.name} for one in keys})

    assert store.rows("analytics") == {one: row(one.name) for one in keys}
    assert store.applied(keys) == {one: {"/name": one.name} for one in keys}
    assert store.tombstones("analytics") == {}


def test_applied_leaves_keep_decimals_and_come_back_for_few_and_for_many_keys(store: Store) -> None:
    leaves = {"/replicas": 2, "/ratio": Decimal("1.10"), "/name": "ü", "/nothing": None, "/big": 10**30}
    keys = [key(f"etl-{number}") for number in range(301)]
    store.put_rows((row(one.name) for one in keys), dict.fromkeys(keys, leaves))

    assert store.applied([key("etl-5"), key("absent")]) == {key("etl-5"): leaves}
    assert str(store.applied([key("etl-5")])[key("etl-5")]["/ratio"]) == "1.10"
    assert store.applied(keys[:299]) == dict.fromkeys(keys[:299], leaves)
    assert store.applied(keys) == dict.fromkeys(keys, leaves)
    assert store.applied([]) == {}


def test_forget_removes_row_and_leaves_and_keeps_a_tombstone_for_thirty_days(store: Store, clock: HandClock) -> None:
    store.put_rows([row(), row("silent")], {key(): {"/a": 1}})
    died = clock.now()
    store.forget(key(), tombstone=True)
    store.forget(key("silent"), tombstone=False)

    assert store.rows("analytics") == {}
    assert store.applied([key()]) == {}
    clock.time = died + 30 * DAY
    assert store.tombstones("analytics") == {key(): died}
    clock.time = died + 30 * DAY + 1
    assert store.tombstones("analytics") == {}


def test_a_resource_that_is_ours_again_loses_its_tombstone(store: Store) -> None:
    store.forget(key(), tombstone=True)
    store.forget(key("other"), tombstone=True)

    store.put_rows([row()])

    assert list(store.tombstones("analytics")) == [key("other")]


@pytest.mark.row("S4")
def test_a_row_with_one_flipped_bit_is_never_returned_as_a_row(store: Store, path: Path) -> None:
    store.put_rows([row(server_id="id-7"), row("sound")])
    with sqlite3.connect(path) as raw:
        body = bytearray(raw.execute("SELECT body FROM inventory WHERE name = 'daily-etl'").fetchone()[0])
    for position in range(len(body)):
        flipped = bytearray(body)
        flipped[position] ^= 1 << (position % 8)
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE inventory SET body = ? WHERE name = 'daily-etl'", (bytes(flipped),))
        assert list(store.rows("analytics")) == [key("sound")]
        assert store.damaged_rows("analytics") == (key(),)
    raw.close()


def test_damage_to_the_key_or_the_type_of_a_column_is_seen_too(store: Store, path: Path) -> None:
    store.put_rows([row("one"), row("two"), row("three"), row("four"), row("sound")])
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE inventory SET name = 'onf' WHERE name = 'one'")
        raw.execute("UPDATE inventory SET body = CAST(body AS TEXT) WHERE name = 'two'")
        raw.execute("UPDATE inventory SET name = CAST(x'74ff' AS TEXT) WHERE name = 'three'")
        raw.execute("UPDATE inventory SET scope = '[[' WHERE name = 'four'")
    raw.close()

    assert list(store.rows("analytics")) == [key("sound")]
    damaged = store.damaged_rows("analytics")
    assert {one.name for one in damaged} == {"onf", "two", "t\ufffd", "four"}
    assert next(one for one in damaged if one.name == "four").scope == ()


def test_damaged_rows_can_be_asked_first_and_writing_the_row_again_mends_it(store: Store, path: Path) -> None:
    store.put_rows([row()])
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE inventory SET checksum = checksum + 1")
    raw.close()
    assert store.damaged_rows("analytics") == (key(),)

    store.put_rows([row()])

    assert store.rows("analytics") == {key(): row()}
    assert store.damaged_rows("analytics") == ()


def test_damaged_leaves_are_left_out(store: Store, path: Path) -> None:
    store.put_rows([row()], {key(): {"/a": "b" * 100}})
    with sqlite3.connect(path) as raw:
        body = bytearray(raw.execute("SELECT body FROM applied").fetchone()[0])
        body[-1] ^= 1
        raw.execute("UPDATE applied SET body = ?", (bytes(body),))
    raw.close()

    assert store.applied([key()]) == {}
