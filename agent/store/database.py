"""The database under the store: opening, the lock, transactions, and the door through which its errors leave.

Base of ``Store``, which adds what is remembered. All writes of the agent go through :meth:`Database._write`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, insert, select, text, update

from agent.clock import Clock
from agent.errors import StoreError
from agent.store import engine as engines
from agent.store import schema, server, versions
from agent.store.location import has_store, is_ephemeral, may_write, path_of, place_new, require_writable
from agent.store.lock import FileLock

_KEY_BYTES = 32


class Database:
    """An engine, who may write to it, and the one place where transactions begin and end."""

    def __init__(
        self,
        engine: Engine,
        place: str,
        *,
        clock: Clock,
        write: bool,
        random_bytes: Callable[[int], bytes],
        path: Path | None,
    ) -> None:
        """Use :meth:`open`."""
        self._engine = engine
        self._place = place
        self._path = path
        self._clock = clock
        self._may_write = write
        self._random_bytes = random_bytes
        self._writer = threading.Lock()  # writers queue here instead of polling the database's own lock
        self._lock: FileLock | None = None
        self._suspect = False
        self._installation_key = b""

    @classmethod
    def open(
        cls, url: str, *, clock: Clock, write: bool = True, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> Self:
        """A store on ``sqlite:///FILE`` (made if missing) or ``postgresql://…``, or :class:`StoreError`."""
        path = path_of(url)
        if path is None:
            place, engine = server.shown(url), server.open_server(url)
            engine = engine if write else versions.readable(engine, place)
        else:
            place = str(path)
            engine = cls._open_file(path, write, random_bytes)
        store = cls(engine, place, clock=clock, write=write, random_bytes=random_bytes, path=path)
        try:
            with engines.converting(place):
                versions.bring_up(engine, place, path=path, write=write)
            store._installation_key = store._read_installation_key()
        except BaseException:
            store.close()
            raise
        return store

    @staticmethod
    def _open_file(path: Path, write: bool, random_bytes: Callable[[int], bytes]) -> Engine:
        exists = has_store(path)
        if write:
            require_writable(path)
            if not exists:
                place_new(path, versions.fresh_file(), random_bytes)
            elif not engines.has_log(path):
                # To make its log lasting rewrites a file's head, and this one may be somebody else's.
                with engines.converting(str(path)):
                    versions.require_ours(path)
            return engines.open_file(path, mode="rw", wal=True)
        if exists:
            return engines.open_file(path, mode="rw" if may_write(path) else "ro")
        return versions.empty_memory()

    def close(self) -> None:
        """Give back the lock and the connections. A closed store is not used again."""
        if self._lock is not None:
            self._lock.release()
        self._lock = None
        self._engine.dispose()

    def lock(self) -> None:
        """Keep every other agent off this file until :meth:`close` or death; :class:`StoreError` names the other.

        A server is shared by leases instead (``holding``): a lock of its sessions does not exclude behind a pooler.
        """
        if self._lock is None and self._path is not None:
            self._lock = FileLock(self._path)

    @property
    def installation_key(self) -> bytes:
        """32 random bytes of this store, the key of the hashes that stand for secrets. Never printed, never sent."""
        return self._installation_key

    @property
    def is_ephemeral(self) -> bool:
        """True when the store vanishes with the machine or container (warning ``store-ephemeral``)."""
        return self._path is not None and is_ephemeral(self._path)

    @contextmanager
    def _write(self, *, durable: bool = True, courtesy: bool = False) -> Iterator[Connection]:
        """One transaction, committed at the end of the block. Every write of this class goes through here.

        ``durable=False`` survives kill -9 but perhaps not a power loss. ``courtesy`` writes are allowed when reading.
        """
        if not (self._may_write or courtesy):
            raise StoreError(f"the state store {self._place} was opened for reading")
        with self._writer:
            try:
                with engines.converting(self._place), self._engine.connect() as connection:
                    if self._suspect:
                        self._verify(connection)
                    with nullcontext() if durable else engines.relaxed(connection):
                        connection = connection.execution_options(writes=True)
                        with connection.begin():
                            yield connection
            except StoreError as error:
                if (error.got or "").startswith("SQLITE_IOERR"):
                    self._suspect = True
                    self._engine.dispose()
                raise

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with engines.converting(self._place), self._engine.connect() as connection:
            yield connection

    def _courtesy(self) -> AbstractContextManager[None]:
        """Around a write that is a courtesy when reading: then its failure does not matter."""
        return nullcontext() if self._may_write else suppress(StoreError)

    def _verify(self, connection: Connection) -> None:
        """After an error of the disk nothing is written until SQLite finds its pages whole."""
        if not engines.is_sound(connection):
            raise StoreError(
                f"the state store {self._place} is damaged",
                fix="move it away; a new store is rebuilt from ownership marks and git",
            )
        connection.rollback()
        self._suspect = False

    def probe(self) -> None:
        """Write down something that says nothing: :class:`StoreError` when nothing can be written any more."""
        word = repr(self._clock.now()).encode()  # another one each time: SQLite writes no page for the same
        with self._write(durable=False) as connection:
            # Not deleted and inserted: of two programs that do so at a time on a server one would fail.
            found = connection.execute(update(schema.meta).where(schema.meta.c.name == "probe").values(value=word))
            if found.rowcount == 0:
                connection.execute(insert(schema.meta), {"name": "probe", "value": word})

    def query(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a SELECT with ``:name`` parameters (``agent.store.status.Query``)."""
        with self._read() as connection:
            return engines.raw_rows(connection, text(sql).bindparams(**values))

    def _read_installation_key(self) -> bytes:
        query = select(schema.meta.c.value).where(schema.meta.c.name == "installation_key")
        with self._read() as connection:
            found = connection.execute(query).scalar()
        if found is None and self._may_write:
            with self._write() as connection:
                server.take_turns(connection, "installation key")
                found = connection.execute(query).scalar()  # another program may have been first
                if found is None:
                    found = self._random_bytes(_KEY_BYTES)
                    connection.execute(insert(schema.meta), {"name": "installation_key", "value": found})
        return found or self._random_bytes(_KEY_BYTES)
