"""Checking files that may end the process: which one it was is on disk before the work, so that three deaths suffice.

Called by ``desired``. A file meets C code (libyaml, the schema engine), and what dies there raises nothing. Row L5 of
``design/fault-model.md``: after a death in the middle of many files they are checked one by one, each written down
first; a file that has taken the process along twice more is left alone, as a file that is wrong, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from agent.errors import Problem, Where
from agent.model.manifest import CheckedFile

_MANY = ""  # the name of the work of checking all that is new
_DEATHS_MAX = 2  # of one file, checked alone; the first was among others

QUARANTINED = CheckedFile(
    (),
    (
        Problem(
            "file-quarantined",
            "datakeel died each time that it checked this file, so it is left alone",
            Where("", 1, 1),
            why="it died three times; nothing that the file declares is created, changed or deleted",
            fix="change the file, or update datakeel: both are tried anew; and please report the file",
        ),
    ),
)


class Journal(Protocol):
    """The part of the store that remembers what was begun."""

    def begun(self, context: str) -> dict[str, int]: ...
    def begin(self, context: str, what: str, times: int) -> None: ...
    def ended(self, context: str) -> None: ...


class Attempts:
    """The files that one process is about to check. Without a journal nothing is remembered."""

    def __init__(self, journal: Journal | None, context: str, blobs: Iterable[str]) -> None:
        self._journal, self._context = journal, context
        self._times = journal.begun(context) if journal is not None else {}
        self.alone = bool(self._times)
        """Whether each file's verdict is kept before the next one is looked at."""
        # Who was never suspected first, so that a file that kills keeps nobody else from being checked.
        self.order = sorted(blobs, key=lambda blob: (self._times.get(blob, 0), blob))
        if journal is not None and self.order and not self.alone:
            journal.begin(context, _MANY, 1)

    def begin(self, blob: str) -> bool:
        """Whether the file may be checked; told to the disk before it is."""
        times = self._times.get(blob, 0)
        if times >= _DEATHS_MAX:
            return False
        if self._journal is not None and self.alone:
            self._journal.begin(self._context, blob, times + 1)
        return True

    def ended(self) -> None:
        """Every one has its verdict."""
        if self._journal is not None and self.order:
            self._journal.ended(self._context)
