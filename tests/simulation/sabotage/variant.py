"""One way to be wrong: a guard of the agent that is not there, and the invariant by which the judge must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.store.store import Store
from tests.simulation.full.agent import RIGHT, Parts
from tests.simulation.full.tale import Story
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.teller import Tale
from tests.simulation.story import World

Family = Literal[
    "journal", "retry and classify", "absence", "ownership", "limits", "replicas and time", "budget", "content"
]


@dataclass(frozen=True)
class WholeTale:
    """Stories of the full fault model on one platform, as :mod:`tests.simulation.full` plays them. ``name`` says which
    platform and what is in all of them."""

    name: str
    draw: Callable[[int], Story] = field(compare=False)


@dataclass(frozen=True)
class Variant:
    """``guard`` says what is removed, and from where. It is played in ``tale`` until the judge names ``caught_by``.

    What is wrong is a ``store``, a ``cell`` (another configuration or definition), functions that are swapped, or, in
    a :class:`WholeTale`, any of the ``parts`` that an agent is handed.
    ``caught_by`` is None for a control: another guard makes the removal harmless there, and the judge must be silent.
    """

    name: str
    family: Family
    guard: str
    tale: Tale | WholeTale
    caught_by: str | None
    swaps: tuple[Swap, ...] = ()
    store: type[Store] = Store
    cell: type[World] | None = None
    parts: Parts = RIGHT


def always(value: Any) -> Callable[[Any], Any]:
    """A replacement that answers the same whatever it is asked."""
    return lambda right: lambda *arguments, **words: value


def asynchronously(value: Any) -> Callable[[Any], Any]:
    def wrong(right: Any) -> Any:
        async def answer(*arguments: Any, **words: Any) -> Any:
            return value

        return answer

    return wrong
