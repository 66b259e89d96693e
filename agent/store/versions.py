"""The version of a store's tables: told by one SELECT, brought up to date by Alembic.

Called by ``Store.open``. Alembic is imported only when there is something to create or to migrate. A migration is one
transaction, after a copy of the file was kept; a store of a newer program is refused.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from agent.errors import StoreError
from agent.store import schema
from agent.store.engine import converting, open_file, open_memory
from agent.store.location import HEAD, uri_of
from agent.store.server import take_turns


@lru_cache(maxsize=1)
def fresh_file() -> bytes:
    """A SQLite file with all tables and no row, made by the migrations once a process: new stores are copies."""
    engine = open_memory()
    try:
        with engine.connect() as connection:
            upgrade(connection)
            driver: Any = connection.connection.driver_connection
            content: bytes = driver.serialize()
            return content
    finally:
        engine.dispose()


def empty_memory() -> Engine:
    """A store without a file, for reading where there is none yet: made without Alembic, which takes longer to load."""
    engine = open_memory()
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": HEAD})
    return engine


def bring_up(engine: Engine, place: str, *, path: Path | None, write: bool) -> None:
    """Leave the store at ``HEAD`` or raise :class:`StoreError`. ``path`` is None for a server or for memory."""
    with engine.connect() as connection:
        found = _version(connection)
    if found == HEAD:
        return
    if found is None and path is not None:
        raise _not_ours(place)
    if found and not found.isdigit():
        raise StoreError(f"the database {place} belongs to another program", got=f"version {found}")
    if found and int(found) > int(HEAD):
        raise StoreError(
            f"the state store {place} has version {found}, newer than version {HEAD} of this program",
            fix="use the newer datakeel, or give this one a `state` of its own",
        )
    if not write:
        raise StoreError(
            f"the state store {place} has version {found or 'none'}, older than version {HEAD} of this program",
            fix="run `datakeel apply` or the agent once; it brings the store up to date",
        )
    if path is not None:
        _keep_copy(path, found or "0000")
    with engine.connect().execution_options(writes=True) as connection:
        upgrade(connection)


def readable(engine: Engine, place: str) -> Engine:
    """A server's database for who only reads; as a file that is not there yet, one without any table is an empty store.

    Who may only read can make none, and there is nothing to miss: the first agent, or ``apply``, makes the tables.
    """
    try:
        with converting(place), engine.connect() as connection:
            if _version(connection) is not None:
                return engine
    except BaseException:
        engine.dispose()
        raise
    engine.dispose()
    return empty_memory()


def require_ours(path: Path) -> None:
    """Raise :class:`StoreError` for a database of another program, without a change to its file."""
    engine = open_file(path, mode="rw")
    try:
        with engine.connect() as connection:
            if _version(connection) is None:
                raise _not_ours(str(path))
    finally:
        engine.dispose()


def _not_ours(place: str) -> StoreError:
    return StoreError(f"the SQLite database {place} is not a datakeel state store", fix="name another file as `state`")


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the missing migrations in one transaction on ``connection``."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    with connection.begin():
        take_turns(connection, "migration")  # of two replicas that start at once the second finds nothing to do
        command.upgrade(config, to)


def _version(connection: Connection) -> str | None:
    """None without a version table, empty when the table is empty."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def _keep_copy(path: Path, version: str) -> None:
    copy = path.with_name(f"{path.name}.version-{version}")
    copy.unlink(missing_ok=True)
    source = sqlite3.connect(uri_of(path, "rw"), uri=True)
    try:
        source.execute("VACUUM INTO ?", (str(copy),))
    finally:
        source.close()
