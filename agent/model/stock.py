"""What is told of an inventory as a whole: how many of each kind, which rows need a second look, how old knowledge is,
which keys share a place.

Each follows the changes of the rows (``tracked``), so that a pass over a hundred thousand pays for the few it changed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.tracked import folded

Aged = tuple[float, Key]
Place = tuple[str, tuple[tuple[str, str], ...]]


def by_kind(rows: Mapping[Key, InventoryRow]) -> Mapping[str, int]:
    """How many rows there are of each kind."""
    return +folded(rows, _Kinds).counts


def restless(rows: Mapping[Key, InventoryRow]) -> Mapping[Key, InventoryRow]:
    """The rows that are not simply as git says: out of sync, protected, with drift that was told, or put back once."""
    return folded(rows, _Restless).found


def by_age(rows: Mapping[Key, InventoryRow]) -> ByAge:
    """The rows in the order in which their content was read, kind by kind."""
    return folded(rows, ByAge)


def by_place(values: Mapping[Key, Any]) -> Mapping[Place, Mapping[Key, None]]:
    """The keys of manifests, or of rows, by kind and scope."""
    return folded(values, _Places).found


class _Places:
    def __init__(self) -> None:
        self.found: dict[Place, dict[Key, None]] = {}

    def add(self, key: Key, value: object) -> None:
        self.found.setdefault((key.kind, key.scope), {})[key] = None

    def remove(self, key: Key, value: object) -> None:
        place = self.found[key.kind, key.scope]
        del place[key]
        if not place:
            del self.found[key.kind, key.scope]


class _Kinds:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, key: Key, value: InventoryRow) -> None:
        self.counts[key.kind] += 1

    def remove(self, key: Key, value: InventoryRow) -> None:
        self.counts[key.kind] -= 1


class _Restless:
    def __init__(self) -> None:
        self.found: dict[Key, InventoryRow] = {}

    def add(self, key: Key, value: InventoryRow) -> None:
        if not value.in_sync or value.protect or value.reported is not None or value.healed_at is not None:
            self.found[key] = value

    def remove(self, key: Key, value: InventoryRow) -> None:
        self.found.pop(key, None)


class ByAge:
    """Rows by kind, the longest unread first. What came since it was asked last gets its place when it is asked."""

    def __init__(self) -> None:
        self._read: dict[str, list[Aged]] = {}
        self._come: dict[str, dict[Key, float]] = {}
        self._unread: dict[str, dict[Key, None]] = {}

    def add(self, key: Key, value: InventoryRow) -> None:
        if value.seen_at is None:
            self._unread.setdefault(key.kind, {})[key] = None
        else:
            self._come.setdefault(key.kind, {})[key] = value.seen_at

    def remove(self, key: Key, value: InventoryRow) -> None:
        if value.seen_at is None:
            del self._unread[key.kind][key]
        elif self._come.get(key.kind, {}).pop(key, None) is None:
            aged = self._read[key.kind]
            del aged[bisect_left(aged, (value.seen_at, key))]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that have rows, in order."""
        return tuple(kind for kind in sorted({*self._read, *self._come, *self._unread}) if self.count(kind))

    def count(self, kind: str) -> int:
        return len(self.read(kind)) + len(self.unread(kind))

    def unread(self, kind: str) -> Mapping[Key, None]:
        """Those whose content was never read."""
        return self._unread.get(kind, {})

    def read(self, kind: str) -> list[Aged]:
        """When each of the others was read last, the longest ago first; not to be changed."""
        aged = self._read.setdefault(kind, [])
        come = self._come.pop(kind, {})
        if len(come) * 20 > len(aged):
            aged += ((at, key) for key, at in come.items())
            aged.sort()
        else:
            for key, at in come.items():
                insort(aged, (at, key))
        return aged

    def oldest(self, kind: str) -> Iterator[Aged]:
        """As :meth:`read`, with what was never read before it, as if that had been at the beginning of time."""
        yield from ((float("-inf"), key) for key in sorted(self.unread(kind)))
        yield from self.read(kind)
