"""What a fuzz target is: one door, what must hold of whatever goes through it, and where to begin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

REGRESSIONS = Path(__file__).parent / "regressions"
Choice = TypeVar("Choice")


class TooSlow(AssertionError):
    """An input took longer than its target allows."""


@dataclass(frozen=True)
class Target:
    """``run`` raises for an input when something is wrong with the agent. ``words`` are what its format is made of.

    ``seconds`` of CPU time are allowed for one input of at most ``size`` bytes.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()
    seconds: float = 1.0
    size: int = 4096

    def check(self, data: bytes) -> None:
        """Run one input and watch the clock of this thread, which other processes do not make run faster."""
        began = time.thread_time()
        self.run(data)
        spent = time.thread_time() - began
        if spent > self.seconds:
            raise TooSlow(f"{spent:.1f} s for {len(data)} bytes; {self.seconds:g} s are allowed")

    def regressions(self) -> list[Path]:
        """Inputs that once broke something."""
        return sorted((REGRESSIONS / self.name).glob("*")) if (REGRESSIONS / self.name).is_dir() else []

    def beginnings(self) -> list[bytes]:
        """The seeds that are short enough, and the inputs that once broke something."""
        found = [seed for seed in self.seeds() if len(seed) <= self.size]
        return [*found, *(path.read_bytes() for path in self.regressions())]


def words_of(form: str, text: str) -> tuple[bytes, ...]:
    """Each word of a text in a form: ``"{}: "`` makes keys of YAML of them."""
    return tuple(form.format(word).encode() for word in text.split())


class Draw:
    """Reads choices, numbers and texts off the front of an input; past its end all are zero and empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def flag(self) -> bool:
        return self.byte() % 2 == 1

    def integer(self, most: int) -> int:
        """From 0 to ``most``."""
        value = self.byte() if most < 256 else self.byte() << 8 | self.byte()
        return value % (most + 1)

    def pick(self, choices: Sequence[Choice]) -> Choice:
        return choices[self.integer(len(choices) - 1)]

    def bytes(self) -> bytes:
        """Up to the next zero byte."""
        end = self._data.find(b"\0", self._at)
        end = len(self._data) if end < 0 else end
        piece = self._data[self._at : end]
        self._at = end + 1
        return piece

    def text(self) -> str:
        """As :meth:`bytes`; what is not UTF-8 becomes lone surrogates, which JSON could bring as well."""
        return self.bytes().decode("utf-8", "surrogateescape")

    def rest(self) -> bytes:
        piece = self._data[self._at :]
        self._at = len(self._data)
        return piece


def pieces(data: bytes, most: int) -> list[bytes]:
    """The bytes in parts of ``most`` bytes, as a network may bring them."""
    return [data[start : start + most] for start in range(0, len(data), max(most, 1))]
