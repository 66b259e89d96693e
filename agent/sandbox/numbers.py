"""Numbers for a platform that gives its records ids: never one twice, not after a delete, not after a restart.

Used by the platforms whose ids are numbers, or words with a number in them.
"""

from __future__ import annotations

from agent.sandbox.shelf import Shelf


class Numbers:
    """`before_first` is the number before the first one."""

    def __init__(self, shelf: Shelf, before_first: int = 100) -> None:
        self._shelf = shelf
        self._before_first = before_first

    def next(self) -> int:
        record = self._shelf.get("sequence", "", "number")
        number = (self._before_first if record is None else int(record["last"])) + 1
        self._shelf.keep("sequence", "", "number", {"last": number})
        return number
