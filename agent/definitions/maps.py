"""The shapes of lists and maps in a definition: by names that the author chose, or by words of the vocabulary.

``vocabulary.py`` is written in these and in those of ``shapes.py``. Each member becomes a Leaf that knows its place, so
that it can still be pointed at after inheritance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.definitions.places import BAD, Faults, Leaf, Place, did_you_mean
from agent.definitions.shapes import Shape, kind_of, shown

_FREE_TEXT = "in a flow map `{…}` a comma ends a value: put free text in quotes"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list with at least one element; ``single`` lets one element stand without the list."""

    shape: Shape
    single: bool = False

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if self.single and not isinstance(value, list):
            one = self.shape.read(value, place, faults)
            return BAD if one is BAD else [Leaf(one, place)]
        if not isinstance(value, list) or not value:
            faults.add(place, "must be a list with at least one element", got=shown(value))
            return BAD
        leaves = []
        for index, element in enumerate(value):
            at = place.at(index)
            leaves.append(Leaf(self.shape.read(element, at, faults), at))
        return [leaf for leaf in leaves if leaf.value is not BAD]


@dataclass(frozen=True, slots=True)
class Named:
    """A map whose keys the author chose. ``called`` says what they are, ``pattern`` what they must match.

    ``key_fault`` may say more of a wrong key.
    """

    called: str
    shape: Shape
    pattern: re.Pattern[str] | None = None
    key_fault: Callable[[str], str | None] | None = None

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, Mapping):
            faults.add(place, f"must be a map by {self.called}, not {kind_of(value)}", got=shown(value))
            return BAD
        leaves: dict[str, Leaf] = {}
        for name, member in value.items():
            at = place.at(name)
            reason = self.key_fault(name) if self.key_fault else None
            if reason or (self.pattern and not self.pattern.fullmatch(name)):
                faults.add(at, reason or f"`{name}` is not {self.called}", at="key", got=name)
            else:
                leaves[name] = Leaf(None if member is None else self.shape.read(member, at, faults), at)
        return leaves


@dataclass(frozen=True, slots=True, eq=False)
class WordMap:
    """A map whose keys are words of the vocabulary. ``required`` are those that must stand in every such map."""

    called: str
    words: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, Mapping):
            fix = f"known here: {', '.join(self.words)}" if len(self.words) <= 12 else None
            faults.add(place, f"must be {self.called}, a map, not {kind_of(value)}", got=shown(value), fix=fix)
            return BAD
        leaves: dict[str, Leaf] = {}
        for word, member in value.items():
            at = place.at(word)
            shape = self.words.get(word)
            if shape is None:
                self._unknown(word, member, at, faults)
            else:
                leaves[word] = Leaf(None if member is None else shape.read(member, at, faults), at)
        for word in self.required:
            if word not in leaves or leaves[word].value is None:
                faults.add(place, f"`{word}` is missing in {self.called}", at="key")
        return leaves

    def _unknown(self, word: str, member: Any, place: Place, faults: Faults) -> None:
        free_text = member is None and " " in word
        fix = _FREE_TEXT if free_text else did_you_mean(word, self.words)
        faults.add(place, f"unknown word `{word[:80]}` in {self.called}", at="key", got=word, fix=fix)


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One shape for a text, another for a map, a number or a list."""

    text: Shape | None = None
    map: Shape | None = None
    other: Shape | None = None

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        shape = self.text if isinstance(value, str) else self.map if isinstance(value, Mapping) else None
        shape = shape or self.other or self.map or self.text
        assert shape is not None
        return shape.read(value, place, faults)
