"""Wrong stores: what the journal and the inventory are told too late, twice, or not at all.

Each is laid over the store of the simulation in which it is played (:func:`over`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from agent.model.identity import Key
from agent.model.inventory import Intent, InventoryRow
from agent.store.store import Store

_Right = TypeVar("_Right", bound=Store)


def over(right: type[_Right], wrong: type[Store]) -> type[_Right]:
    """The store ``right`` with what is wrong in ``wrong``."""
    return right if wrong is Store else type(wrong.__name__, (wrong, right), {})


class NoJournal(Store):
    """Intents are not written down."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        return None


class NoInventory(Store):
    """What was made is not remembered."""

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        return super().close_intent(op_id, result)

    def put_rows(self, rows: Any, applied: Any = None) -> None:
        return None


class LateJournal(Store):
    """The intent is written down with its outcome, when the call is over."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        self._late = {**getattr(self, "_late", {}), intent.op_id: (intent, row, applied)}

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        late = getattr(self, "_late", {}).pop(op_id, None)
        if late is not None:
            super().open_intent(*late)
        return super().close_intent(op_id, result, **words)


class HastyJournal(Store):
    """The outcome is written down before the answer: what is sent will have worked."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        super().open_intent(intent, row, applied)
        super().close_intent(intent.op_id, "done", row=row, applied=applied)


class OneIntentForAll(Store):
    """One intent stands for all calls of a pass."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        if getattr(self, "_pass", "") != intent.pass_id:
            self._pass = intent.pass_id
            super().open_intent(intent, row, applied)


class TwoTransactions(Store):
    """The outcome is one transaction and the inventory another: a death between them leaves an object unknown."""

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        row, applied = words.pop("row", None), words.pop("applied", None)
        closed = super().close_intent(op_id, result, **words)
        if row is not None:
            super().put_rows([row], {row.key: applied} if applied is not None else None)
        return closed


class NoTombstones(Store):
    """That something was deleted a moment ago is not remembered."""

    def tombstones(self, target: str) -> dict[Key, float]:
        return {}


class NoLedger(Store):
    """What was spent is not written down: each process begins with whole windows."""

    def spend(self, credential: str, at: float, calls: int, after: int = 0) -> Any:
        return super().spent(credential, at + 1e9)


class StaleRows(Store):
    """Of several rows only the first is written."""

    def put_rows(self, rows: Iterable[InventoryRow], applied: Any = None) -> None:
        super().put_rows([*rows][:1], applied)


class Unlocked(Store):
    """Whoever opens it has it."""

    def lock(self) -> None:
        return None
