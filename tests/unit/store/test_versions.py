from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from agent.errors import StoreError
from agent.store import schema, versions
from agent.store.engine import open_memory
from agent.store.location import HEAD
from agent.store.store import Store
from tests.unit.store.builders import HandClock, key, row, url_of


def _set_version(path: Path, version: str | None) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM alembic_version")
        if version is not None:
            raw.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    raw.close()


def _bare(path: Path) -> None:
    """What a store was before its first revision."""
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    raw.close()


def test_the_migrations_make_exactly_the_tables_of_the_schema(path: Path) -> None:
    path.write_bytes(versions.fresh_file())
    engine = open_memory()
    with engine.connect() as connection:
        connection.connection.driver_connection.deserialize(versions.fresh_file())
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        migrated = _definitions(connection)
    engine.dispose()
    engine = versions.empty_memory()
    with engine.connect() as connection:
        created = _definitions(connection)
    engine.dispose()
    assert {name for name in migrated if name != "alembic_version"} == set(schema.metadata.tables) | {
        index.name for table in schema.metadata.tables.values() for index in table.indexes
    }
    assert {name: sql for name, sql in migrated.items() if name != "alembic_version"} == {
        name: sql for name, sql in created.items() if name != "alembic_version"
    }


def _definitions(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: re.sub(r"\s+", " ", sql).replace('"', "") for name, sql in rows}


@pytest.mark.row("K13", "S6")
def test_a_store_of_a_newer_program_is_refused_with_both_versions(path: Path) -> None:
    Store.open(url_of(path), clock=HandClock()).close()
    _set_version(path, "9999")
    for write in (True, False):
        with pytest.raises(StoreError, match=f"version 9999, newer than version {HEAD}"):
            Store.open(url_of(path), clock=HandClock(), write=write)


def test_a_version_in_foreign_words_is_another_programs_database(path: Path) -> None:
    Store.open(url_of(path), clock=HandClock()).close()
    _set_version(path, "ab12cd")
    with pytest.raises(StoreError, match="belongs to another program"):
        Store.open(url_of(path), clock=HandClock())


@pytest.mark.row("K13")
def test_an_older_store_is_brought_up_to_date_after_a_copy_was_kept(path: Path) -> None:
    _bare(path)
    store = Store.open(url_of(path), clock=HandClock())
    store.put_rows([row()])
    assert store.rows("analytics") == {key(): row()}
    store.close()

    copy = sqlite3.connect(path.with_name("state.db.version-0000"))
    assert copy.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() == (1,)
    copy.close()


def test_an_older_store_is_not_changed_by_reading(path: Path) -> None:
    _bare(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="older than version"):
        Store.open(url_of(path), clock=HandClock(), write=False)
    assert path.read_bytes() == before


@pytest.mark.row("K13")
def test_a_migration_that_dies_half_way_leaves_the_old_version(path: Path) -> None:
    from agent.store.engine import open_file

    class _Killed(BaseException):
        pass

    _bare(path)
    engine = open_file(path, mode="rw", wal=True)

    @event.listens_for(engine, "before_cursor_execute")
    def die(connection, cursor, statement, parameters, context, executemany):
        if "CREATE TABLE journal" in statement:
            raise _Killed

    with pytest.raises(_Killed), engine.connect().execution_options(writes=True) as connection:
        versions.upgrade(connection)
    engine.dispose()

    raw = sqlite3.connect(path)
    assert raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("alembic_version",)]
    raw.close()


def test_opening_a_current_store_does_not_load_alembic(path: Path) -> None:
    Store.open(url_of(path), clock=HandClock()).close()
    code = (
        "import sys; from agent.clock import SystemClock; from agent.store.store import Store;"
        "Store.open(sys.argv[1], clock=SystemClock()).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, url_of(path)]).returncode == 0


def test_every_table_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in schema.metadata.sorted_tables:
        sql = str(CreateTable(table).compile(dialect=dialect))
        assert "ROWID" not in sql
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
