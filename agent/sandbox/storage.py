"""Where the world survives a restart: one SQLite file, each commit durable before its request is answered.

Called by :mod:`agent.sandbox.world` only. A killed server loses nothing that it had acknowledged; a power cut is not
what a sandbox has to survive, hence `synchronous=NORMAL`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Key = tuple[str, str, str, str]
"""Platform, type, scope ("" for none) and name."""

_TABLES = """
CREATE TABLE IF NOT EXISTS records (
  platform TEXT, type TEXT, scope TEXT, name TEXT, record TEXT NOT NULL, PRIMARY KEY (platform, type, scope, name));
CREATE TABLE IF NOT EXISTS commits (number INTEGER PRIMARY KEY, line TEXT NOT NULL);
"""


class Storage:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    def records(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Oldest first."""
        rows = self._connection.execute("SELECT platform, type, scope, name, record FROM records ORDER BY rowid")
        for platform, type_name, scope, name, record in rows:
            yield (platform, type_name, scope, name), json.loads(record)

    def commits(self) -> Iterator[dict[str, Any]]:
        for (line,) in self._connection.execute("SELECT line FROM commits ORDER BY number"):
            yield json.loads(line)

    def write(
        self, key: Key, record: Mapping[str, Any] | None, number: int = 0, commit: Mapping[str, Any] | None = None
    ) -> None:
        """Set a record (None removes it) and add the commit that did so, in one transaction."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            if record is None:
                execute("DELETE FROM records WHERE platform=? AND type=? AND scope=? AND name=?", key)
            else:
                execute(
                    "INSERT INTO records VALUES (?,?,?,?,?) "
                    "ON CONFLICT (platform, type, scope, name) DO UPDATE SET record=excluded.record",
                    (*key, json.dumps(record)),
                )
            if commit is not None:
                execute("INSERT INTO commits VALUES (?,?)", (number, json.dumps(commit)))
        except sqlite3.Error:
            execute("ROLLBACK")
            raise
        execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
