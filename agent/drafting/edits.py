"""Edits of a drafted ``platform.yaml``, line by line: a guess is confirmed, a mark taken away, a value corrected.

Called by ``probe --write``. Only what still stands as it was drafted is touched; everything else stays, byte for byte.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent import yaml_io
from agent.drafting.model import CUTS, MARKER, UNSEEN_READ, Confidence, Path
from agent.drafting.text import flow

_COMMENT = re.compile(rf"#\s*{MARKER} (high|medium|low): (.*)$")
_KIND = re.compile(r"  ([A-Z][A-Za-z0-9]*):")
_CUTS = re.compile(rf"([A-Za-z0-9_.\[\]-]+) {CUTS}")
_MARK = f"unverified: {UNSEEN_READ}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A guess that nobody has confirmed yet, at a line and column (from 1); ``kind`` None at the top."""

    line: int
    column: int
    kind: str | None
    confidence: Confidence
    reason: str


def standing(text: str) -> Iterator[Standing]:
    """The guesses whose comments stand in a definition."""
    kind = None
    for number, line in enumerate(text.split("\n"), 1):
        head = _KIND.match(line)
        kind = head[1] if head else None if line[:1].strip() and not line.startswith("#") else kind
        found = _COMMENT.search(line)
        if found is not None:
            confidence: Any = found[1]
            yield Standing(number, found.start() + 1, kind, confidence, found[2].strip())


def cutters(text: str) -> dict[str, str]:
    """Parameters that cut the list of a kind, as the guesses in a definition tell them."""
    found = {}
    for one in standing(text):
        told = _CUTS.search(one.reason)
        if told is not None and one.kind is not None:
            found[one.kind] = told[1]
    return found


class Edits:
    """The lines of one file, with the places of its words. Places are those of the file as it was read."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._gone: set[int] = set()
        documents = yaml_io.load(text.encode(), yaml_io.CONFIG_BUDGET).documents
        self._value = documents[0].value if documents else None
        self._places = yaml_io.positions(text.encode(), 0, yaml_io.CONFIG_BUDGET)
        self.changed: set[int] = set()

    @property
    def text(self) -> str:
        return "\n".join(line for number, line in enumerate(self._lines) if number not in self._gone)

    def value_of(self, path: Path) -> Any:
        """What a word says; None where it is not written."""
        value = self._value
        for word in path:
            value = value.get(word) if isinstance(value, dict) else None
        return value

    def line_of(self, path: Path) -> int:
        """The line (from 1) of a word, or of the nearest one above it."""
        return self._places.key(_pointer(path))[0]

    def confirm(self, path: Path) -> bool:
        """Take away the comment that calls a word a guess; False where none stands any more."""
        at = self.line_of(path) - 1
        own = _COMMENT.search(self._lines[at])
        if own is not None and _speaks_of(own[2], path, alone=True):
            self._set(at, self._lines[at][: own.start()].rstrip())
            return True
        head = self.line_of(path[:-1]) - 1 if len(path) > 3 else at
        for line in (head - 1, at - 1):
            while line >= 0 and line not in self._gone and self._lines[line].lstrip().startswith("#"):
                found = _COMMENT.search(self._lines[line])
                if found is not None and _speaks_of(found[2], path, alone=len(path) <= 3):
                    self._gone.add(line)
                    self.changed.add(line + 1)
                    return True
                line -= 1
        return False

    def lift(self, path: Path) -> bool:
        """Take away ``unverified`` of an operation that is marked as it was drafted."""
        at = self.line_of((*path, "unverified")) - 1
        line = self._lines[at]
        for text in (f", {_MARK}", f"{_MARK}, "):
            if text in line:
                self._set(at, line.replace(text, "", 1))
                return True
        if line.strip() == _MARK:
            self._gone.add(at)
            self.changed.add(at + 1)
            return True
        return False

    def replace(self, path: Path, old: Any, new: Any) -> bool:
        """Another value of a word, where the drafted one stands on its line exactly once."""
        return self.exchange(path, f"{path[-1]}: {flow(old)}", f"{path[-1]}: {flow(new)}")

    def insert(self, word: str, value: Any, after: str) -> bool:
        """A word at the top that is not written yet, on a line of its own behind another one's."""
        if self.value_of((word,)) is not None:
            return False
        at = self.line_of((after,)) - 1
        self._set(at, f"{self._lines[at]}\n{word}: {flow(value)}")
        return True

    def exchange(self, path: Path, old: str, new: str) -> bool:
        """Other words in place of some on the line of a word, where they stand exactly once."""
        at = self.line_of(path) - 1
        if self._lines[at].count(old) != 1:
            return False
        self._set(at, self._lines[at].replace(old, new))
        return True

    def _set(self, at: int, line: str) -> None:
        self._lines[at] = line
        self.changed.add(at + 1)


def _speaks_of(reason: str, path: Path, *, alone: bool) -> bool:
    """Whether a comment speaks of a word: by its name, or as the only one beside it."""
    word, colon, _ = reason.partition(": ")
    if colon and word == path[-1]:
        return True
    return alone and not (colon and re.fullmatch(r"[a-zA-Z]+", word) is not None and len(path) > 3)


def _pointer(path: Sequence[str]) -> str:
    return "".join("/" + word.replace("~", "~0").replace("/", "~1") for word in path)
