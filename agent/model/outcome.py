"""What happened: the outcome of one change, the report of one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.errors import Problem
from agent.model.change import Change, Plan
from agent.model.condition import Condition
from agent.model.identity import Revision

REPORT_FORMAT = "datakeel.report/1"
SUPERSEDED = "Superseded"
"""Code of an outcome: not begun, because a newer commit is there."""


class Result(StrEnum):
    """How one change ended. ``unknown`` is looked at by the next pass, never resent; ``skipped`` waited for another."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``terminal`` marks a refusal that is not tried again until an input changes; ``in_use`` that of a delete which
    another object stands in the way of, ``taken`` that of a create whose name something has, ours or not.
    """

    change: Change
    result: Result
    calls: int = 0
    code: str = ""
    message: str = ""
    status: int | None = None
    ready: bool | None = None
    ready_after_seconds: float | None = None
    terminal: bool = False
    in_use: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One pass over one target. Times are epoch seconds; ``calls`` maps a purpose to the calls that were sent."""

    pass_id: str
    target: str
    revision: Revision
    plan: Plan | None
    outcomes: tuple[Outcome, ...] = ()
    problems: tuple[Problem, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    started_at: float = 0.0
    finished_at: float = 0.0
    conditions: tuple[Condition, ...] = ()
    error: str = ""  # one sentence when the pass itself failed
    error_code: str = ""

    def count(self, result: Result) -> int:
        return sum(1 for outcome in self.outcomes if outcome.result is result)

    @property
    def calls_total(self) -> int:
        return sum(self.calls.values())
