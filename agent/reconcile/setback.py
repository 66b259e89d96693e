"""A state store that has lost its newest commits: what it knows may be old, and nothing is deleted on its account.

After a failover to a standby that lagged, or a restore from a backup, an inventory may own what was let go since, and
the journal knows nothing of calls that were sent. A person says so (``datakeel doctor --after-failover``); from then on
deletes are held, until a whole pass had none to hold for it, or a person has confirmed those that it had. Called by
``refusals`` and ``once``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

MEMORY = "set_back"
"""In a target's memory: when a person said that the store was set back."""
REASON = "StoreSetBack"
_DOUBT = "the state store has lost what was written last, so what it takes for ours may have been let go since"
_OTHERS = frozenset({"HistoryRewritten", "SourceFailed"})  # reasons that a delete is held for before this one


def doubt_of(memory: Mapping[str, Any]) -> tuple[str, str]:
    """Why nothing is deleted, and the reason's name; two empty texts when the store is believed."""
    return (_DOUBT, REASON) if memory.get(MEMORY) is not None else ("", "")


def set_back_after(memory: Mapping[str, Any], reasons: Collection[str], *, whole: bool) -> dict[str, Any]:
    """What is remembered of it after a pass; ``reasons`` are those of its holds."""
    is_over = whole and REASON not in reasons and _OTHERS.isdisjoint(reasons)
    return {} if is_over or MEMORY not in memory else {MEMORY: memory[MEMORY]}
