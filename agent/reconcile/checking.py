"""Checking files that may end the process: which one it was is on disk before the work, so that three deaths suffice.

Called by ``desired``. A file meets C code (libyaml, the schema engine), and what dies there raises nothing. Row L5 of
``design/fault-model.md``: after a death in the middle of many files they are checked one by one, each written down
first; a file that has taken the process along twice more is left alone, as a file that is wrong, and the others go on.
A process can also be killed from outside in just those moments, three times: so one that has come through a pass
without the file tries it again, at most twice in all, and whoever is innocent is back after one pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from agent.errors import Problem, Where
from agent.model.manifest import CheckedFile

_MANY = ""  # the name of the work of checking all that is new
_DEATHS_MAX = 2  # of one file, checked alone; the first was among others
_TRIES_MAX = 4  # with those of processes that had come through a pass without it

QUARANTINED = CheckedFile(
    (),
    (
        Problem(
            "file-quarantined",
            "datakeel died each time that it checked this file, so it is left alone",
            Where("", 1, 1),
            why="it died three times or more; nothing that the file declares is created, changed or deleted",
            fix="change the file, or update datakeel: both are tried anew; and please report the file",
        ),
    ),
)


class Journal(Protocol):
    """The part of the store that remembers what was begun."""

    def begun(self, context: str) -> dict[str, int]: ...
    def begin(self, context: str, what: str, times: int) -> None: ...
    def ended(self, context: str, but: Collection[str]) -> None: ...


class Attempts:
    """The files that one process is about to check. Without a journal nothing is remembered.

    ``again``: files in quarantine without which this process has come through a pass.
    """

    def __init__(
        self, journal: Journal | None, context: str, blobs: Iterable[str], again: Collection[str] = ()
    ) -> None:
        self._journal, self._context, self._again = journal, context, again
        self._times = journal.begun(context) if journal is not None else {}
        self._refused: set[str] = set()
        self._tried: set[str] = set()
        self.alone = _MANY in self._times
        """Whether each file's verdict is kept before the next one is looked at."""
        # Who was never suspected first, so that a file that kills keeps nobody else from being checked.
        self.order = sorted(blobs, key=lambda blob: (self._times.get(blob, 0), blob))
        if journal is not None and self.order and not self.alone:
            journal.begin(context, _MANY, 1)

    def begin(self, blob: str) -> bool:
        """Whether the file may be checked; told to the disk before it is."""
        times = self._times.get(blob, 0)
        if times >= (_TRIES_MAX if blob in self._again else _DEATHS_MAX):
            self._refused.add(blob)
            return False
        self._tried.add(blob)
        if self._journal is not None and (self.alone or blob in self._again):
            self._journal.begin(self._context, blob, times + 1)
        return True

    def ended(self) -> frozenset[str]:
        """Every one has its verdict. Gives those in quarantine that this process may try when its pass is over."""
        if self._journal is not None and self.order:
            # Another target with the same context, or another part of this one's files, may have more in quarantine.
            deadly = {blob for blob, times in self._times.items() if blob and times >= _DEATHS_MAX}
            self._journal.ended(self._context, deadly - self._tried)
        return frozenset(blob for blob in self._refused if self._times[blob] < _TRIES_MAX)
