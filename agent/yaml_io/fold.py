"""Folds libyaml's events into JSON values: one fast loop under budgets, without recursion and without positions.

``load`` is called for every manifest, configuration, definition and YAML reply. What ``simple`` reads
needs no parser. Where something is wrong the event's own mark gives the place; the first place of a duplicate key is
found by a second parse (``places.py``). Nothing here calls PyYAML's composer or constructor: they recurse, keep the
last of two keys and expand merge bombs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from yaml import YAMLError
from yaml.cyaml import CParser
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from agent.errors import Problem
from agent.yaml_io import faults
from agent.yaml_io.budget import MANIFEST_BUDGET, Budget, Document, Loaded
from agent.yaml_io.places import duplicates
from agent.yaml_io.rare import Rare, Stop
from agent.yaml_io.scalars import WORDS
from agent.yaml_io.screen import place, screen
from agent.yaml_io.simple import read as read_simple
from agent.yaml_io.syntax import syntax_problem

_SOPS_VALUE = "ENC[AES256_GCM,"
# An anchor, an alias or a tag may begin only here; a text without such a place needs none of the rarer checks.
_INDICATOR = re.compile(r"[&*!](?<![^\s,\[{:].)(?:(?<=!)|[0-9A-Za-z_-])")


def load(source: bytes, budget: Budget = MANIFEST_BUDGET) -> Loaded:
    """Read all documents of a text. Bad input never raises: it gives problems, each with line and column.

    A syntax fault or an exceeded budget ends reading; the documents before it are returned. A fault of meaning
    (duplicate key, tag, merge key, number) marks its document ``broken`` and reading goes on.
    """
    text, problems = screen(source, budget)
    if problems:
        return Loaded((), problems)
    simple = read_simple(text, budget)
    return parsed(text, budget) if simple is None else Loaded(simple, ())


def parsed(text: str, budget: Budget = MANIFEST_BUDGET) -> Loaded:
    """What libyaml makes of a text that passed the screen."""
    folder, last = _folded(text, budget)
    if isinstance(last, YAMLError) and "nesting depth" in str(last):
        # libyaml gives up at a depth of its own (1,000 in PyYAML 6.0.4), before it has told of the first level. Cut
        # there, the text shows the level at which our budget ends.
        folder, cut = _folded(text[: last.problem_mark.index], budget)
        last = cut if isinstance(cut, Problem) else last
    return folder.finish(syntax_problem(last, text) if isinstance(last, YAMLError) else last)


def _folded(text: str, budget: Budget) -> tuple[_Folder, Problem | YAMLError | None]:
    """One run, and what ended it before the end of the text."""
    folder = _Folder(text, budget)
    try:
        folder.run()
    except Stop as stop:
        return folder, stop.problem
    except YAMLError as error:
        return folder, error
    return folder, None


def _is_rich(text: str, budget: Budget) -> bool:
    """Must each scalar be looked at closely: for tags, anchors, length, and blanks that the eye takes for others?"""
    if "\t" in text or "\u00a0" in text or len(text) > budget.scalar:
        return True
    return ("&" in text or "*" in text or "!" in text) and _INDICATOR.search(text) is not None


class _Folder:
    """One run over one text. ``run`` is the hot loop; the methods of :class:`Rare` serve what is seldom met."""

    def __init__(self, text: str, budget: Budget) -> None:
        self._text = text
        self._budget = budget
        self._get: Callable[[], Any] = CParser(text).get_event
        self._rare = Rare(text, budget, self._get)
        self._documents: list[Document] = []
        self._start: Any = None
        self._empty = False

    def finish(self, last: Problem | None) -> Loaded:
        """The documents and all problems, in the order of their places."""
        rare = self._rare
        if last is not None:
            rare.report(last)
        if rare.repeated:
            for problem in duplicates(self._text, rare.errors.limit, len(self._documents) + 1):
                rare.errors.add(problem)
        if not rare.errors.problems and not rare.warnings.problems:
            return Loaded(tuple(self._documents), ())
        problems = {(problem.code, problem.where): problem for problem in rare.warnings.problems}
        problems.update({(problem.code, problem.where): problem for problem in rare.errors.problems})
        ordered = sorted(problems.values(), key=lambda found: (found.where.line or 0, found.where.column or 0))
        return Loaded(tuple(self._documents), tuple(ordered))

    def run(self) -> None:  # one long function: a call for each event would be a fifth of the load time
        get, rare, budget = self._get, self._rare, self._budget
        left, depth, digits = budget.nodes, budget.depth, budget.number
        rich = _is_rich(self._text, budget)
        sequence: list[Any] = []
        mapping: dict[str, Any] | None = None
        stack: list[Any] = []
        key = ""
        value: Any
        while True:
            event = get()
            kind = event.__class__
            if mapping is not None:
                if kind is ScalarEvent:
                    key = event.value
                    if rich or key < "=" or key in WORDS:
                        rare.key(event)
                    if key in mapping:
                        rare.repeated = rare.broken = True
                    event = get()
                    kind = event.__class__
                elif kind is MappingEndEvent:
                    if rich:
                        rare.close(len(stack), mapping, left)
                    parent = stack.pop()
                    if parent.__class__ is dict:
                        mapping = parent
                    else:
                        mapping, sequence = None, parent
                    continue
                else:
                    rare.complex_key(event)
                    continue
            elif kind is SequenceEndEvent:
                if rich:
                    rare.close(len(stack), sequence, left)
                parent = stack.pop()
                if parent.__class__ is dict:
                    mapping = parent
                else:
                    sequence = parent
                continue
            elif not stack:
                if kind is DocumentStartEvent:
                    event = self._start_document(event)
                    kind = event.__class__
                elif kind is DocumentEndEvent:
                    self._end_document(sequence.pop(), event)
                    continue
                elif kind is StreamEndEvent:
                    return
                else:
                    continue
            left -= 1
            if left < 0:
                raise Stop(rare.too_many(event))
            if kind is ScalarEvent:
                value = event.value
                if rich:
                    value = rare.scalar(event)
                elif (value < ":" or value in WORDS) and not event.style:
                    if value >= "1" and value.isdecimal() and value.isascii() and len(value) <= digits:
                        value = int(value)  # most numbers: both versions of YAML read these digits alike
                    else:
                        value = rare.plain(event)
                if mapping is not None:
                    mapping[key] = value
                else:
                    sequence.append(value)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= depth:
                    raise Stop(faults.depth(event.start_mark, budget))
                value = {} if kind is MappingStartEvent else []
                if mapping is not None:
                    mapping[key] = value
                    stack.append(mapping)
                else:
                    sequence.append(value)
                    stack.append(sequence)
                if rich:
                    rare.open(event, len(stack), left)
                if kind is MappingStartEvent:
                    mapping = value
                else:
                    mapping, sequence = None, value
            else:
                value, cost = rare.alias(event, len(stack))
                left -= cost
                if left < 0:
                    raise Stop(faults.expansion(event.start_mark, budget))
                if mapping is not None:
                    mapping[key] = value
                else:
                    sequence.append(value)

    def _start_document(self, start: Any) -> Any:
        """Begin a document and give the event of its root."""
        if len(self._documents) >= self._budget.documents:
            raise Stop(faults.documents(start.start_mark, self._budget))
        self._rare.begin()
        event = self._get()
        self._start = event.start_mark
        self._empty = event.__class__ is ScalarEvent and not event.value and not event.style and event.tag is None
        return event

    def _end_document(self, value: Any, end: Any) -> None:
        start, rare = self._start, self._rare
        found = self._text.find(_SOPS_VALUE, start.index, end.start_mark.index)
        if found >= 0:
            rare.report(faults.encrypted("the document is encrypted with sops", place(self._text, found), "sops"))
        count = len(self._documents)
        self._documents.append(Document(value, count, start.line + 1, start.column + 1, self._empty, rare.broken))
