"""What has happened since this process began, in numbers: the loop counts, whoever measures reads. Never in the store.

Filled by ``loop``, read by ``measures`` within the same event loop. It grows with targets, kinds and sorts of outcome,
and with what drifts at the moment; never with time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.model.histogram import PASS_BOUNDS, Histogram
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.store.history import result_word

RESULTS = ("applied", "unchanged", "held", "invalid", "partly applied", "failed")
"""How a pass may end, as :func:`agent.store.history.result_word` words it."""
FINE = frozenset({"applied", "unchanged", "held"})
"""How a pass ends that did all it could; what is held waits for a person or for its time."""


@dataclass(slots=True)
class Tally:
    """``passes`` by target and how they ended, ``changes`` by target, kind, action and outcome, ``wakeups`` by reason.

    ``drifted`` tells for what is reported to have drifted when this process saw it first, in epoch seconds.
    """

    passes: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=lambda: Histogram(PASS_BOUNDS))
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    wakeups: Counter[str] = field(default_factory=Counter)
    notifications: Counter[tuple[str, str]] = field(default_factory=Counter)  # attempts by sink and result
    succeeded_at: dict[str, float] = field(default_factory=dict)
    drifted: dict[str, dict[Key, float]] = field(default_factory=dict)

    def passed(self, report: Report, seconds: float) -> None:
        word = result_word(report)
        self.passes[report.target, word] += 1
        self.seconds.note(seconds)
        if word in FINE:
            self.succeeded_at[report.target] = report.finished_at
        for outcome in report.outcomes:
            change = outcome.change
            action = (change.would or change.action).value
            self.changes[report.target, change.key.kind, action, outcome.result.value] += 1
        if report.plan is not None:
            known = self.drifted.get(report.target, {})
            self.drifted[report.target] = {
                change.key: known.get(change.key, report.finished_at) for change in report.plan.drift_reported
            }

    def woken(self, reasons: Iterable[str]) -> None:
        self.wakeups.update(reasons)
