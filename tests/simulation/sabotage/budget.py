"""Within every window, with people's share left, for a time that ends."""

from __future__ import annotations

from typing import Any

from tests.simulation.sabotage import stores, tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, always


def _one_window(right: Any) -> Any:
    return lambda windows, reserve: right(tuple(windows)[:1], reserve)


def _no_reserve(right: Any) -> Any:
    return lambda windows, reserve: right(windows, 0.0)


def _uncounted(right: Any) -> Any:
    """Calls that are over count no more."""

    def finish(budget: Any, *, sent: bool = True) -> None:
        right(budget, sent=False)

    return finish


def _patient(right: Any) -> Any:
    def made(transport: Any, *arguments: Any, **words: Any) -> None:
        right(transport, *arguments, **words)
        transport._deadline = 1e9

    return made


def _endlessly(right: Any) -> Any:
    """A read that fails is sent until it is answered."""

    async def read(api: Any, prepared: Any, purpose: Any) -> Any:
        while (reply := await api._exchange(prepared, purpose)).passing:
            await api._clock.sleep(0.5)
        return reply

    return read


_ENDLESSLY = Swap("live.api:ReadApi._read", _endlessly)


def _variant(name: str, guard: str, tale: Any, *swaps: Swap, **words: Any) -> Variant:
    return Variant(name, "budget", guard, tale, "I8", swaps=swaps, **words)


VARIANTS = (
    _variant("one window only", "all windows hold at once", tales.PRESSURE, Swap("live.windows:lanes_of", _one_window)),
    _variant(
        "people's share is spent",
        "a share of each window is people's",
        tales.PRESSURE,
        Swap("live.windows:lanes_of", _no_reserve),
    ),
    _variant(
        "calls that are over count no more",
        "a window is as long as it says",
        tales.PRESSURE,
        Swap("live.budget:Budget.finish", _uncounted),
    ),
    _variant(
        "no admission", "each call is admitted", tales.PRESSURE, Swap("live.budget:Budget.wait_needed", always(0.0))
    ),
    _variant(
        "the ledger is not kept", "what a dead process spent counts", tales.PRESSURE_KILLED, store=stores.NoLedger
    ),
    _variant(
        "Retry-After is not heeded",
        "a 429 says how long to wait",
        tales.PRESSURE,
        Swap("live.budget:Budget._pause", always(None)),
    ),
    _variant(
        "no deadline", "each call has a deadline", tales.HANGING, Swap("live.transport:Transport.__init__", _patient)
    ),
    _variant(
        "reads are repeated without end, and nothing rests",
        "three attempts, and a place that fails is left alone",
        tales.FAILING,
        _ENDLESSLY,
        Swap("live.circuit:Circuit.lets", always(True)),
    ),
)

CONTROLS = (
    Variant(
        "reads are repeated without end",
        "budget",
        "three attempts; here a place that fails is left alone before they are many",
        tales.FAILING,
        None,
        swaps=(_ENDLESSLY,),
    ),
)
