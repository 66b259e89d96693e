"""What a person asks of a running agent through the store: look now, and tell how a commit fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LookRequest:
    """One request for one target. Times are epoch seconds, by the clock of whoever wrote them.

    ``revision`` is a commit id or the beginning of one, None for whatever is newest. ``seen_at`` is when an agent took
    it up. ``answer``: ``{status, revision, short, applied, held, failed, unknown, invalid, pass_id, error}``, where
    ``status`` is what ``apply`` would have ended with.
    """

    number: int
    target: str
    revision: str | None
    who: str
    asked_at: float
    seen_at: float | None = None
    answered_at: float | None = None
    answer: Mapping[str, Any] | None = None
