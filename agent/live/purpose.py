"""What a call is for. Budgets rank by it and statistics count by it; it never changes what is sent."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum


class Purpose(StrEnum):
    """``rank`` decides who goes first when calls must wait: lower first. Within one rank, who came first.

    ``stops_early``: it leaves the last tenth of each window to all others, so that a change in git or an event finds
    calls at hand however long the sweep has been at work.
    """

    WRITE = "write"
    LOOK = "look"
    CONFIRM = "confirm"
    READY = "ready"
    READ = "read"
    NAMED = "named"
    LIST = "list"
    SWEEP = "sweep"
    PROBE = "probe"
    LOGIN = "login"
    LOGS = "logs"
    IMPORT = "import"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def stops_early(self) -> bool:
        return self is Purpose.SWEEP or self is Purpose.IMPORT


# What a newer commit makes pointless to wait for. Lists are not among it: the plan of the newer commit stands on the
# same ones, and they were waited for already. Of reads by key, what was read is kept, and the rest has time.
GIVEN_UP = frozenset({Purpose.LOOK, Purpose.WRITE, Purpose.CONFIRM, Purpose.READY, Purpose.READ, Purpose.SWEEP})

# The calls of one change, counted where they are sent: its task sets a list of one number, and tasks inherit it.
CALLS_OF_TASK: ContextVar[list[int] | None] = ContextVar("calls_of_task", default=None)

# Applying; its waits; what git waits for; what events name; existence; age; what nobody's agreement waits for; what can
# wait for everybody.
_CLASSES: tuple[tuple[Purpose, ...], ...] = (
    (Purpose.WRITE, Purpose.LOOK, Purpose.CONFIRM, Purpose.LOGIN, Purpose.PROBE),
    (Purpose.READY,),
    (Purpose.READ,),
    (Purpose.NAMED,),
    (Purpose.LIST,),
    (Purpose.SWEEP,),
    (Purpose.LOGS,),
    (Purpose.IMPORT,),
)
_RANKS = {purpose: rank for rank, purposes in enumerate(_CLASSES) for purpose in purposes}
