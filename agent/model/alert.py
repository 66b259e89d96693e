"""What people are told unasked: what is not well, from its beginning to its end, and the messages about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

AlertType = Literal["drift.found", "change.failed", "target.stalled", "delete.held", "token.expiring"]
RESOLVED = "resolved"
MARKER = "revision.applied"
TYPES = ("drift.found", "change.failed", "target.stalled", "delete.held", "token.expiring", RESOLVED, MARKER)
"""Words of messages. All but the last speak of something that is not well; that one marks a deployment."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is not well now. ``subject`` is a key's path (``Workflow/daily-etl``), "" for the whole target.

    ``reason`` is one word, ``message`` a sentence without any secret. ``digest`` is that of what git asks for.
    ``lasting`` facts end only when people act, so that they are told at once; the others may end by themselves.
    """

    type: AlertType
    target: str
    subject: str
    reason: str
    message: str
    digest: str = ""
    lasting: bool = True

    @property
    def about(self) -> tuple[str, str]:
        """What tells one alert of a target from another."""
        return self.type, self.subject


@dataclass(frozen=True, slots=True)
class Alert:
    """A fact that stands, and what was said of it. ``told_at`` None: nobody was told yet. Times are epoch seconds."""

    fact: Fact
    since: float
    told_at: float | None = None
    told_times: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to one sink. ``event`` is a CloudEvents document; ``attempts`` were made in vain so far."""

    number: int
    id: str
    sink: str
    event: Mapping[str, Any]
    created_at: float
    next_at: float
    attempts: int = 0
