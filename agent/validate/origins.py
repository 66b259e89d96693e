"""Where each value of a rendered document was written: in the manifest, or in an overlay that put it there.

A sparse tree beside the value: a node stands for a whole part that came from one text, and is opened only where an
overlay reached into it. Lines and columns are read when somebody asks, from the text in which the value stands. Used by
``patches`` and ``rendered``; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from agent import yaml_io
from agent.errors import Where
from agent.validate.pointers import Tokens, join

On = Literal["key", "value"]

VARIABLE_SIGN = "$"
"""Begins the path of a place that is a variable's, whose line only the configuration knows."""


class Text:
    """One document as a person wrote it. ``path`` is empty for the file that is being checked, whatever its name.

    ``uses`` are the variables at the places that held any.
    """

    def __init__(
        self,
        path: str,
        source: bytes,
        document: yaml_io.Document,
        uses: Mapping[Tokens, tuple[str, ...]] | None = None,
    ) -> None:
        self.path = path
        self._source = source
        self._document = document
        self._uses = uses or {}
        self._positions: yaml_io.Positions | None = None

    def where(self, place: Tokens, on: On = "value") -> Where:
        """Line and column, both from 1."""
        if not place:
            return Where(self.path, self._document.line, self._document.column)
        if self._positions is None:
            self._positions = yaml_io.positions(self._source, self._document.index)
        pointer = join(place)
        found = self._positions.key(pointer) if on == "key" else self._positions.value(pointer)
        return Where(self.path, *found)

    def variables(self, place: Tokens) -> tuple[str, ...]:
        """The variables that made what stands at a place, or that made what it is a part of."""
        for depth in range(len(place), -1, -1) if self._uses else ():
            if place[:depth] in self._uses:
                return self._uses[place[:depth]]
        return ()

    def variables_below(self, place: Tokens) -> tuple[str, ...]:
        """The same, and those of everything in it."""
        inside = [name for at, names in self._uses.items() if at[: len(place)] == place for name in names]
        return tuple(dict.fromkeys((*self.variables(place), *inside)))


class Origin:
    """A part of a value and the place that it came from."""

    __slots__ = ("at", "members", "removed", "text")

    def __init__(self, text: Text, at: Tokens) -> None:
        self.text = text
        self.at = at
        self.members: Any = None  # of a mapping by key, of a list by number; None: all of it came from one place
        self.removed: dict[str, tuple[Text, Tokens]] = {}

    def opened(self, value: Any) -> Any:
        """The members, each with an origin of its own. ``value`` is what stands here, before it is changed."""
        if self.members is None:
            if isinstance(value, dict):
                self.members = {key: Origin(self.text, (*self.at, key)) for key in value}
            else:
                self.members = [Origin(self.text, (*self.at, str(index))) for index in range(len(value))]
        return self.members

    def copied(self) -> Origin:
        made = Origin(self.text, self.at)
        if isinstance(self.members, dict):
            made.members = {key: member.copied() for key, member in self.members.items()}
        elif self.members is not None:
            made.members = [member.copied() for member in self.members]
        return made

    def find(self, place: Tokens) -> tuple[Text, Tokens]:
        """The text, and the place in it, of what stands at a place; of the nearest parent for what is not there."""
        node, depth = self._nearest(place)
        return node.text, (*node.at, *(place[depth:] if node.members is None else ()))

    def part(self, place: Tokens) -> Origin | None:
        """What stands at a place, if all of it came from one place of one text; None where it was put together."""
        node, depth = self._nearest(place)
        if node.members is not None:
            return None
        return Origin(node.text, (*node.at, *place[depth:]))

    def removed_at(self, place: Tokens) -> Mapping[str, tuple[Text, Tokens]]:
        """The members that stood at a place and were taken away, each with the part of an overlay that did it."""
        node, depth = self._nearest(place)
        return node.removed if depth == len(place) else {}

    def _nearest(self, place: Tokens) -> tuple[Origin, int]:
        node, depth = self, 0
        for token in place:
            members = node.members
            if isinstance(members, dict) and token in members:
                node = members[token]
            elif isinstance(members, list) and token.isdecimal() and int(token[:9]) < len(members):
                node = members[int(token)]
            else:
                break
            depth += 1
        return node, depth


def variable_place(name: str) -> Where:
    """Stands for the place of a variable's value, until the configuration is at hand."""
    return Where(f"{VARIABLE_SIGN}{{{name}}}")
