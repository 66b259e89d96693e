"""Where the words of a loaded definition were written, to point at what is missing or finds nothing.

Called by the checks of ``lint-platform`` after a definition has loaded. A word that a kind has from another one by
``like`` is found there; one that comes from another folder by ``extends`` is placed at that word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.files import DEFINITION, available, display
from agent.definitions.places import BUDGET
from agent.errors import Where


class Written:
    """One ``platform.yaml`` as it was written."""

    def __init__(self, folder: Path) -> None:
        source = (folder / DEFINITION).read_bytes()
        self._path = display(folder / DEFINITION)
        self._value = _value(source)
        self._places = yaml_io.positions(source, 0, BUDGET)

    @property
    def words(self) -> frozenset[str]:
        """The words at the top of the file."""
        return frozenset(self._value)

    @property
    def extends(self) -> str | None:
        """What it extends, of the file itself."""
        name = self._value.get("extends")
        return name if isinstance(name, str) else None

    def top(self, *words: str) -> Where:
        """The place of a word below the top; of the nearest word above it where it is not written."""
        line, column = self._places.key(_pointer(words))
        return Where(self._path, line, column)

    def of_kind(self, kind: str, *words: str) -> Where:
        """The place of a word of a kind: its own, of the kind that it is like, of all kinds; else the kind itself."""
        kinds = self._value.get("kinds")
        own = kinds.get(kind) if isinstance(kinds, Mapping) else None
        if not isinstance(own, Mapping):
            return self.top("extends") if "extends" in self._value else self.top()
        base = own.get("like")
        for name in (kind, base):
            if isinstance(name, str) and _holds(kinds, (name, *words)):
                return self.top("kinds", name, *words)
        for shared in (words[1:], ("response", *words[1:])):
            if words[1:] and _holds(self._value, shared):
                return self.top(*shared)
        return self.top("kinds", kind)


def chain_of(folder: Path, search: Sequence[Path]) -> list[Path]:
    """The folder of a definition that has loaded, and those that it extends, nearest first."""
    chain = [folder]
    while (name := Written(chain[-1]).extends) is not None:
        chain.append(available(search)[name])
    return chain


def _value(source: bytes) -> Mapping[str, Any]:
    documents = yaml_io.load(source, BUDGET).documents
    value = documents[0].value if documents else None
    return value if isinstance(value, Mapping) else {}


def _holds(value: Any, words: Sequence[str]) -> bool:
    for word in words:
        if not isinstance(value, Mapping) or word not in value:
            return False
        value = value[word]
    return True


def _pointer(words: Sequence[str]) -> str:
    return "".join("/" + word.replace("~", "~0").replace("/", "~1") for word in words)
