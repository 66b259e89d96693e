"""Where a word of a definition was written, and the list of all that is wrong with it.

Used by every step of the loader. A place is remembered as file and pointer; its line and column are looked up by a
second, slower parse, and only when there is something to report. After inheritance each word still knows its own file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from agent import yaml_io
from agent.errors import Problem, Where

CODE = "definition-invalid"
BUDGET = replace(yaml_io.CONFIG_BUDGET, aliases=0)
GOT_MAX = 200


class Bad:
    """Type of :data:`BAD`: a value that was reported and is treated as absent from then on."""

    def __repr__(self) -> str:
        return "BAD"


BAD: Final = Bad()


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """One file of a definition: its path for messages, and its bytes."""

    path: str
    source: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a file, by RFC 6901 pointer."""

    file: SourceText
    pointer: str = ""

    def at(self, name: str | int) -> Place:
        step = str(name).replace("~", "~0").replace("/", "~1")
        return Place(self.file, f"{self.pointer}/{step}")

    @property
    def path(self) -> str:
        """``kinds.Workflow.list``: how a person names the place."""
        steps = self.pointer.split("/")[1:]
        return ".".join(step.replace("~1", "/").replace("~0", "~") for step in steps)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A parsed word and where it was written. ``value`` None: written as null, which removes what is inherited."""

    value: Any
    place: Place

    def get(self, word: str, default: Any = None) -> Any:
        """The value of a word of this map; ``default`` where it is absent, null or was reported."""
        return get(self.value, word, default)


Words = dict[str, Leaf]


def get(words: Words, word: str, default: Any = None) -> Any:
    """The value of a word; ``default`` where it is absent, null or was reported."""
    leaf = words.get(word)
    return default if leaf is None or leaf.value is None or leaf.value is BAD else leaf.value


def has(words: Words, word: str) -> bool:
    """Whether a word is written, even wrongly: what was reported once is not reported as missing too."""
    leaf = words.get(word)
    return leaf is not None and leaf.value is not None


@dataclass(slots=True)
class Faults:
    """All mistakes of a definition; the same mistake inherited by twenty kinds is one."""

    _found: dict[tuple[int, str, str], tuple[Place, Literal["key", "value"], Problem]] = field(default_factory=dict)
    _located: list[Problem] = field(default_factory=list)

    def add(
        self,
        place: Place,
        what: str,
        *,
        at: Literal["key", "value"] = "value",
        got: Any = None,
        why: str | None = None,
        fix: str | None = None,
    ) -> None:
        """Note a mistake at a node; ``at`` chooses the key or the value of a member."""
        text = None if got is None else str(got)[:GOT_MAX]
        problem = Problem(CODE, what, Where(place.file.path), place.path or None, text, why, fix)
        self._found.setdefault((id(place.file), place.pointer, what), (place, at, problem))

    def add_located(self, problems: Iterable[Problem]) -> None:
        """Note problems that another module has worded and located."""
        self._located += problems

    def __bool__(self) -> bool:
        return bool(self._found) or any(problem.severity == "error" for problem in self._located)

    def problems(self) -> tuple[Problem, ...]:
        """All of them with line and column, in the order of their places."""
        tables: dict[int, yaml_io.Positions] = {}
        located = list(self._located)
        for place, at, problem in self._found.values():
            file = place.file
            table = tables.get(id(file)) or tables.setdefault(id(file), yaml_io.positions(file.source, 0, BUDGET))
            line, column = table.key(place.pointer) if at == "key" else table.value(place.pointer)
            located.append(replace(problem, where=Where(file.path, line, column)))
        return tuple(sorted(located, key=lambda p: (p.where.path, p.where.line or 0, p.where.column or 0)))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A ``fix`` that names the nearest known word, or all of them where there are few and none is near."""
    words = list(known)
    folded = {candidate.replace("_", "").replace("-", "").lower(): candidate for candidate in words}
    key = word.replace("_", "").replace("-", "").lower()
    near = [folded[key]] if key in folded else difflib.get_close_matches(word, words, 1, 0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known here: {', '.join(words)}" if 0 < len(words) <= 30 else None
