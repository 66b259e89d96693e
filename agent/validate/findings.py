"""The problems of one document, each with its line and column.

Positions cost a second, slower parse of the file, so they are read only when the first problem is reported. Used by
every check of a document. The path of the file is filled in later, where it is known, and so is the place of a
variable's value, which is another with each edit of the configuration.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from agent import yaml_io
from agent.errors import Problem, ProblemList, Severity, Where
from agent.model.canonical import to_json
from agent.validate.origins import On, Origin, Text, variable_place
from agent.validate.pointers import Tokens, split

SHOWN_MAX = 200


class Findings:
    """Collects problems of the document number ``document`` of ``source``; ``subject`` is set once it is known.

    ``uses`` are the places that variables were put into. ``origin`` is that of a document that overlays changed, whose
    values have places in several files; a place without a path is one of the file that is being checked.
    """

    def __init__(
        self,
        source: bytes,
        document: yaml_io.Document,
        into: ProblemList,
        uses: Mapping[Tokens, tuple[str, ...]] | None = None,
        origin: Origin | None = None,
    ) -> None:
        self._source = source
        self._document = document
        self._into = into
        self._uses = uses
        self._origin = origin
        self.rendered = bool(uses) or origin is not None
        self.subject: str | None = None
        self.wrong: set[str] = set()  # pointers of errors: what else is wrong there follows from them
        self.failed_before = False

    def add(
        self,
        pointer: str,
        code: str,
        what: str,
        *,
        on: On = "value",
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
        if got is not None:
            shown = as_shown(got)
        also = self._also(pointer, what) if self.rendered else ()
        self._into.add(Problem(code, what, self.where(pointer, on), self.subject, shown, why, fix, severity, also))

    def add_at(self, where: Where, code: str, what: str, *, got: str | None = None, fix: str | None = None) -> None:
        """Report an error of what was rendered into the document, at the place where a person wrote it."""
        self.failed_before = True
        also = (Where("", self._document.line, self._document.column),)
        self._into.add(Problem(code, what, where, self.subject, got, fix=fix, also=also))

    def leave_out(self, count: int) -> None:
        """So many more errors are there, which nobody looked at one by one."""
        self._into.dropped += count

    def over(self, origin: Origin, base: str) -> Findings:
        """Findings of the same manifest once overlays have changed it; pointers are those of the rendered document.

        What was wrong before stays so; ``base`` is where the spec stood, which is at ``/spec`` now.
        """
        found = Findings(self._source, self._document, self._into, self._uses, origin)
        found.subject, found.failed_before = self.subject, self.failed_before
        found.wrong = {pointer if base else f"/spec{pointer}" for pointer in self.wrong}
        return found

    @property
    def failed(self) -> bool:
        return self.failed_before or bool(self.wrong)

    def where(self, pointer: str, on: On = "value") -> Where:
        """Line and column, both from 1."""
        if pointer == "":
            return Where("", self._document.line, self._document.column)
        text, place = self._from.find(split(pointer))
        return text.where(place, on)

    def variables(self, pointer: str) -> tuple[str, ...]:
        """The variables that made what stands at a place."""
        text, place = self._from.find(split(pointer))
        return text.variables(place)

    @property
    def _from(self) -> Origin:
        if self._origin is None:
            self._origin = Origin(Text("", self._source, self._document, self._uses), ())
        return self._origin

    def _also(self, pointer: str, what: str) -> tuple[Where, ...]:
        """Where the variables of a place have their values, and where an overlay took away what the sentence misses."""
        gone = self._from.removed_at(split(pointer))
        removers = [text.where(place) for key, (text, place) in gone.items() if key in what]
        return (*map(variable_place, self.variables(pointer)), *removers)


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
