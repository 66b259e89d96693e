"""What the judge reads in the agent's store: plain rows, by SQL, without a word of the agent's code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A call that the journal knows. ``result`` is None while nobody knows its end; times are epoch seconds."""

    number: int
    pass_id: str
    workspace: str | None
    name: str
    action: str
    method: str
    uid: str
    server_id: str | None
    revision: str
    opened_at: float
    result: str | None
    note: str
    closed_at: float | None

    @property
    def place(self) -> tuple[str | None, str]:
        return self.workspace, self.name


_COLUMNS = "number, pass_id, scope, name, action, method, uid, server_id, revision, opened_at, result, note, closed_at"


class Books:
    """Reads of one store. The connection stays open: SQLite shows each query what is committed by then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open_rows(self) -> list[Row]:
        return self._rows("closed_at IS NULL", ())

    def rows_since(self, number: int) -> list[Row]:
        """Journal rows after ``number``, oldest first."""
        return self._rows("number > ?", (number,))

    def rows_of(self, numbers: Iterable[int]) -> list[Row]:
        wanted = [*numbers]
        return self._rows(f"number IN ({','.join('?' * len(wanted))})", wanted) if wanted else []

    def inventory(self) -> set[tuple[str | None, str]]:
        """(workspace, name) of what the agent says is its own."""
        return {(_workspace(scope), name) for scope, name in self._ask("SELECT scope, name FROM inventory", ())}

    def suspended(self, now: float) -> set[str]:
        """Selectors that a person suspended and nobody resumed."""
        query = "SELECT selector FROM suspension WHERE until IS NULL OR until > ?"
        return {selector for (selector,) in self._ask(query, (now,))}

    def digest(self) -> tuple[object, ...]:
        """All that a reading command must leave as it is."""
        return tuple(
            tuple(self._ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4", ()))
            for table in ("inventory", "applied", "tombstone", "journal")
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, where: str, values: Iterable[object]) -> list[Row]:
        found = self._ask(f"SELECT {_COLUMNS} FROM journal WHERE {where} ORDER BY number", values)
        return [
            Row(number, pass_id, _workspace(scope), name, *middle, result, note or "", closed_at)
            for number, pass_id, scope, name, *middle, result, note, closed_at in found
        ]

    def _ask(self, query: str, values: Iterable[object]) -> list[tuple[object, ...]]:
        if self._connection is None:
            self._connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
        return self._connection.execute(query, tuple(values)).fetchall()


def _workspace(scope: object) -> str | None:
    """The workspace in a scope's JSON text, ``[["workspace", "public"]]``."""
    return dict(json.loads(str(scope))).get("workspace")
