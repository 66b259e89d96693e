"""A place that fails each call is left alone for a moment: an outage must not cost a try for each of many objects.

Used by ``api`` for every call of a target. Pure but for the moments that it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OPENS_AFTER = 6
"""Calls in a row without an answer, or answered 5xx: two reads with all their attempts."""
TRIAL_SECONDS = 2.0
"""How often one call may find out whether it is over."""


@dataclass(slots=True)
class Circuit:
    """``failures`` in a row; the circuit is open from :data:`OPENS_AFTER` on."""

    failures: int = 0
    tried_at: float = 0.0
    why: str = ""  # of the last failure

    def lets(self, now: float) -> bool:
        """Whether a call may go. While it is open, one in a while may: the trial."""
        if self.failures < OPENS_AFTER:
            return True
        if now - self.tried_at < TRIAL_SECONDS:
            return False
        self.tried_at = now
        return True

    def note(self, now: float, why: str | None) -> None:
        """How a call ended that was let go: why it failed, None when it was answered."""
        self.failures = self.failures + 1 if why is not None else 0
        self.why = why or ""
        if self.failures == OPENS_AFTER:
            self.tried_at = now


@dataclass(slots=True)
class Circuits:
    """One circuit a collection (a path without its last step): a kind that fails does not silence the others."""

    known: dict[str, Circuit] = field(default_factory=dict)

    def of(self, target: str) -> Circuit:
        """The circuit of a request line."""
        return self.known.setdefault(target.partition("?")[0].rpartition("/")[0], Circuit())
