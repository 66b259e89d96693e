"""The sign of life of the loop, for who would restart a process that hangs.

A pass may last for hours where the budget makes it wait, so that one is going on proves nothing: it lives while it
sends calls or waits for its budget. Everything else that it waits for has a deadline of minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.reconcile.target import Target


@dataclass(slots=True)
class Pulse:
    """``at`` is the moment of the last beat on the monotonic clock, None before the first."""

    at: float | None = None
    sent: int = -1

    def beat(self, now: float) -> None:
        self.at = now

    def beside(self, target: Target) -> None:
        """Beside a pass over this target: a beat if anything moves."""
        sent = sum(target.api.calls.values())
        if sent != self.sent or target.api.budget.is_waiting:
            self.sent = sent
            self.beat(target.clock.monotonic())
