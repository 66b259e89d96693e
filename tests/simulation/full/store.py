"""The agent's real store on a disk that fails: its points of death say what was being written, and commits may fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.store.store import Store
from tests.simulation.full.life import Life

_SAYS = {
    "SQLITE_FULL": "database or disk is full",
    "SQLITE_BUSY": "database is locked",
    "SQLITE_IOERR": "disk I/O error",
}
ROWS = {"SQLITE_FULL": "S2", "SQLITE_BUSY": "S1", "SQLITE_IOERR": "S3"}


@dataclass
class Trouble:
    """``commits`` of the next ones fail, after ``skip`` that do not."""

    code: str
    commits: int
    skip: int = 0


class FailingStore(Store):
    """``life`` and ``reached`` are set once it is open; ``trouble`` while its disk fails."""

    life: Life | None = None
    trouble: Trouble | None = None
    reached: Callable[[str], None] = staticmethod(lambda row: None)
    acts_on: Callable[[str], None] = staticmethod(lambda commit: None)
    """Told the revision for which a call is about to be sent."""
    doing = ""
    action = ""
    """Of the intent that was opened last."""

    def open_intent(self, intent: Any, row: Any, applied: Any) -> None:
        if self.life is not None and self.life.stopped:
            self.life.broken.append(f"K14: the {intent.action} of {intent.key} began after the agent was told to stop")
        self.doing, self.action = "intent", intent.action
        self.acts_on(intent.revision)
        super().open_intent(intent, row, applied)

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        self.doing = "outcome"
        return super().close_intent(op_id, result, **words)

    def finish(self, *arguments: Any, **words: Any) -> bool:
        self.doing = "pass"
        return super().finish(*arguments, **words)

    @contextmanager
    def _write(self, *arguments: Any, **words: Any) -> Iterator[Any]:
        doing, self.doing = self.doing or "other", ""
        with super()._write(*arguments, **words) as connection:
            yield connection
            if self.life is not None:
                self.life.point(f"commit {doing}")
                self._fail()
        if self.life is not None:
            self.life.point(f"committed {doing}")

    def _fail(self) -> None:
        trouble = self.trouble
        if trouble is None:
            return
        if trouble.skip > 0:
            trouble.skip -= 1
            return
        trouble.commits -= 1
        if trouble.commits <= 0:
            self.trouble = None
        self.reached(ROWS[trouble.code])
        error = sqlite3.OperationalError(_SAYS[trouble.code])
        error.sqlite_errorname = trouble.code
        raise error


def spoil(path: Path, pick: float) -> bool:
    """One byte of one row of the inventory is not what it was (S4). False where there is no row."""
    with sqlite3.connect(path) as connection:
        keys = connection.execute(
            "SELECT target, kind, scope, name, body FROM inventory ORDER BY 1, 2, 3, 4"
        ).fetchall()
        if not keys:
            return False
        *key, body = keys[int(pick * len(keys))]
        place = int(pick * 1000) % len(body)
        rotten = body[:place] + bytes([body[place] ^ 4]) + body[place + 1 :]
        where = "target = ? AND kind = ? AND scope = ? AND name = ?"
        connection.execute(f"UPDATE inventory SET body = ? WHERE {where}", (rotten, *key))
    connection.close()
    return True


def copy_of(path: Path) -> bytes:
    """All that is committed, as one file's bytes."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.serialize()
    finally:
        connection.close()


def put_back(path: Path, content: bytes) -> None:
    """The file is this one from now on; whoever still reads the old one keeps it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    fresh.replace(path)
