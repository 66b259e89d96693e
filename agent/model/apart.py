"""Manifests and inventory held against each other: what has no row or another one, and what has left git. Pure.

Of a hundred thousand nearly all agree: who asks in each pass which do not pays for what has changed since the last one.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Resource
from agent.model.tracked import Tracked

Resources = Mapping[Key, Resource]
Rows = Mapping[Key, InventoryRow]


def is_apart(resource: Resource, row: InventoryRow | None) -> bool:
    """Whether a manifest is not what was applied, or what was applied is not known to be live."""
    return row is None or row.applied_digest != resource.digest or not row.in_sync or row.seen_at is None


class Apart:
    """``differing``: keys of manifests whose row is missing or says otherwise. ``gone``: keys of rows that git does not
    name any more. In the order of git and of the inventory, what came later at the end; not to be changed.
    """

    def __init__(self) -> None:
        self.differing: dict[Key, None] = {}
        self.gone: dict[Key, None] = {}
        self._seen: tuple[Resources | None, Rows | None] = None, None

    def between(self, resources: Resources, rows: Rows) -> Apart:
        """This one, brought up to date; of mappings that do not know their changes, another one."""
        if not (isinstance(resources, Tracked) and isinstance(rows, Tracked)):
            return Apart()._whole(resources, rows)
        edited, written = resources.since(self._seen[0]), rows.since(self._seen[1])
        if edited is None or written is None:
            self._whole(resources, rows)
        else:
            for key in {**edited, **written}:
                self._judge(key, resources.get(key), rows.get(key))
        self._seen = resources, rows
        return self

    def _whole(self, resources: Resources, rows: Rows) -> Apart:
        self.differing = {key: None for key, each in resources.items() if is_apart(each, rows.get(key))}
        self.gone = {key: None for key in rows if key not in resources}
        return self

    def _judge(self, key: Key, resource: Resource | None, row: InventoryRow | None) -> None:
        if resource is not None and is_apart(resource, row):
            self.differing.setdefault(key)
        else:
            self.differing.pop(key, None)
        if row is not None and resource is None:
            self.gone.setdefault(key)
        else:
            self.gone.pop(key, None)
