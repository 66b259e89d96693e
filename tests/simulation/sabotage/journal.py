"""Intent before effect: the journal written late, alone, for two, or not read when a process starts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.apply.recover import Resolution
from tests.simulation.sabotage import stores, tales
from tests.simulation.sabotage.swap import Swap
from tests.simulation.sabotage.variant import Variant, asynchronously


def _closing(state: Any) -> Any:
    """Recovery that does not look: every open intent has come to the same end."""

    def wrong(right: Any) -> Any:
        async def resolve(recovery: Any, opened: Any, now: float) -> Resolution:
            from agent.apply.recover import _closed

            return _closed(recovery, opened, Resolution(state, "taken for granted", opened.intent.server_id))

        return resolve

    return wrong


def _without_doubt(right: Any) -> Any:
    async def resolve(recovery: Any, opened: Any, now: float) -> Any:
        return await right(replace(recovery, age=lambda opened, now: 1e6), opened, now)

    return resolve


def _unstoppable(right: Any) -> Any:
    return lambda target, wish, seen, pass_id: right(target, replace(wish, stopping=lambda: False), seen, pass_id)


VARIANTS = (
    Variant("no intent", "journal", "the journal row before each write", tales.DRAWN, "I11", store=stores.NoJournal),
    Variant(
        "intent after the send",
        "journal",
        "the journal row is committed first",
        tales.DRAWN,
        "I11",
        store=stores.LateJournal,
    ),
    Variant(
        "outcome before the answer",
        "journal",
        "the outcome is committed when the answer is there",
        tales.WRITES,
        "I11",
        store=stores.HastyJournal,
    ),
    Variant(
        "one intent for all calls of a pass",
        "journal",
        "each call is an intent of its own",
        tales.DRAWN,
        "I11",
        store=stores.OneIntentForAll,
    ),
    Variant(
        "no inventory",
        "journal",
        "what was made is a row of the inventory",
        tales.DRAWN,
        "I4",
        store=stores.NoInventory,
    ),
    Variant(
        "outcome and inventory in two transactions",
        "journal",
        "outcome and row are one transaction",
        tales.DEATHS,
        "I4",
        store=stores.TwoTransactions,
    ),
    Variant(
        "open intents ignored at start",
        "journal",
        "recovery comes before the plan",
        tales.WRITES,
        "I11",
        swaps=(Swap("apply.recover:recover", asynchronously({})),),
    ),
    Variant(
        "recovery takes all for landed",
        "journal",
        "an open intent is looked at",
        tales.DEATHS,
        "I11",
        swaps=(Swap("apply.recover:resolve", _closing("landed")),),
    ),
    Variant(
        "recovery takes all for not landed",
        "journal",
        "an open intent is looked at",
        tales.WRITES,
        "I11",
        swaps=(Swap("apply.recover:resolve", _closing("not landed")),),
    ),
    Variant(
        "recovery without doubt",
        "journal",
        "what was just sent may still land",
        tales.LATE,
        "I4",
        swaps=(Swap("apply.recover:resolve", _without_doubt),),
    ),
    Variant(
        "new intents after SIGTERM",
        "journal",
        "a stopping agent begins nothing",
        tales.PAUSED,
        "I8",
        swaps=(Swap("reconcile.once:_work", _unstoppable),),
    ),
)
