"""A person's word that nothing is to be written for a while, though everything is still looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.model.identity import Key
from agent.model.selector import Selector

EVERYTHING = ""


@dataclass(frozen=True, slots=True)
class Suspension:
    """``selector`` is as it was typed, :data:`EVERYTHING` for the whole target. Times are epoch seconds.

    ``until`` None: until somebody resumes it.
    """

    target: str
    selector: str
    reason: str
    who: str
    since: float
    until: float | None = None

    @property
    def what(self) -> str:
        return self.selector or f"target {self.target}"


def suspended_by(suspensions: Iterable[Suspension], key: Key, path: str) -> Suspension | None:
    """The first suspension that a resource falls under; those that are over must be left out already."""
    for each in suspensions:
        if each.selector == EVERYTHING or Selector.parse(each.selector).matches(key.kind, key.scope, key.name, path):
            return each
    return None
