"""What drafting makes: a definition as plain words, and for each that was guessed how sure the guess is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Confidence = Literal["high", "medium", "low"]
Path = tuple[str, ...]

UNSEEN_WRITES = "drafted and no write of it was seen"
UNSEEN_READ = "not probed yet"
CUTS = "cuts it; no end of it is told"
MARKER = "guess,"
"""``# guess, medium: why``: how a guess stands in the file. Whoever confirms it takes the comment away."""


@dataclass(frozen=True, slots=True)
class Guess:
    """How sure a word of the definition is, and what it was concluded from."""

    confidence: Confidence
    reason: str

    @property
    def comment(self) -> str:
        return f"{MARKER} {self.confidence}: {self.reason}"


def high(reason: str) -> Guess:
    return Guess("high", reason)


def medium(reason: str) -> Guess:
    return Guess("medium", reason)


def low(reason: str) -> Guess:
    return Guess("low", reason)


@dataclass(slots=True)
class Draft:
    """A definition in the making: ``words`` of ``platform.yaml``, guesses by their path, schemas by kind.

    ``notes`` are comments beside a kind; ``left_out`` are calls that landed nowhere, ``unwritten`` what a kind's bodies
    hold and its schema does not, each with the reason.
    """

    words: dict[str, Any] = field(default_factory=dict)
    guesses: dict[Path, Guess] = field(default_factory=dict)
    schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def say(self, path: Path, value: Any, guess: Guess | None = None) -> None:
        """Write a word, with its guess."""
        node = self.words
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = value
        if guess is not None:
            self.guesses[path] = guess

    def said(self, path: Path) -> Any:
        """The value at a path, None where nothing stands."""
        node: Any = self.words
        for step in path:
            node = node.get(step) if isinstance(node, Mapping) else None
        return node

    def unsay(self, path: Path) -> None:
        """Take a word away with its guess."""
        node = self.said(path[:-1]) if len(path) > 1 else self.words
        if isinstance(node, dict):
            node.pop(path[-1], None)
        self.guesses.pop(path, None)

    def guesses_of(self, kind: str) -> Iterator[tuple[Path, Guess]]:
        return ((path, guess) for path, guess in self.guesses.items() if path[:2] == ("kinds", kind))
