"""A session of PostgreSQL that does not wait for ever. Called by ``server``, which imports it with the driver.

A server that is cut off is noticed by the kernel (``tcp_user_timeout``). One that stands still, or a box between that
keeps connections and lost its way, takes what is said and says nothing: no error of the network ever comes, and whoever
waits could not even end. Here the wait has an end, and the session with it. Those who come right after somebody has
waited in vain are told so at once: an agent that is told to stop has several things to say to its store, one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from psycopg import Connection, OperationalError

ANSWER_SECONDS = 12.0
"""Longer than a lock is waited for, and well within the grace that a container is given to end."""
_IN_VAIN_SECONDS = 1.0


class PatientConnection(Connection[Any]):
    """Each statement is answered within ``patience``, or the session is over: :class:`psycopg.OperationalError`."""

    patience = ANSWER_SECONDS
    in_vain: Callable[[], object] = staticmethod(lambda: None)

    def wait(self, gen: Generator[Any, Any, Any], *words: Any, **more: Any) -> Any:
        return super().wait(self._until(gen, time.monotonic() + self.patience), *words, **more)

    def _until(self, gen: Generator[Any, Any, Any], end: float) -> Generator[Any, Any, Any]:
        """The same steps; the driver comes by every tenth of a second, with nothing if nothing has come."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= end:
                    self.pgconn.finish()
                    self.in_vain()
                    raise OperationalError(f"no answer within {self.patience:g} s")
                wanted = gen.send(ready)
        except StopIteration as over:
            return over.value


class Door:
    """Where the sessions of one engine are begun."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def connect(self, dialect: Any, record: Any, words: Sequence[Any], more: Mapping[str, Any]) -> PatientConnection:
        """A session, or OperationalError; at once where somebody has just waited for one in vain."""
        if time.monotonic() < self._closed_until:
            raise OperationalError("the server did not answer a moment ago")
        try:
            made = PatientConnection.connect(*words, **more)
        except OperationalError:
            self._close()
            raise
        made.in_vain = self._close
        return made

    def _close(self) -> None:
        self._closed_until = time.monotonic() + _IN_VAIN_SECONDS
