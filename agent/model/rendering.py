"""What a configuration adds to the manifests of a target: values for their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.errors import Where


@dataclass(frozen=True, slots=True)
class Variable:
    """A typed JSON value that manifests name as ``${NAME}``. ``where`` is the place at which a person wrote it.

    ``names`` are the variables that the value was made of.
    """

    value: Any
    where: Where
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variables:
    """All that a target's manifests may name. ``own`` are those that the target itself gives a value."""

    known: Mapping[str, Variable] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    @property
    def values(self) -> dict[str, Any]:
        return {name: variable.value for name, variable in self.known.items()}

    def used(self, named: Iterable[str]) -> frozenset[str]:
        """These variables, and those that their values are made of."""
        found: set[str] = set()
        waiting = list(named)
        while waiting:
            name = waiting.pop()
            if name in self.known and name not in found:
                found.add(name)
                waiting.extend(self.known[name].names)
        return frozenset(found)


NO_VARIABLES = Variables()


@dataclass(frozen=True, slots=True)
class Rendition:
    """What the configuration of one revision renders into the manifests of a target: folders of overlays, variables."""

    variables: Variables = NO_VARIABLES
    overlays: tuple[str, ...] = ()
