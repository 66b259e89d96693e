"""What a target's operator allows: the part of the configuration that the planner reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.definitions.platform import Kind, Operation
from agent.model.judging import Judge
from agent.model.limits import Limits
from agent.model.resource import Resource
from agent.model.suspension import Suspension
from agent.model.window import OPEN, Closed

Adopt = Literal["never", "ifIdentical", "ifMarked", "always"]
Drift = Literal["heal", "report", "off"]


@dataclass(frozen=True, slots=True)
class Policy:
    """``careful`` admits operations that need a person (true in a diff, and in an apply by digest).

    ``confirm_deletes`` lifts the limits of deletes once, for exactly that many; ``confirm_changes`` those of updates
    and creates, for exactly as many as they would hold. ``drift_kinds`` has the kinds for which another mode was said.
    ``confirmed`` lifts ``unverified`` for ``Kind`` or ``Kind.operation``. ``suspended`` are what people have suspended
    and not resumed;
    ``closed`` says what the target's windows forbid at this moment. ``judge`` asks the operator's rules, None: there
    are none.
    """

    prune: bool = False
    drift: Drift = "report"
    adopt: Adopt = "ifIdentical"
    limits: Limits = field(default_factory=Limits)
    confirm_deletes: int | None = None
    confirm_changes: int | None = None
    confirmed: frozenset[str] = frozenset()
    careful: bool = False
    suspended: tuple[Suspension, ...] = ()
    closed: Closed = OPEN
    drift_kinds: Mapping[str, Drift] = field(default_factory=dict)
    judge: Judge | None = None

    def drift_of(self, resource: Resource) -> Drift:
        """The mode for one resource: its own word, that for its kind, the target's."""
        return resource.lifecycle.drift or self.drift_kinds.get(resource.key.kind) or self.drift

    def deletes_allowed(self, owned: int) -> int:
        """How many may go, or be found missing, in one pass."""
        if self.confirm_deletes is not None:
            return self.confirm_deletes
        allowed = self.limits.of_target("deletes", owned).allowed(owned)
        assert allowed is not None  # deletes always have a limit
        return allowed

    def unverified(self, kind: Kind, name: str, operation: Operation | None) -> str | None:
        """Why a write must not be sent yet, or None."""
        if kind.name in self.confirmed or f"{kind.name}.{name}" in self.confirmed:
            return None
        return kind.unverified or (operation.unverified if operation is not None else None)
