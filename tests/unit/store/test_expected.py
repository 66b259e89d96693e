"""What an open intent expects is in a table of its own; in an older store it was in the journal, and left holes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from agent.store import versions
from agent.store.engine import open_file
from agent.store.journal import OpenIntent
from agent.store.server import open_server
from agent.store.store import Store
from tests import postgresql
from tests.unit.store.builders import HandClock, intent, key, row, url_of

_BEFORE = "0009"
_OLD_ROWS = 'SELECT journal.*, expected."row", expected.applied FROM journal LEFT JOIN expected USING (op_id)'


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Engine]]:
    """The URL of a store of the version before, without a row, and an engine over it."""
    if request.param == "sqlite":
        path = tmp_path / "older.db"
        path.touch()
        url, engine = url_of(path), open_file(path, mode="rw", wal=True)
    else:
        cluster: postgresql.Cluster = request.getfixturevalue("cluster")
        cluster.execute("CREATE DATABASE older_journal")
        url = cluster.url("older_journal")
        engine = open_server(url)
    with engine.connect().execution_options(writes=True) as connection:
        versions.upgrade(connection, _BEFORE)
    yield url, engine
    engine.dispose()
    if request.param == "postgresql":
        cluster.execute("DROP DATABASE older_journal")


@pytest.mark.row("K13")
def test_open_and_closed_intents_of_an_older_store_are_what_they_were(
    older: tuple[str, Engine], path: Path, clock: HandClock
) -> None:
    url, engine = older
    newer = Store.open(url_of(path), clock=clock)
    newer.open_intent(intent("both"), row(server_id="id-7"), {"/a": 1})
    newer.open_intent(intent("neither", "weekly-etl"), None, None)
    newer.open_intent(intent("ended", "other-etl"), row("other-etl"), {"/a": 2})
    newer.close_intent("ended", "done", note="as wished")
    known = newer.open_intents("analytics")
    with newer._read() as reading, engine.connect().execution_options(writes=True) as writing, writing.begin():
        for values in reading.execute(text(_OLD_ROWS)).mappings():
            older_names = [name for name in values if name != "sent_by"]
            columns = ", ".join(f'"{name}"' for name in older_names)
            places = ", ".join(f":{name}" for name in older_names)
            writing.execute(text(f"INSERT INTO journal ({columns}) VALUES ({places})"), dict(values))
    newer.close()
    engine.dispose()

    store = Store.open(url, clock=clock)
    assert store.open_intents("analytics") == known
    assert known[0] == OpenIntent(intent("both"), row(server_id="id-7"), {"/a": 1})
    assert store.query("SELECT op_id, result, note FROM journal WHERE closed_at IS NOT NULL", {}) == [
        ("ended", "done", "as wished")
    ]
    assert store.query("SELECT op_id FROM expected", {}) == [("both",)]
    assert store.close_intent("both", "done", row=row(server_id="id-8"))
    assert store.rows("analytics") == {key(): row(server_id="id-8")}
    assert store.query("SELECT op_id FROM expected", {}) == []
    store.close()


def test_the_journal_of_many_calls_has_no_holes(path: Path, clock: HandClock) -> None:
    store = Store.open(url_of(path), clock=clock)
    leaves = {f"/spec/member-{number}": f"what was said of {number * 7919}" for number in range(40)}
    for number in range(0, 200, 10):
        names = [f"etl-{each:03}" for each in range(number, number + 10)]
        for name in names:
            store.open_intent(intent(name, name), row(name), leaves)
        for name in names:
            store.close_intent(name, "done", forget=True)
    store.close()

    raw = sqlite3.connect(path)
    used = _pages_used(raw)
    raw.execute("VACUUM")
    assert used <= 1.1 * _pages_used(raw)
    raw.close()


def _pages_used(raw: sqlite3.Connection) -> int:
    return int(raw.execute("PRAGMA page_count").fetchone()[0] - raw.execute("PRAGMA freelist_count").fetchone()[0])
