"""The acts of the demo as text: a table with a column for each platform, a block of rows where the terminal is too
narrow for that, and plain lines for one platform alone.

Called by the verb ``demo``, once an act. Pure: it measures and paints what it is given.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Paint = Callable[[str, str], str]

WIDTH_MAX = 118
_ACT = 16
_GAP = 2
_CELL_MIN = 16
_BETWEEN = "   "
_JOINED = "\N{NO-BREAK SPACE}"


class Line(NamedTuple):
    """Some words of a cell, and the role that colours them."""

    role: str
    text: str


Cell = Sequence[Line]


class Act(NamedTuple):
    """One act: its number (none for the sum), its name, and what it showed on each platform."""

    number: str
    name: str
    cells: Mapping[str, Cell]


def whole(text: str) -> str:
    """Words that stay on one line, such as a value."""
    return text.replace(" ", _JOINED)


class Table:
    """Lines for each act; ``width`` is the terminal's, at most :data:`WIDTH_MAX` of it are used."""

    def __init__(self, platforms: Sequence[str], width: int, paint: Paint) -> None:
        self._platforms = platforms
        self._paint = paint
        self._width = min(width, WIDTH_MAX)
        self._cell = (self._width - _ACT) // max(1, len(platforms)) - _GAP

    def head(self) -> list[str]:
        """The names of the platforms, where they are columns."""
        if len(self._platforms) == 1 or self._cell < _CELL_MIN:
            return []
        names = (self._paint("heading", name) + " " * (self._cell + _GAP - len(name)) for name in self._platforms)
        return [(" " * _ACT + "".join(names)).rstrip()]

    def act(self, act: Act) -> list[str]:
        if len(self._platforms) == 1:
            return self._told(act, act.cells[self._platforms[0]])
        if self._cell < _CELL_MIN:
            return self._rows(act)
        return self._columns(act)

    def _columns(self, act: Act) -> list[str]:
        cells = [self._wrapped(act.cells[name], self._cell) for name in self._platforms]
        lines = [""]
        for number in range(max(len(cell) for cell in cells)):
            label = f"{act.number} {act.name}".strip() if number == 0 else ""
            line = self._paint("heading" if label else "", label) + " " * (_ACT - len(label))
            for cell in cells:
                role, text = cell[number] if number < len(cell) else Line("", "")
                line += self._paint(role, text) + " " * (self._cell + _GAP - len(text))
            lines.append(line.rstrip())
        return lines

    def _rows(self, act: Act) -> list[str]:
        """A line for each platform, or several where one is too short for what it showed."""
        wide = max(map(len, self._platforms)) + _GAP
        lines = ["", self._paint("heading", f"{act.number} {act.name}".strip())]
        for name in self._platforms:
            room = max(_CELL_MIN, self._width - wide)
            cell = self._wrapped(act.cells[name], room)
            if sum(len(text) + len(_BETWEEN) for _, text in cell) - len(_BETWEEN) <= room:
                told = [_BETWEEN.join(self._paint(*line) for line in cell)]
            else:
                told = [self._paint(*line) for line in cell]
            lines += [(name if at == 0 else "").ljust(wide) + text for at, text in enumerate(told)]
        return lines

    def _told(self, act: Act, cell: Cell) -> list[str]:
        number = f"{act.number}/5" if act.number else "   "
        texts = _BETWEEN.join(self._paint(role, text.replace(_JOINED, " ")) for role, text in cell)
        return [f"{number}  {self._paint('heading', act.name.ljust(_ACT))}{texts}"]

    def _wrapped(self, cell: Cell, width: int) -> list[Line]:
        return [
            Line(line.role, part.replace(_JOINED, " "))
            for line in cell
            for part in textwrap.wrap(line.text, width, break_on_hyphens=False)
        ]
