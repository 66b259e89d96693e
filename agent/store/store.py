"""The store: all that the agent remembers, handed to the steps that need it.

Opened by ``cli``'s wiring and by tests (``Store.open``). Each method is one transaction; all errors are
:class:`StoreError`. Never holds a secret value; blocks for milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from agent.clock import Clock
from agent.errors import StoreError
from agent.model.identity import Key
from agent.model.inventory import Decision, Intent, InventoryRow
from agent.model.outcome import Report
from agent.model.ownership import Word
from agent.model.suspension import Suspension
from agent.model.tracked import Tracked
from agent.store import (
    board,
    cache,
    decisions,
    history,
    inventory,
    journal,
    leases,
    ledger,
    ownership,
    server,
    summaries,
    suspensions,
)
from agent.store import memory as remembered
from agent.store.journal import OpenIntent
from agent.store.telling import Telling

_COMPACT_SECONDS = 86_400.0


class Store(Telling):
    """Inventory, journal, history, status, cache and ledger. Safe to call from several threads.

    Opened with ``write=False`` it changes nothing but what is only a courtesy to others: calls spent and checked files,
    best effort. Without a file it then behaves as an empty store in memory.
    """

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
        super().__init__(engine, place, clock=clock, write=write, random_bytes=random_bytes, path=path)
        self._damaged: dict[str, tuple[Key, ...]] = {}
        self._rows: dict[str, Tracked[Key, InventoryRow]] = {}
        self._rows_turn = threading.RLock()
        self._compacted_at: float | None = None
        self._assumed: dict[Key, InventoryRow] = {}
        self._assumed_applied: dict[Key, Mapping[str, Any]] = {}

    # ---- inventory

    def assume(self, rows: Iterable[InventoryRow], applied: Mapping[Key, Mapping[str, Any]]) -> None:
        """From now on be a store that knows these rows as well; nothing is written. For a look without any state."""
        self._rows = {}
        self._assumed |= {row.key: row for row in rows}
        self._assumed_applied |= applied

    def rows(self, target: str) -> Mapping[Key, InventoryRow]:
        """All rows of ``target`` whose checksum holds, as they are now; the others are told by :meth:`damaged_rows`.

        Where this process alone writes them it is a :class:`Tracked` of one line, which tells what has changed.
        """
        with self._rows_turn:
            known = self._rows.get(target)
            if known is not None:
                return known.snapshot()
            with self._read() as connection:
                rows, self._damaged[target] = inventory.read_rows(connection, target)
            if self._assumed:
                rows = {key: row for key, row in self._assumed.items() if key.target == target} | rows
            if self._is_alone(target) and not self._damaged[target]:
                known = self._rows[target] = Tracked(rows)
                return known.snapshot()
            return rows

    def damaged_rows(self, target: str) -> tuple[Key, ...]:
        """Keys, as far as they can be read, of rows that failed their checksum in the last :meth:`rows`.

        What they name may exist and may be ours: look at it, never act on it.
        """
        if target not in self._damaged:
            self.rows(target)
        return self._damaged[target]

    def applied(self, keys: Iterable[Key]) -> Mapping[Key, Mapping[str, Any]]:
        """The leaves last applied, by key; a key without readable leaves is left out."""
        keys = tuple(keys)
        with self._read() as connection:
            read = inventory.read_applied(connection, keys)
        assumed = self._assumed_applied
        return read if not assumed else {key: assumed[key] for key in keys if key in assumed} | dict(read)

    def put_rows(self, rows: Iterable[InventoryRow], applied: Mapping[Key, Mapping[str, Any]] | None = None) -> None:
        rows = tuple(rows)
        with self._changing_rows() as known, self._writing_all({row.key.target for row in rows}) as connection:
            inventory.write_rows(connection, rows)
            inventory.write_applied(connection, applied or {})
            _put(known, rows)

    def forget(self, key: Key, tombstone: bool) -> None:
        """Remove the row of ``key`` and its leaves; a tombstone tells for 30 days that it was ours and is gone."""
        with self._changing_rows() as known, self._writing(key.target) as connection:
            inventory.forget(connection, key, self._clock.now() if tombstone else None)
            if key.target in known:
                known[key.target].drop(key)

    def tombstones(self, target: str) -> dict[Key, float]:
        with self._read() as connection:
            since = self._clock.now() - inventory.TOMBSTONE_SECONDS
            return inventory.read_tombstones(connection, target, since)

    @contextmanager
    def _changing_rows(self) -> Iterator[dict[str, Tracked[Key, InventoryRow]]]:
        """What is remembered of rows, to be changed with them; it is forgotten unless the write surely happened.

        Rows are remembered only under the lock of the store: then this process alone writes them, and a pass that
        changes one of ten thousand need not read them all again.
        """
        with self._rows_turn:
            known, self._rows = self._rows, {}
            yield known
            self._rows = known

    # ---- journal

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        """Durable when this returns. ``row`` and ``applied`` are what is true if the call lands.

        Raises LeaseLost unless the call may still be sent when it returns: see ``holding``.
        """
        target = intent.key.target
        self.require_time(target)
        with self._writing(target) as connection:
            journal.open_intent(connection, replace(intent, epoch=self._epoch_of(target) or intent.epoch), row, applied)
        self.require_time(target)  # a commit may take long

    def sent(self, target: str, op_id: str) -> None:
        """The call of an open intent has left by now, or never will: its sender is done with it, or gone."""
        with self._writing(target) as connection:
            journal.sent(connection, op_id, self._clock.now())

    def close_intent(
        self,
        op_id: str,
        result: str,
        *,
        row: InventoryRow | None = None,
        applied: Mapping[str, Any] | None = None,
        forget: bool = False,
        note: str = "",
    ) -> bool:
        """Outcome and inventory in one transaction; ``forget`` removes the key's row and leaves a tombstone.

        False, with nothing written, when the intent is not open: another pass or agent closed it first.
        """
        with self._changing_rows() as known, self._write() as connection:
            at = self._clock.now()
            closed = journal.close_intent(
                connection,
                op_id,
                result,
                row=row,
                applied=applied,
                forget=forget,
                note=note,
                at=at,
                fence=self._fence,
            )
            if closed and forget:
                known.clear()  # the journal alone knows whose row it was
            elif closed and row is not None:
                _put(known, (row,))
            return closed

    def open_intents(self, target: str) -> tuple[OpenIntent, ...]:
        """In the order in which they were opened."""
        with self._read() as connection:
            return journal.read_open_intents(connection, target, self._place)

    def decide(self, decision: Decision) -> None:
        """Keep a person's word on an open intent; the next recovery heeds it."""
        with self._write() as connection:
            decisions.put(connection, decision)

    def decision(self, op_id: str) -> Decision | None:
        with self._read() as connection:
            return decisions.read(connection, op_id)

    # ---- history and status

    def finish(
        self,
        report: Report,
        document: Mapping[str, Any],
        status: Mapping[str, Any],
        *,
        memory: Mapping[str, Any] | None = None,
        waiting: Mapping[str, Any] | None = None,
        history_max: int = history.HISTORY_MAX,
    ) -> bool:
        """Keep the pass: a row of history if it did something, a count if not, and the target's ``status``.

        ``document``, ``status`` and ``waiting`` are redacted JSON, ``memory`` is what :meth:`target_memory` is to give;
        None leaves what is there. Old rows of all tables are dropped once a day on the way.
        """
        with self._writing(report.target) as connection:
            recorded = history.write_pass(connection, report, document, status, history_max=history_max)
            board.write(connection, report.target, report.finished_at, history.result_word(report), waiting)
            if memory is not None:
                remembered.write(connection, report.target, memory)
            now = self._clock.now()
            if self._compacted_at is None or not 0 <= now - self._compacted_at < _COMPACT_SECONDS:
                self._compact(connection, now, journal.CLOSED_MAX, cache.FILES_MAX)
            return recorded

    def compact(self, *, closed_max: int = journal.CLOSED_MAX, files_max: int = cache.FILES_MAX) -> None:
        """Drop closed intents, tombstones, cached files and spending that are old, or too many."""
        with self._write() as connection:
            self._compact(connection, self._clock.now(), closed_max, files_max)

    def _begin_turn(self, target: str) -> None:
        with self._rows_turn:
            self._rows.pop(target, None)
            self._damaged.pop(target, None)

    @contextmanager
    def _writing_all(self, targets: Iterable[str]) -> Iterator[Connection]:
        with self._write() as connection:
            for target in sorted(targets):
                self._fence(connection, target)
            yield connection

    def _compact(self, connection: Connection, now: float, closed_max: int, files_max: int) -> None:
        server.take_turns(connection, "compaction")
        journal.compact(connection, now, closed_max)
        inventory.drop_tombstones(connection, now - inventory.TOMBSTONE_SECONDS)
        decisions.drop(connection, now - inventory.TOMBSTONE_SECONDS)
        cache.compact(connection, now, files_max)
        summaries.compact(connection, now)
        ledger.compact(connection, now)
        self._compact_operations(connection, now)
        self._compacted_at = now

    # ---- what a target keeps between passes

    def target_memory(self, target: str) -> Mapping[str, Any]:
        """Empty for a target that was never remembered."""
        try:
            with self._read() as connection:
                return remembered.read(connection, target)
        except ValueError as error:
            raise StoreError(f"the memory of target {target} in the state store {self._place} is damaged") from error

    def remember_target(self, target: str, memory: Mapping[str, Any]) -> None:
        with self._writing(target) as connection:
            history.ensure_target(connection, target)
            remembered.write(connection, target, memory)

    def set_back(self, targets: Iterable[str], words: Mapping[str, Any]) -> None:
        """What was written last is lost: leases end, all rows count as never seen, ``words`` join each memory.

        One transaction: a pass that is under way elsewhere commits nothing more. Raises StoreError.
        """
        with self._changing_rows() as known, self._write() as connection:
            known.clear()
            leases.depose(connection, self._on_time(connection), self._held.clock)
            for target in targets:
                history.ensure_target(connection, target)
                remembered.write(connection, target, {**remembered.read(connection, target), **words})
                rows, _ = inventory.read_rows(connection, target)
                inventory.write_rows(connection, [replace(row, seen_at=None) for row in rows.values()])

    # ---- suspensions: a person's, whatever an agent does meanwhile

    def suspensions(self, target: str) -> tuple[Suspension, ...]:
        """Those in force now."""
        with self._read() as connection:
            return suspensions.read(connection, target, self._clock.now())

    def suspend(self, suspension: Suspension) -> None:
        with self._write() as connection:
            suspensions.put(connection, suspension)

    def resume(self, target: str, selector: str | None) -> int:
        """How many suspensions were ended; ``selector`` None ends all of the target."""
        with self._write() as connection:
            return suspensions.remove(connection, target, selector)

    # ---- words on whose an object is: a person's, too

    def words(self, target: str) -> dict[Key, Word]:
        """What was said and is not settled yet."""
        with self._read() as connection:
            return ownership.read(connection, target)

    def say(self, words: Sequence[Word]) -> None:
        with self._write() as connection:
            ownership.put(connection, words)

    def settle(self, words: Sequence[Word]) -> None:
        """These have been heeded."""
        with self._writing_all({word.key.target for word in words}) as connection:
            ownership.remove(connection, words)


def _put(known: dict[str, Tracked[Key, InventoryRow]], rows: Iterable[InventoryRow]) -> None:
    for row in rows:
        if row.key.target in known:
            known[row.key.target].put(row.key, row)
