"""What names in specs stand for now: the ids behind references, for resources that a plan is about to compare.

Called by ``once`` between observing and planning. What an observation or the inventory tells costs nothing; anything
else is looked up once. A reference that cannot be told is left out: its leaf then shows as different, and the write
that would follow says why it cannot be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.definitions.platform import Kind, Ref
from agent.errors import NotFound
from agent.live.relatives import Relatives
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired, Observed, Present
from agent.plan.elsewhere import Wires, references_in, referred
from agent.reconcile.target import Target


async def read_references(
    target: Target, desired: Desired, observed: Observed, rows: Mapping[Key, InventoryRow]
) -> Mapping[Key, Wires]:
    """For each resource whose live object was read: pointer -> name -> what it stands for on the platform."""
    kinds = target.platform.kinds
    if not any(rule.ref is not None and rule.ref.member for kind in kinds.values() for rule in kind.fields):
        return {}
    known = _Known(observed, rows, kinds, Relatives(target.api, lambda key: _id_in(rows, key)))
    found: dict[Key, Wires] = {}
    for key, seen in observed.observations.items():
        resource = desired.resources.get(key)
        book = target.books.of(key) if resource is not None and isinstance(seen, Present) and seen.is_read else None
        if resource is None or book is None or not book.elsewhere:
            continue
        wires: dict[str, dict[str, Any]] = {}
        for pointer, ref, name in references_in(book, resource.read()):
            other = referred(resource, ref.kind, tuple(word.word for word in kinds[ref.kind].scope), name)
            value = await known.value(other, ref)
            if value is not None:
                wires.setdefault(pointer, {})[name] = value
        if wires:
            found[key] = wires
    return found


class _Known:
    """Members of other objects, from the cheapest that can tell."""

    def __init__(
        self, observed: Observed, rows: Mapping[Key, InventoryRow], kinds: Mapping[str, Kind], relatives: Relatives
    ) -> None:
        self._observed = observed
        self._rows = rows
        self._kinds = kinds
        self._relatives = relatives

    async def value(self, key: Key, ref: Ref) -> Any:
        member = ref.member or ""
        kind = self._kinds[key.kind]
        seen = self._observed.observations.get(key)
        live = seen.live if isinstance(seen, Present) else None
        if live is not None and member in live:
            return live[member]
        if kind.id is not None and kind.id.plain == member:
            told = seen.id if isinstance(seen, Present) else None
            if told or _id_in(self._rows, key):
                return told or _id_in(self._rows, key)
        try:
            return await self._relatives.member(key, member)
        except NotFound:
            return None


def _id_in(rows: Mapping[Key, InventoryRow], key: Key) -> str | None:
    row = rows.get(key)
    return row.server_id if row is not None else None
