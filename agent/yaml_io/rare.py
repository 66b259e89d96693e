"""What the builder seldom meets: anchors, aliases, tags, numbers, odd keys. Keeps the problems of a run.

Called by ``fold.py`` only. It gives values and reports problems; it does not build collections.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from agent.errors import Problem, ProblemList
from agent.model.secret_names import speaks_of_secrets
from agent.yaml_io import faults
from agent.yaml_io.budget import Budget
from agent.yaml_io.scalars import Mark, resolve
from agent.yaml_io.screen import place

_CORE: Final = "tag:yaml.org,2002:"
_TRAILING_TAB: Final = re.compile(r"\t[ \t]*(?:$|#)", re.MULTILINE)
_NO_BREAK_SPACE: Final = "\u00a0"
_STARTS: Final = (MappingStartEvent, SequenceStartEvent)
_ENDS: Final = (MappingEndEvent, SequenceEndEvent)


class Stop(Exception):
    """A budget is exceeded: reading ends here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class _Open:
    """An anchored collection that has not ended. ``deepest`` is the deepest level inside it so far."""

    __slots__ = ("deepest", "level", "name", "nodes_left")

    def __init__(self, name: str, level: int, nodes_left: int) -> None:
        self.name = name
        self.level = level
        self.deepest = level
        self.nodes_left = nodes_left


