"""One rule as it was written: what it is about, what it says, and what it means when it is true."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.errors import Where
from agent.model.verdict import Effect


@dataclass(frozen=True, slots=True)
class Match:
    """Which changes a rule is asked about; an empty tuple means all. Names, paths and targets are patterns with ``*``.

    A name's pattern is held against ``name`` and against the path below the kind, ``workspace/name``.
    """

    kinds: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def fits(self, change: Mapping[str, Any]) -> bool:
        """``change`` as the facts of ``facts.change_facts``."""
        return (
            (not self.kinds or change["kind"] in self.kinds)
            and (not self.actions or change["action"] in self.actions)
            and (not self.causes or change["cause"] in self.causes)
            and (not self.targets or _any(self.targets, change["target"]))
            and (not self.names or _any(self.names, change["name"], _below(change)))
            and (not self.paths or _any(self.paths, change["path"]))
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """``values`` are the constants of the block that the rule stands in, ``zone`` is where its ``now`` is told."""

    name: str
    effect: Effect
    expression: str
    message: str
    match: Match = Match()
    fix: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    where: Where | None = field(default=None, compare=False)


def _below(change: Mapping[str, Any]) -> str:
    return "/".join((*change["scope"].values(), change["name"]))


def _any(patterns: tuple[str, ...], *texts: str) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for text in texts for pattern in patterns)
