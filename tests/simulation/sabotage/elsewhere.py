"""Guards taken away on other platforms than DataOS: no marks, names that are not unique, runs, other ways to refuse.

The same wrong parts as in the other families, in stories of the full fault model on each of these platforms.
"""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.sabotage import answers, journal, ownership, wholes
from tests.simulation.sabotage.variant import Variant

_KNOWN = {each.name: each for each in (*journal.VARIANTS, *answers.VARIANTS, *ownership.VARIANTS)}


def _on(definition: str, name: str, caught_by: str, what: str = "", change: wholes.Change = wholes.as_drawn) -> Variant:
    platform = definition.partition("/")[0]
    return replace(
        _KNOWN[name], name=f"{name}, on {platform}", tale=wholes.whole(definition, what, change), caught_by=caught_by
    )


_BESIDE = ("beside another installation", wholes.neighbours)
_DYING = ("where reads are behind and processes die", wholes.dying)

VARIANTS = (
    _on("dataops-live/v4", "no inventory", "I4"),
    _on("dataops-live/v4", "adopted silently", "I2"),
    _on("datalinx/v1", "no intent", "I11"),
    _on("datalinx/v1", "intent after the send", "I11"),
    _on("datalinx/v1", "adopted silently", "I2"),
    _on("dataloop/v1", "no inventory", "I1"),
    _on("dataloop/v1", "recovery takes all for not landed", "I1", *_DYING),
    _on("datachain-studio/v1", "recovery takes all for not landed", "I1", *_DYING),
    _on("datachain-studio/v1", "no intent", "I11"),
    _on("datachain-studio/v1", "a create is retried blindly", "I1"),
    _on("dataos-poros/v1", "another owner's mark is ours, in a change", "I2", *_BESIDE),
    _on("dataos-poros/v1", "no mark is written", "I4", *_BESIDE),
)
CONTROLS = tuple(
    Variant(f"nothing is wrong: {tale.name}", "journal", "nothing", tale, None)
    for tale in dict.fromkeys(each.tale for each in VARIANTS)
)
