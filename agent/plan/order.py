"""Who goes first: dependencies before dependants, deletes the other way round and after everything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Protocol

from agent.model.change import Action, Change
from agent.model.identity import Key


class Dependencies(Protocol):
    """A mapping, as far as it is needed here."""

    def get(self, key: Key, default: tuple[Key, ...] = ...) -> tuple[Key, ...]: ...


def in_order(changes: Iterable[Change], depends_on: Dependencies) -> tuple[Change, ...]:
    """Changes in the order of their application, each with its ``order`` and the changes that it waits for.

    ``depends_on`` holds the dependencies of every resource, desired or to be pruned; unchanged ones on the way are
    followed through, so that A waits for C when only B between them stays as it is. Cycles cannot occur here:
    validation refuses them.
    """
    by_key = {change.key: change for change in changes}
    applied = {key for key, change in by_key.items() if change.action is not Action.DELETE}
    pruned = {key for key, change in by_key.items() if change.action is Action.DELETE}
    waits: dict[Key, set[Key]] = {key: _nearest(key, depends_on, applied) for key in applied}
    for key in pruned:
        waits.setdefault(key, set())
    for key in pruned:
        for parent in _nearest(key, depends_on, pruned):
            waits[parent].add(key)
    ordered = []
    sorter = TopologicalSorter({key: sorted(before) for key, before in sorted(waits.items())})
    sequence = [*sorter.static_order()]
    sequence.sort(key=lambda key: key in pruned)  # stable: the topological order holds within each half
    for number, key in enumerate(sequence):
        ordered.append(replace(by_key[key], order=number, depends_on=tuple(sorted(waits[key]))))
    return tuple(ordered)


def _nearest(key: Key, depends_on: Dependencies, wanted: set[Key]) -> set[Key]:
    """The closest ancestors that change, looking through those that do not."""
    found: set[Key] = set()
    seen = {key}
    queue = list(depends_on.get(key, ()))
    while queue:
        parent = queue.pop()
        if parent in seen:
            continue
        seen.add(parent)
        if parent in wanted:
            found.add(parent)
        else:
            queue.extend(depends_on.get(parent, ()))
    return found
