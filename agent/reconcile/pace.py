"""When one target is looked at next, after a pass that went well and after one that did not. Used by ``loop``."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from agent.model.outcome import Report, Result
from agent.plan.caution import SOON

_BACKOFF_FIRST = 5.0
_BACKOFF_LONGEST = 900.0


@dataclass(slots=True)
class Pace:
    """``next_at`` is on the monotonic clock; ``failures`` in a row."""

    next_at: float = 0.0
    failures: int = 0
    last: Report | None = None

    def after(self, report: Report, interval_seconds: float, random: Random) -> float:
        """Seconds from the beginning of this pass to that of the next: the interval, or a backoff after trouble."""
        trouble = in_trouble(report)
        self.failures = self.failures + 1 if trouble else 0
        self.last = report
        if not trouble:
            return interval_seconds
        wait = self._backoff(random)
        return wait if report.error else min(wait, interval_seconds)

    def failed(self, now: float, random: Random) -> None:
        """There was not even a report."""
        self.failures += 1
        self.next_at = now + self._backoff(random)

    def _backoff(self, random: Random) -> float:
        backoff: float = min(_BACKOFF_FIRST * 2 ** min(self.failures - 1, 10), _BACKOFF_LONGEST)
        # Full jitter over the upper half: replicas and targets must not come back together.
        return backoff * (0.5 + random.random() / 2)


def in_trouble(report: Report) -> bool:
    """Whether something did not come to its end and may do so before the interval is over."""
    return bool(report.error) or any(
        (outcome.result in (Result.NOT_DONE, Result.UNKNOWN, Result.SKIPPED) and not outcome.terminal)
        or outcome.change.reason in SOON
        for outcome in report.outcomes
    )
