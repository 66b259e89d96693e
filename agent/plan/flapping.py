"""Two writers of one leaf: what we put back, and somebody changes again to the same other value. Pure.

Written down by ``apply/goal`` with each repair, judged by ``decide``. After the second repair that did not last the
leaf is named and left alone: a third one would only be the next round (``design/fault-model.md`` H2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent.model.canonical import digest, to_json
from agent.model.change import Cause, Change, FieldChange
from agent.model.inventory import Flap, InventoryRow

REPAIRS_MAX = 2
LASTS_SECONDS = 86_400.0
"""A repair that lasted for longer was one: what comes after it is drift like any other."""
_SHOWN_MAX = 80


def flapping(row: InventoryRow, drift: Iterable[FieldChange], now: float) -> list[FieldChange]:
    """Those leaves that were put back twice lately, from the very value that they have again."""
    if not row.flaps:
        return []
    return [field for field in drift if _rounds(row.flaps.get(field.pointer), field, now) >= REPAIRS_MAX]


def flaps_after(row: InventoryRow | None, change: Change, now: float) -> Mapping[str, Flap]:
    """What is remembered once a change was sent: the repairs in it, and those before it that are not too old."""
    known = row.flaps if row is not None else {}
    kept = {pointer: flap for pointer, flap in known.items() if now - flap.at < LASTS_SECONDS}
    for field in change.fields:
        if field.cause is Cause.DRIFT and not field.sensitive:
            rounds = _rounds(kept.get(field.pointer), field, now) + 1
            kept[field.pointer] = Flap(digest(field.after), digest(field.before), rounds, now)
    return kept


def dispute(fields: Iterable[FieldChange]) -> str:
    """Who does what to which leaf, and the line that ends it."""
    several = list(fields)
    parts = [
        f"`{each.path}` was put back to {shown(each.after)} twice and is {shown(each.before)} again" for each in several
    ]
    return f"{'; '.join(parts)}: somebody else writes it. It is left alone; {rule([each.pointer for each in several])}"


def rule(pointers: Iterable[str]) -> str:
    """The line to add to a manifest, ready to be pasted."""
    return f"to leave it to them for good, add to the manifest: lifecycle: {{ignore: [{', '.join(pointers)}]}}"


def shown(value: Any) -> str:
    """A value as a sentence can hold it."""
    text = to_json(value).decode("utf-8", "replace") if value is not None else "not set"
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"


def _rounds(flap: Flap | None, field: FieldChange, now: float) -> int:
    if flap is None or now - flap.at >= LASTS_SECONDS:
        return 0
    return flap.rounds if (flap.asked, flap.found) == (digest(field.after), digest(field.before)) else 0
