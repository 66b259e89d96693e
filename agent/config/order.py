"""Which target waits for which: ``depends_on``, checked for names and circles, and the order that follows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from agent.config.faults import Fault, as_text, join
from agent.config.model import TargetConfig
from agent.errors.near import near


def order_faults(targets: Any) -> Iterator[Fault]:
    """Names that are no target, and targets that wait for themselves."""
    named = _named(targets)
    for name, others in named.items():
        for index, other in enumerate(others):
            if isinstance(other, str) and other not in named:
                known = [each for each in named if each != name]
                fix = near(other, known) or f"known are {', '.join(known) or 'no other targets'}"
                pointer = join("targets", name, "depends_on", str(index))
                yield Fault(pointer, "config-invalid", "no such target", as_text(other), fix)
    graph = {name: [other for other in others if other in named] for name, others in named.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        what = f"targets wait for each other: {' -> '.join(circle)}"
        fix = "take one of the targets out of `depends_on`"
        yield Fault(join("targets", circle[0], "depends_on"), "dependency-cycle", what, fix=fix, at="key")


class Others(Set[str]):
    """All names but one. Of ten thousand targets each looks at the same names: copies would be a hundred million."""

    __slots__ = ("_all", "_but")

    def __init__(self, all_names: frozenset[str], but: str) -> None:
        """``but`` is one of ``all_names``."""
        self._all, self._but = all_names, but

    def __contains__(self, name: object) -> bool:
        return name != self._but and name in self._all

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._all if name != self._but)

    def __len__(self) -> int:
        return len(self._all) - 1


def with_others(targets: Mapping[str, TargetConfig]) -> Mapping[str, TargetConfig]:
    """Each target with the names of all others."""
    names = frozenset(targets)
    return {name: replace(target, others=Others(names, name)) for name, target in targets.items()}


def _named(targets: Any) -> dict[str, list[Any]]:
    found = {}
    for name, target in targets.items() if isinstance(targets, dict) else ():
        others = target.get("depends_on") if isinstance(target, dict) else None
        found[name] = others if isinstance(others, list) and all(isinstance(each, str) for each in others) else []
    return found
