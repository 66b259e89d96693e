"""A session of PostgreSQL that does not wait for ever. Called by ``server``, which imports it with the driver.

A server that is cut off is noticed by the kernel (``tcp_user_timeout``). One that stands still, or a box between that
keeps connections and lost its way, takes what is said and says nothing: no error of the network ever comes, and whoever
waits could not even end. Here the wait has an end, and the session with it.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from psycopg import Connection, OperationalError

ANSWER_SECONDS = 22.0
"""Longer than the server itself lets a write take, shorter than the grace that a container is given to end."""


class PatientConnection(Connection[Any]):
    """Each statement is answered within ``patience``, or the session is over: :class:`psycopg.OperationalError`."""

    patience = ANSWER_SECONDS

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
                    raise OperationalError(f"no answer within {self.patience:g} s")
                wanted = gen.send(ready)
        except StopIteration as over:
            return over.value
