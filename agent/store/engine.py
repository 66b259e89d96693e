"""The engine over a SQLite file, what statements differ by dialect, and the one door through which errors leave.

Called by the other modules of this folder; the engine over a server is made by ``server``. SQLite: WAL,
``synchronous=FULL``, transactions begun by us (``BEGIN IMMEDIATE`` for writes, so that a writer waits at its first
statement and never deadlocks half way).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, CursorResult, Dialect, Engine, Executable, Table, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from agent.errors import StoreError
from agent.store import server
from agent.store.location import uri_of
from agent.store.status import BUSY_SECONDS, open_read_only

_WAL_BYTES_KEPT = 16 << 20

_PRAGMAS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA synchronous=FULL",
    f"PRAGMA journal_size_limit={_WAL_BYTES_KEPT}",
)

_SQLITE_FAULTS = {  # first words of an error's name -> sentence after the store's name, what mends it
    "SQLITE_FULL": ("cannot grow: its disk is full", "free space on that disk; the agent goes on by itself"),
    "SQLITE_IOERR": ("met an input or output error of its disk", "check the disk; the store is verified before use"),
    "SQLITE_BUSY": (f"stayed locked by another program for {BUSY_SECONDS:g} seconds", None),
    "SQLITE_LOCKED": (f"stayed locked by another program for {BUSY_SECONDS:g} seconds", None),
    "SQLITE_READONLY": ("cannot be written: it is read-only", None),
    "SQLITE_CORRUPT": ("is damaged", "move it away; a new store is rebuilt from ownership marks and git"),
    "SQLITE_NOTADB": ("is not a SQLite database", "name another file as `state`"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check the permissions of the file and its folder"),
}


def open_file(path: Path, *, mode: str, wal: bool = False) -> Engine:
    """Engine over an existing SQLite file; ``mode`` is ``rw`` or ``ro``. ``wal`` makes the write-ahead log lasting."""

    def connect() -> sqlite3.Connection:
        if mode == "ro":
            return open_read_only(path)
        connection = sqlite3.connect(
            uri_of(path, mode), uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in (*_PRAGMAS, "PRAGMA journal_mode=WAL") if wal else _PRAGMAS:
            connection.execute(pragma)
        return connection

    return _sqlite_engine(QueuePool, connect)


def has_log(path: Path) -> bool:
    """Whether the file's head says that it has a write-ahead log, as every store that was opened once does."""
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02"  # https://www.sqlite.org/fileformat2.html, 1.3


def open_memory() -> Engine:
    """Engine over a SQLite database that lives as long as the engine."""
    return _sqlite_engine(
        StaticPool, lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    )


def _sqlite_engine(pool: type[QueuePool] | type[StaticPool], connect: Callable[[], Any]) -> Engine:
    dialect, url, compiled = _shared()
    options: Any = {"compiled_cache": compiled}
    engine = Engine(
        pool(connect, dialect=dialect), dialect, url, echo=False, hide_parameters=True, execution_options=options
    )
    event.listen(engine, "begin", _begin)
    return engine


@lru_cache(maxsize=1)
def _shared() -> tuple[Dialect, URL, dict[Any, Any]]:
    """Dialect and compiled statements for all SQLite stores of this process.

    An engine of its own would compile each statement anew, which costs the first pass on it more than all the rest.
    """
    first = create_engine("sqlite://")
    with first.connect():  # lets the dialect learn what this SQLite can do
        pass
    first.dispose()
    return first.dialect, first.url, {}


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    driver: Any = connection.connection.driver_connection  # past SQLAlchemy, which takes longer over it than SQLite
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def relaxed(connection: Connection) -> Iterator[None]:
    """Commits inside survive the death of the program, not of the machine: for what may be forgotten.

    Order is kept: the next durable commit also makes these durable.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            driver.execute("PRAGMA synchronous=FULL")
    else:
        yield


def upsert(connection: Connection, table: Table) -> Executable:
    """INSERT that overwrites the row of the same primary key; executed with one or many rows of all columns."""
    return _upsert(connection.dialect.name, table)


@lru_cache
def _upsert(dialect: str, table: Table) -> Executable:
    insert: Any
    if dialect == "sqlite":
        insert = sqlite.insert(table)
    else:
        from sqlalchemy.dialects import postgresql  # as much as half of SQLite's whole start: for whom it is

        insert = postgresql.insert(table)
    rest = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    statement: Executable = insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=rest)
    return statement


def raw_rows(
    connection: Connection, statement: Executable, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """All rows as the driver's tuples, for the scans of thousands.

    One text column that is no longer UTF-8 would fail the whole scan; such text is read with replacement characters
    instead, so that a row's checksum can tell which one is damaged.
    """
    try:
        return _fetch(connection.execute(statement, values))
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    driver: Any = connection.connection.driver_connection
    driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        return _fetch(connection.execute(statement, values))
    finally:
        driver.text_factory = str


def _fetch(result: CursorResult[Any]) -> list[tuple[Any, ...]]:
    try:
        return list(result.cursor.fetchall())
    finally:
        result.close()


def is_sound(connection: Connection) -> bool:
    """SQLite's own check of its pages; True for a server, which checks itself."""
    return connection.dialect.name != "sqlite" or connection.execute(text("PRAGMA quick_check(1)")).scalar() == "ok"


@contextmanager
def converting(place: str) -> Iterator[None]:
    """Every database error leaves as a :class:`StoreError` of one sentence; ``got`` is the database's word for it."""
    try:
        yield
    except SQLAlchemyError as error:
        raise store_error(error, place) from error
    except sqlite3.Error as error:
        raise store_error(error, place) from error


def store_error(error: SQLAlchemyError | sqlite3.Error, place: str) -> StoreError:
    cause: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig else error
    name = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
    for start, (sentence, fix) in _SQLITE_FAULTS.items():
        if name.startswith(start):
            return StoreError(f"the state store {place} {sentence}", got=name, fix=fix)
    server.without_values(error)
    told = server.fault_of(cause)
    if told is not None:
        return StoreError(f"the state store {place} {told.sentence}", got=name, why=told.why, fix=told.fix)
    first_line = str(cause).partition("\n")[0][:200]
    return StoreError(f"the state store {place} failed", got=name, why=first_line)


def execute_many(connection: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Nothing for no rows; SQLAlchemy would take an empty list for one row of defaults."""
    if rows:
        connection.execute(statement, rows)
