"""One way to be wrong: a guard of the agent that is not there, and the invariant by which the judge must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.simulation.kill import MortalStore
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.teller import Tale
from tests.simulation.story import World

Family = Literal[
    "journal", "retry and classify", "absence", "ownership", "limits", "replicas and time", "budget", "content"
]


@dataclass(frozen=True)
class Variant:
    """``guard`` says what is removed, and from where. It is played in ``tale`` until the judge names ``caught_by``.

    What is wrong is a ``store``, a ``cell`` (another configuration or definition), or functions that are swapped.
    ``caught_by`` is None for a control: another guard makes the removal harmless there, and the judge must be silent.
    """

    name: str
    family: Family
    guard: str
    tale: Tale
    caught_by: str | None
    swaps: tuple[Swap, ...] = ()
    store: type[MortalStore] = MortalStore
    cell: type[World] | None = None


def always(value: Any) -> Callable[[Any], Any]:
    """A replacement that answers the same whatever it is asked."""
    return lambda right: lambda *arguments, **words: value


def asynchronously(value: Any) -> Callable[[Any], Any]:
    def wrong(right: Any) -> Any:
        async def answer(*arguments: Any, **words: Any) -> Any:
            return value

        return answer

    return wrong
