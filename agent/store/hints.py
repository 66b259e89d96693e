"""Hints that another agent has left something to do: PostgreSQL's own notifications, heard in a session of their own.

Called by ``holding``. A hint carries nothing and may be lost: whoever waits for one looks once a second anyway. Behind
a pooler in transaction mode none is heard, and nothing else changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

CHANNEL = "datakeel"
_STEP_SECONDS = 1.0  # how soon it ends when it is told to
_AGAIN_SECONDS = 10.0


class Listener:
    """A thread that calls ``heard`` for each notification, until :meth:`close`. It comes back after the server does."""

    def __init__(self, engine: Engine, heard: Callable[[], object]) -> None:
        self._engine = engine
        self._heard = heard
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(timeout=2 * _STEP_SECONDS)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                self._session()
            except SQLAlchemyError:
                self._over.wait(_AGAIN_SECONDS)  # those who work tell of a server that is away

    def _session(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                self._hear(connection)
            finally:
                connection.invalidate()  # a session that listens is of no use to anybody else

    def _hear(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        driver: Any = connection.connection.driver_connection
        while not self._over.is_set():
            try:
                notes = list(driver.notifies(timeout=_STEP_SECONDS, stop_after=1))
            except driver.Error as error:
                raise SQLAlchemyError("the session has ended") from error
            if notes:
                self._heard()
