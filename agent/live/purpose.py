"""What a call is for. Budgets rank by it and statistics count by it; it never changes what is sent."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum


class Purpose(StrEnum):
    """``rank`` decides who goes first when calls must wait: lower first; the sweep also stops at a lower mark."""

    LIST = "list"
    LOOK = "look"
    READ = "read"
    SWEEP = "sweep"
    WRITE = "write"
    CONFIRM = "confirm"
    READY = "ready"
    PROBE = "probe"
    LOGIN = "login"
    LOGS = "logs"

    @property
    def rank(self) -> int:
        return _RANKS[self]


# The calls of one change, counted where they are sent: its task sets a list of one number, and tasks inherit it.
CALLS_OF_TASK: ContextVar[list[int] | None] = ContextVar("calls_of_task", default=None)

_FIRST = (Purpose.WRITE, Purpose.LOOK, Purpose.CONFIRM, Purpose.READY, Purpose.LOGIN, Purpose.PROBE)
_RANKS = {purpose: 0 if purpose in _FIRST else 2 if purpose is Purpose.SWEEP else 1 for purpose in Purpose}
