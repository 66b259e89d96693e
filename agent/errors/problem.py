"""What can be said of a fault: where it is, what, why and what mends it; the call that it speaks of; lists of faults.

Used through ``agent.errors`` by everything that checks or tells. Values alone, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]
Landed = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file: path relative to the repository (or as the user gave it), 1-based line and column."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in an input file: ``where: severity[code]: subject: what`` and, when known, got, why and fix.

    ``what`` is one sentence without the place and without the subject (``Workflow/daily-etl``). ``got`` is the
    offending value as text, never of a sensitive field, at most 200 characters.
    """

    code: str
    what: str
    where: Where
    subject: str | None = None
    got: str | None = None
    why: str | None = None
    fix: str | None = None
    severity: Severity = "error"
    also: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """The HTTP call an error speaks of; ``path`` is the template, so that it carries no name and no secret."""

    method: str
    path: str
    status: int | None = None
    landed: Landed = "no"


@dataclass(slots=True)
class ProblemList:
    """Collects problems while an input is walked; keeps at most ``limit`` and counts the rest.

    An error is never among the rest while a warning is kept.
    """

    limit: int = 1000
    problems: list[Problem] = field(default_factory=list)
    dropped: int = 0

    def add(self, problem: Problem) -> None:
        if len(self.problems) < self.limit:
            self.problems.append(problem)
            return
        self.dropped += 1
        if problem.severity == "error":
            kept = reversed(range(self.limit))
            milder = next((at for at in kept if self.problems[at].severity != "error"), None)
            if milder is not None:
                self.problems[milder] = problem
