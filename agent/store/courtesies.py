"""What may be lost at any time, and what processes tell each other best effort: cached files, work begun, calls spent.

Between ``Holding`` and ``Operations``. Written also by those who only read, where the store lets them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from agent.errors import StoreError
from agent.model.manifest import CheckedFile
from agent.model.spending import Spent
from agent.model.summary import Summary
from agent.store import cache, ledger, summaries, work
from agent.store.holding import Holding


class Courtesies(Holding):
    """Part of ``Store``."""

    def checked(self, context: str, blobs: Sequence[str]) -> dict[str, CheckedFile]:
        """What is known of these blobs under this context, without specs."""
        now = self._clock.now()
        with self._read() as connection:
            found = cache.read(connection, context, blobs, cache.day_of(now))
        if found.touch:
            with suppress(StoreError), self._write(durable=False, courtesy=True) as connection:
                cache.touch(connection, context, found.touch, now)
        return found.files

    def put_checked(self, context: str, files: Mapping[str, CheckedFile]) -> None:
        """Keep these for the next pass; silently not, when the store cannot take them: reading goes on without."""
        if files:
            with suppress(StoreError), self._write(durable=False, courtesy=True) as connection:
                cache.write(connection, context, files, self._clock.now())

    def summary(self, target: str, context: str) -> summaries.Kept | None:
        """The target's manifests as they were put together last, in this context; None where that is not known."""
        with suppress(StoreError), self._read() as connection:
            return summaries.read(connection, target, context, self._clock.now())
        return None

    def put_summary(self, target: str, context: str, summary: Summary) -> None:
        """Keep it for the next process; silently not, when the store cannot take it."""
        with suppress(StoreError, TypeError), self._write(durable=False, courtesy=True) as connection:
            summaries.write(connection, target, context, summary, self._clock.now())

    def begun(self, context: str) -> dict[str, int]:
        """How often each piece of work of a context was begun, and never ended."""
        with self._read() as connection:
            return work.read(connection, context)

    def begin(self, context: str, what: str, times: int) -> None:
        """Written down before the work; silently not by a reader, or when the store cannot take it."""
        with suppress(StoreError), self._write(durable=False) as connection:
            work.put(connection, context, what, times)

    def ended(self, context: str, but: Collection[str]) -> None:
        """All that was begun of a context has come to an end, but these."""
        with suppress(StoreError), self._write(durable=False) as connection:
            work.remove(connection, context, but)

    def spent(self, credential: str, since: float) -> Spent:
        """What all processes spent since then, oldest first."""
        with self._read() as connection:
            return ledger.read(connection, credential, since)

    def spend(self, credential: str, at: float, calls: int, after: int = 0) -> Spent:
        """Write it down, and tell what others wrote after the row ``after``; who only reads is told in any case."""
        found = []
        with self._courtesy(), self._write(durable=False, courtesy=True) as connection:
            others = ledger.read_after(connection, credential, after, self._clock.now())
            found.append(Spent(others.rows, ledger.write(connection, credential, at, calls)))
        if not found:
            with self._read() as connection:
                found.append(ledger.read_after(connection, credential, after, self._clock.now()))
        return found[0]
