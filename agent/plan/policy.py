"""What a target's operator allows: the part of the configuration that the planner reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.definitions.platform import Kind, Operation
from agent.model.suspension import Suspension
from agent.model.window import OPEN, Closed

Adopt = Literal["never", "ifIdentical", "ifMarked", "always"]
Drift = Literal["heal", "report", "off"]


@dataclass(frozen=True, slots=True)
class Policy:
    """``careful`` admits operations that need a person (true in a diff, and in an apply by digest).

    ``confirm_deletes`` lifts the delete limit once, for exactly that many. ``confirmed`` lifts ``unverified`` for
    ``Kind`` or ``Kind.operation``. ``suspended`` are what people have suspended and not resumed;
    ``closed`` says what the target's windows forbid at this moment.
    """

    prune: bool = False
    drift: Drift = "report"
    adopt: Adopt = "ifIdentical"
    deletes_max: int = 10
    deletes_share_max: float = 0.3
    confirm_deletes: int | None = None
    confirmed: frozenset[str] = frozenset()
    careful: bool = False
    suspended: tuple[Suspension, ...] = ()
    closed: Closed = OPEN

    def deletes_allowed(self, owned: int) -> int:
        """How many may go in one pass. One always may: a share of a small inventory would forbid every delete."""
        if self.confirm_deletes is not None:
            return self.confirm_deletes
        return min(self.deletes_max, max(1, int(self.deletes_share_max * owned)))

    def unverified(self, kind: Kind, name: str, operation: Operation | None) -> str | None:
        """Why a write must not be sent yet, or None."""
        if kind.name in self.confirmed or f"{kind.name}.{name}" in self.confirmed:
            return None
        return kind.unverified or (operation.unverified if operation is not None else None)
