"""The canaries of one play: each has a name, a value like no other, and the places where it lies rightly.

All values hold one of two short texts, so that one search finds them all and a piece of one as well. The second is full
of characters that encodings escape.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PLAIN = "kC4nRyv"
AWKWARD = "kC<\"&'4é+/"
CORES = (PLAIN, AWKWARD)


@dataclass(frozen=True)
class Canary:
    """``kept`` are beginnings of the names of sinks in which it lies rightly: where a person put it."""

    name: str
    value: str
    kept: tuple[str, ...] = ()
    arrives: bool = False


class Catalogue:
    """Makes canaries and remembers them."""

    def __init__(self) -> None:
        self.canaries: dict[str, Canary] = {}

    def __call__(
        self, name: str, form: str = "{}", *, awkward: bool = False, kept: tuple[str, ...] = (), arrives: bool = False
    ) -> str:
        """The value of the canary of this name, in the given form. ``arrives``: the platform must have been told it."""
        if name not in self.canaries:
            core = AWKWARD if awkward else PLAIN
            tail = hashlib.sha256(name.encode()).hexdigest()[:10]
            value = form.format(f"{core}{len(self.canaries):03d}{tail}")
            self.canaries[name] = Canary(name, value, kept, arrives)
        return self.canaries[name].value

    def __len__(self) -> int:
        return len(self.canaries)
