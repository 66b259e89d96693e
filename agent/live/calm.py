"""Lists that say, byte for byte, what they said when all that they are about was as git says.

They prove of their objects what they proved then, so nothing of it is decoded, judged or told again. Kept by a target
for the life of a process, used by ``observe``; it follows what git and the inventory say since (``model/tracked``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.definitions.platform import Kind
from agent.live.api import Listing, ReadApi
from agent.live.look import scope_of_list
from agent.live.rows import Sealed
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Stray
from agent.model.stock import Place
from agent.model.tracked import Tracked

Group = tuple[str, tuple[tuple[str, str], ...]]


def group_at(place: Place, kind: Kind) -> Group:
    """Keys that one list serves: the same kind, and the same names for the scope words that its call holds."""
    return place[0], () if kind.list is None else scope_of_list(kind, Key("", *place, ""))


@dataclass(frozen=True, slots=True)
class Quiet:
    """A list when nothing was to be said of what it is about, and the strays that it showed."""

    sealed: Sealed
    strays: tuple[Stray, ...]


class Calm:
    """Which lists were quiet when they were judged last, as far as nothing that they are about has changed since."""

    def __init__(self) -> None:
        self._quiet: dict[Group, Quiet] = {}
        self._seen: tuple[Any, Any] = None, None
        self._api: ReadApi | None = None

    def lists(
        self,
        resources: Mapping[Key, Any],
        rows: Mapping[Key, InventoryRow],
        asked: Iterable[Key],
        api: ReadApi,
    ) -> dict[Group, Quiet]:
        """Those that need not be judged again if they are what they were. ``asked`` are keys that a look is about."""
        edited, written = _since(resources, self._seen[0]), _since(rows, self._seen[1])
        if api is not self._api or edited is None or written is None:
            self._quiet = {}
        else:
            changed = [*edited, *(key for key, before in written.items() if _differs(before, rows.get(key)))]
            self._drop(changed, api)
        self._seen, self._api = (resources, rows), api
        busy = {_group_of(key, api) for key in asked}
        return {group: quiet for group, quiet in self._quiet.items() if group not in busy}

    def note(self, listings: Mapping[Group, Listing], restless: Iterable[Place], strays: Iterable[Stray]) -> None:
        """What a look has found: ``restless`` are the places of which it had something to tell, or did not list."""
        assert self._api is not None
        kinds = self._api.platform.kinds
        moving = {group_at(place, kinds[place[0]]) for place in restless if place[0] in kinds}
        shown: dict[Group, list[Stray]] = {}
        for stray in strays:
            shown.setdefault(_group_of(stray.key, self._api), []).append(stray)
        for group, listing in listings.items():
            if listing.unchanged:
                continue
            self._quiet.pop(group, None)
            if group not in moving and listing.complete and listing.sealed and _is_found_by_name(kinds[group[0]]):
                self._quiet[group] = Quiet(listing.sealed, tuple(shown.get(group, ())))

    def _drop(self, keys: Iterable[Key], api: ReadApi) -> None:
        for key in keys:
            self._quiet.pop(_group_of(key, api), None)


def _group_of(key: Key, api: ReadApi) -> Group:
    kind = api.platform.kinds.get(key.kind)
    return (key.kind, ()) if kind is None else group_at((key.kind, key.scope), kind)


def _is_found_by_name(kind: Kind) -> bool:
    """Whether a row tells no more than that an object is there and how it is: what it is like is read by its key."""
    return kind.list is not None and kind.list.holds == "summary" and kind.unique and not kind.is_run


def _since(values: Mapping[Key, Any], earlier: Any) -> Mapping[Key, Any] | None:
    return values.since(earlier) if isinstance(values, Tracked) else None


def _differs(before: InventoryRow | None, row: InventoryRow | None) -> bool:
    """Whether a row says more of its object than that it was read once more."""
    return before is None or row is None or replace(before, seen_at=row.seen_at) != row