class Rare:
    """State of one run. ``broken``: the document in hand has an error; ``repeated``: some mapping has a key twice."""

    def __init__(self, text: str, budget: Budget, get: Callable[[], Any]) -> None:
        self.errors = ProblemList()
        self.warnings = ProblemList()
        self.broken = False
        self.repeated = False
        self._text = text
        self._budget = budget
        self._get = get
        # name -> (value, nodes, height); the open collection itself while an alias to it would be recursive
        self._anchors: dict[str, tuple[Any, int, int] | _Open] = {}
        self._open: list[_Open] = []
        self._aliases = 0

    def begin(self) -> None:
        """A new document: anchors do not reach across."""
        self.broken = False
        self._anchors.clear()
        self._open.clear()

    def report(self, problem: Problem) -> None:
        """Keep a problem; an error marks the document in hand."""
        if problem.severity == "error":
            self.errors.add(problem)
            self.broken = True
        else:
            self.warnings.add(problem)

    def _report_value(self, problem: Problem, mark: Any) -> None:
        """Keep a problem that quotes a value, unless its line speaks of a secret: then the value stays out."""
        start = max(self._text.rfind("\n", 0, mark.index) + 1, mark.index - 200)
        if speaks_of_secrets(self._text[start : mark.index]):
            problem = faults.without_value(problem)
        self.report(problem)

    def too_many(self, event: Any) -> Problem:
        """The problem when the nodes run out at an event."""
        fault = faults.expansion if self._aliases else faults.nodes
        return fault(event.start_mark, self._budget)

    def plain(self, event: Any) -> Any:
        """The value of a plain scalar without tag."""
        text: str = event.value
        value = resolve(text, self._budget.number)
        if not isinstance(value, Mark):
            return value
        if value is Mark.AMBIGUOUS:
            self._report_value(faults.ambiguous(event.start_mark, text), event.start_mark)
        else:
            self._report_value(faults.number(event.start_mark, text, value, self._budget), event.start_mark)
        return text

    def scalar(self, event: Any) -> Any:
        """The value of any scalar: length, tag and anchor are looked at."""
        if len(event.value) > self._budget.scalar:
            raise Stop(faults.scalar(event.start_mark, self._budget))
        if not event.style and _TRAILING_TAB.match(self._text, event.end_mark.index):
            self.report(faults.tab(faults.at(event.end_mark)))
        if event.tag is not None and event.tag != "!":
            value = self._tagged(event)
        elif event.style or event.tag == "!":
            value = event.value
        else:
            value = self.plain(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 0, 0)
        return value

    def _tagged(self, event: Any) -> Any:
        text, tag, mark = event.value, event.tag, event.start_mark
        if tag == f"{_CORE}str":
            return text
        value = resolve(text, self._budget.number)
        if tag == f"{_CORE}int" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if tag == f"{_CORE}float" and isinstance(value, Decimal | int) and not isinstance(value, bool):
            return Decimal(value)
        if (tag == f"{_CORE}bool" and isinstance(value, bool)) or (tag == f"{_CORE}null" and value is None):
            return value
        if tag in {f"{_CORE}{name}" for name in ("int", "float", "bool", "null", "map", "seq")}:
            self._report_value(faults.tag(mark, tag, text), mark)
        else:
            self._report_value(faults.tag(mark, tag), mark)
        return text

    def key(self, event: Any) -> None:
        """Judge a key that is perhaps not plain text."""
        text, mark = event.value, event.start_mark
        if len(text) > self._budget.scalar:
            raise Stop(faults.scalar(mark, self._budget))
        if event.anchor is not None:
            self._anchors[event.anchor] = (text, 0, 0)
        if event.tag is not None and event.tag not in {"!", f"{_CORE}str"}:
            self.report(faults.tag(mark, event.tag))
        elif event.tag is None and not event.style:
            self._plain_key(text, mark)

    def _plain_key(self, text: str, mark: Any) -> None:
        if text == "<<":
            self.report(faults.merge_key(mark))
            return
        if text[:1] == _NO_BREAK_SPACE:
            self.report(faults.invisible_indent(faults.at(mark)))
            return
        value = resolve(text, self._budget.number)
        if value is Mark.AMBIGUOUS:
            self.report(faults.ambiguous(mark, text))
        elif value is not text:
            self.report(faults.key_of_other_type(mark, text))

    def complex_key(self, event: Any) -> None:
        """A key that is no scalar: report it, then read past it and past its value."""
        mark = event.start_mark
        if event.__class__ is MappingStartEvent and self._text[mark.index - 1 : mark.index + 1] == "{{":
            self.report(faults.template(place(self._text, mark.index - 1)))
        else:
            names = {MappingStartEvent: "a mapping", SequenceStartEvent: "a list"}
            self.report(faults.key_of_many(mark, names.get(event.__class__, "an alias")))
        self._skip(event)
        self._skip(self._get())

    def _skip(self, event: Any) -> None:
        """Read to the end of the node that starts with this event; its anchors stay known."""
        level = 0
        while True:
            if event.__class__ in _STARTS:
                level += 1
                if level > self._budget.depth:
                    raise Stop(faults.depth(event.start_mark, self._budget))
            elif event.__class__ in _ENDS:
                level -= 1
            if event.__class__ is not AliasEvent and getattr(event, "anchor", None) is not None:
                self._anchors[event.anchor] = (None, 0, 0)
            if level == 0:
                return
            event = self._get()

    def open(self, event: Any, level: int, nodes_left: int) -> None:
        """A collection starts at this nesting level: judge its tag, note its anchor."""
        wanted = f"{_CORE}map" if event.__class__ is MappingStartEvent else f"{_CORE}seq"
        if event.tag is not None and event.tag not in {"!", wanted}:
            self.report(faults.tag(event.start_mark, event.tag))
        self._deepen(level)
        if event.anchor is not None:
            entry = _Open(event.anchor, level, nodes_left)
            self._anchors[event.anchor] = entry
            self._open.append(entry)

    def close(self, level: int, value: Any, nodes_left: int) -> None:
        """A collection ends: if it is anchored, an alias may now stand for it."""
        if not self._open or self._open[-1].level != level:
            return
        entry = self._open.pop()
        self._deepen(entry.deepest)
        if self._anchors.get(entry.name) is entry:
            cost, height = entry.nodes_left - nodes_left, entry.deepest - entry.level + 1
            self._anchors[entry.name] = (value, cost, height)

    def alias(self, event: Any, level: int) -> tuple[Any, int]:
        """What an alias stands for, and how many nodes that adds to the alias itself."""
        name, mark = event.anchor, event.start_mark
        self._aliases += 1
        if self._aliases > self._budget.aliases:
            raise Stop(faults.aliases(mark, self._budget))
        anchored = self._anchors.get(name)
        if anchored is None:
            self._report_value(faults.alias(mark, name), mark)
            return None, 0
        if isinstance(anchored, _Open):
            self.report(faults.recursive(mark, name))
            return None, 0
        value, nodes, height = anchored
        if level + height > self._budget.depth:
            raise Stop(faults.depth(mark, self._budget))
        self._deepen(level + height)
        return value, nodes

    def _deepen(self, level: int) -> None:
        if self._open and self._open[-1].deepest < level:
            self._open[-1].deepest = level
