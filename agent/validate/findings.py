"""The problems of one document, each with its line and column.

Positions cost a second, slower parse of the file, so they are read only when the first problem is reported. Used by
every check of a document; the path of the file is filled in later, where it is known.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Literal

from agent import yaml_io
from agent.errors import Problem, ProblemList, Severity, Where
from agent.model.canonical import to_json

SHOWN_MAX = 200


class Findings:
    """Collects problems of the document number ``document`` of ``source``; ``subject`` is set once it is known."""

    def __init__(self, source: bytes, document: yaml_io.Document, into: ProblemList) -> None:
        self._source = source
        self._document = document
        self._into = into
        self._positions: yaml_io.Positions | None = None
        self.subject: str | None = None
        self.wrong: set[str] = set()  # pointers of errors: what else is wrong there follows from them

    def add(
        self,
        pointer: str,
        code: str,
        what: str,
        *,
        on: Literal["key", "value"] = "value",
        got: Any = None,
        shown: str | None = None,
        why: str | None = None,
        fix: str | None = None,
        severity: Severity = "error",
    ) -> None:
        """Report at a place of the document. ``got`` is a JSON value, ``shown`` one that is text already.

        Never hand in the value of a secret leaf.
        """
        if severity == "error":
            self.wrong.add(pointer)
        line, column = self.place(pointer, on)
        if got is not None:
            shown = as_shown(got)
        self._into.add(Problem(code, what, Where("", line, column), self.subject, shown, why, fix, severity))

    def leave_out(self, count: int) -> None:
        """So many more errors are there, which nobody looked at one by one."""
        self._into.dropped += count

    @property
    def failed(self) -> bool:
        return bool(self.wrong)

    def place(self, pointer: str, on: Literal["key", "value"] = "value") -> tuple[int, int]:
        """Line and column, both from 1."""
        if pointer == "":
            return self._document.line, self._document.column
        if self._positions is None:
            self._positions = yaml_io.positions(self._source, self._document.index)
        return self._positions.key(pointer) if on == "key" else self._positions.value(pointer)


def as_shown(value: Any) -> str:
    """A value as JSON text, cut to what an error line bears."""
    text = to_json(value).decode()
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"


def nearest(word: Any, known: Iterable[str]) -> str | None:
    """``did you mean …`` for a word that is close to a known one."""
    if not isinstance(word, str):
        return None
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    if not close:
        folded = {name.casefold(): name for name in known}
        close = [folded[word.casefold()]] if word.casefold() in folded else []
    return f"did you mean `{close[0]}`?" if close else None


def one_of(known: Iterable[str]) -> str:
    """A list for a ``fix`` line."""
    return "one of " + ", ".join(sorted(known))
