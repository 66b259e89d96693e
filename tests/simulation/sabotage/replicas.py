"""More than one process, and more than one time: a lock that does not lock, a ledger that is not shared, intervals by a
clock that people set. Played in the full fault model, by the parts that its agents are handed."""

from __future__ import annotations

from typing import Any

from agent.clock import Clock
from tests.simulation.full.agent import Parts
from tests.simulation.sabotage import ownership, stores, wholes
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, WholeTale


class WallClock:
    """Its intervals are differences of moments that somebody may set."""

    def __init__(self, right: Clock) -> None:
        self._right = right

    def now(self) -> float:
        return self._right.now()

    def monotonic(self) -> float:
        return self._right.now()

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)


def _own_ledger(budget: Any) -> Any:
    """What was spent is known to this process alone."""
    budget._account._ledger = None
    return budget


def _since_the_intent(right: Any) -> Any:
    return lambda moments, opened, wall, now: wall - opened.intent.opened_at


def _variant(name: str, guard: str, tale: WholeTale, caught_by: str, **words: Any) -> Variant:
    return Variant(name, "replicas and time", guard, tale, caught_by, **words)


_SECOND = wholes.whole("dataloop/v1", "started twice", wholes.second)
_TIGHT = wholes.whole("dataos/v1", "in small windows", wholes.tight)
_BESIDE = wholes.whole("dataos/v1", "beside another installation", wholes.neighbours)
_STEPS = wholes.whole("dataos/v1", "under a clock that jumps", wholes.steps)
_STANDING = wholes.whole("dataos/v1", "where a machine stands still before it sends", wholes.standing)
_MINE = next(each for each in ownership.VARIANTS if each.name == "another owner's mark is ours, in a change")

VARIANTS = (
    _variant("the lock of the store locks nobody out", "one agent a store", _SECOND, "H1", store=stores.Unlocked),
    _variant(
        "the ledger is each process's own",
        "what a dead process spent counts, also where the platform's answers tell of one window only",
        _TIGHT,
        "I8",
        parts=Parts(budget=_own_ledger),
    ),
    _variant(
        "doubt counted from the intent",
        "a call is in doubt from when it had surely left",
        _STANDING,
        "I11",
        swaps=(Swap("reconcile.jumps:Moments.age", _since_the_intent),),
    ),
    _variant(
        "intervals by the wall clock",
        "a clock that is set changes no interval",
        _STEPS,
        "I8",
        parts=Parts(clock=WallClock),
    ),
    _variant(
        "what another installation made is ours",
        "the mark's uid is compared, and two installations leave each other's objects alone",
        _BESIDE,
        "I2",
        swaps=_MINE.swaps,
    ),
)
CONTROLS = tuple(
    Variant(f"nothing is wrong: {tale.name}", "replicas and time", "nothing", tale, None)
    for tale in (_SECOND, _TIGHT, _STEPS, _BESIDE)
)
