"""Who must be read although nothing of its own was written: a name in it may stand for another object by now.

Called by ``observe``. Told by the inventory alone, so that a process that died in between is no matter. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.definitions.platform import Platform
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Resource


def referring_kinds(platform: Platform) -> frozenset[str]:
    """Kinds of which a leaf holds a member of another object."""
    return frozenset(
        kind.name for kind in platform.kinds.values() if any(rule.ref and rule.ref.member for rule in kind.fields)
    )


def is_outdated(row: InventoryRow, resource: Resource, rows: Mapping[Key, InventoryRow]) -> bool:
    """Whether something that it refers to was written after it was read: its name may stand for another id by now."""
    written = (rows[key].written_at for key in resource.depends_on if key in rows)
    return any(moment is not None and moment >= (row.seen_at or 0.0) for moment in written)
