"""What a person wants to be imported, as far as words can say it: kinds, objects, places. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.cli.options import Options, Selector
from agent.model.identity import Key


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for: ``chosen`` kinds and objects (all where empty), where they stand, and what to leave."""

    chosen: tuple[Selector, ...]
    where: Mapping[str, str]
    options: Options
    since_inventory: bool = False
    content: bool = True  # False: a list of strays is all that is asked for

    def means(self, key: Key) -> bool:
        if not self.where.items() <= dict(key.scope).items():
            return False
        named = not self.chosen or any(one.matches(key.kind, key.scope, key.name) for one in self.chosen)
        return named and self.options.selects(key.kind, key.scope, key.name)

    def may_mean(self, kind: str) -> bool:
        """Whether any object of a kind can be meant: a list of which nothing is wanted is a call too many."""
        only = self.options.only
        chosen = [one for one in only if not one.exclude]
        named = (not self.chosen or self.names(kind)) and (not chosen or any(one.kind == kind for one in chosen))
        return named and not any(one.exclude and one.kind == kind and not one.names for one in only)

    def names(self, kind: str) -> bool:
        """Whether the kind itself was asked for by name, so that not getting it is a failure."""
        return any(one.kind == kind for one in self.chosen)
