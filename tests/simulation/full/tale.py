"""A story as a value: where it is played, what happens and when, and at which effects processes die.

Written by ``draw``, told by ``play``, shortened by ``shrink``. As JSON it is kept with the tests once it has failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """The platform and its ways, which stay the same for the whole story."""

    definition: str = "dataos/v1"
    lag: float = 0.0
    """Seconds by which every read is behind the writes."""
    ready_after: float = 0.0
    delete_delay: float = 0.0
    fail_share: float = 0.0
    page: int = 0
    """Rows a page at most; 0: as many as there are."""
    windows: tuple[tuple[int, float], ...] = ()
    """Calls and seconds; empty: what the platform's page says."""
    moody: bool = False
    """The server sorts, and adds values of its own."""
    latency: float = 0.0
    """A request is so many seconds under way, at most."""
    neighbour: bool = False
    """A second installation, with a store of its own, looks after the same manifests under another target's name."""
    drift: str = "heal"
    adopt: str = "ifIdentical"
    loop: bool = False
    """The agent's own loop decides when to look, rather than a fixed interval."""
    login: bool = False
    """Where both are possible, a user's login, whose token ends, and no key."""


@dataclass(frozen=True)
class Happening:
    at: float
    what: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = (
            f"{name}={sorted(value) if name == 'files' else json.dumps(value)}" for name, value in self.details.items()
        )
        return f"{self.at:9.1f}  {self.what:<8} {'  '.join(told)}"


@dataclass(frozen=True)
class Story:
    """``deaths``: the first process dies at its effect of that number, the next one at the next, the last one lives."""

    seed: int
    cell: Cell
    happenings: tuple[Happening, ...]
    deaths: tuple[int, ...] = ()

    def __str__(self) -> str:
        usual = asdict(Cell())
        ways = {word: value for word, value in asdict(self.cell).items() if value != usual[word]}
        head = [f"seed {self.seed}, cell {json.dumps(ways)}, deaths {list(self.deaths)}"]
        return "\n".join([*head, *map(str, self.happenings)])

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def story_from_json(text: str) -> Story:
    value = json.loads(text)
    cell = {**value["cell"], "windows": _pairs(value["cell"]["windows"])}
    happenings = tuple(Happening(**each) for each in value["happenings"])
    return Story(value["seed"], Cell(**cell), happenings, tuple(value["deaths"]))


def _pairs(value: Sequence[Sequence[float]]) -> tuple[tuple[int, float], ...]:
    return tuple((int(calls), float(seconds)) for calls, seconds in value)
