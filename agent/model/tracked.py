"""A mapping that knows in which keys it differs from an earlier one of its line, so that what is told of all of it (how
many, which are due) costs the change and not the whole. Pure; for the inventory of a target and the manifests of a
revision, which have a hundred thousand keys of which a pass changes a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Told = TypeVar("Told", contravariant=True)
Of = TypeVar("Of", contravariant=True)
F = TypeVar("F", bound="Fold[Any, Any]")

# A line that has changed more often than this, and than a share of its keys, begins anew: each change holds a former
# value, and going through all keys once is paid for by so many changes.
_LOG_MAX = 100
_LOG_SHARE = 0.1


class Fold(Protocol[Of, Told]):
    """Something told of a whole mapping that can follow its changes: a count, a selection, an order."""

    def add(self, key: Of, value: Told) -> None: ...
    def remove(self, key: Of, value: Told) -> None: ...


class _Line(Generic[K, V]):
    """What mappings that came from one another share: each change in its order, with what was there before."""

    __slots__ = ("folds", "log")

    def __init__(self) -> None:
        self.log: list[tuple[K, V | None]] = []
        self.folds: dict[Callable[[], Any], tuple[int, Any]] = {}


class Tracked(dict[K, V]):
    """A dict that is changed by :meth:`put` and :meth:`drop` alone. What :meth:`snapshot` and :meth:`followed_by` give
    is not changed any more."""

    __slots__ = ("_at", "_line", "_shot")

    def __init__(self, values: Mapping[K, V] | None = None) -> None:
        super().__init__(values or {})
        self._line: _Line[K, V] = _Line()
        self._at = 0
        self._shot: Self | None = None

    def put(self, key: K, value: V) -> None:
        self._log(key)
        self[key] = value

    def drop(self, key: K) -> None:
        """Nothing for a key that is not there."""
        if key in self:
            self._log(key)
            del self[key]

    def snapshot(self) -> Self:
        """As it is now; the same one until the next change."""
        if self._shot is None:
            self._shot = self._copy()
        return self._shot

    def followed_by(self, values: Mapping[K, V]) -> Self:
        """The next one of the line, with these values in place of those that it has or beside them."""
        after = self._copy()
        for key, value in values.items():
            after.put(key, value)
        return after

    def since(self, earlier: Mapping[K, V] | None) -> Mapping[K, V | None] | None:
        """What differs from ``earlier``: each key with what it had there (None: nothing). None where that is not known,
        since the two are of different lines or ``earlier`` is the later one."""
        if not isinstance(earlier, Tracked) or earlier._line is not self._line or earlier._at > self._at:
            return None
        return self._between(earlier._at)

    def fold(self, make: Callable[[], F]) -> F:
        """What ``make`` begins, over all of this: that of an earlier one of the line, brought up to date.

        It is of this mapping until another one of the line asks: read it and let it go. All of a line ask in one
        thread. ``make`` is the same object each time, a class for instance.
        """
        at, known = self._line.folds.get(make, (-1, None))
        if known is None or at > self._at:
            known = make()
            for key, value in self.items():
                known.add(key, value)
        elif at < self._at:
            for key, before in self._between(at).items():
                if before is not None:
                    known.remove(key, before)
                if key in self:
                    known.add(key, self[key])
        self._line.folds[make] = self._at, known
        folded: F = known
        return folded

    def _between(self, at: int) -> dict[K, V | None]:
        changed: dict[K, V | None] = {}
        for key, before in self._line.log[at : self._at]:
            changed.setdefault(key, before)
        return changed

    def _copy(self) -> Self:
        made = type(self)(self)
        made._line, made._at = self._line, self._at
        return made

    def _log(self, key: K) -> None:
        """A line is continued at its end only, and not for ever."""
        log = self._line.log
        if self._at != len(log) or len(log) > max(_LOG_MAX, _LOG_SHARE * len(self)):
            self._line, self._at = _Line(), 0
            log = self._line.log
        log.append((key, self.get(key)))
        self._at += 1
        self._shot = None


def folded(values: Mapping[K, V], make: Callable[[], F]) -> F:
    """:meth:`Tracked.fold` of any mapping; of one that keeps nothing it is made anew."""
    return (values if isinstance(values, Tracked) else Tracked(values)).fold(make)
