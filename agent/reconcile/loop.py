"""wake -> once -> wait: the agent at work. One pass at a time over each target; a wake-up carries no content.

Called by ``cli/verbs/run`` through the wiring. A target that fails backs off alone; the others keep their pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from agent.errors import AgentError
from agent.model.identity import Revision
from agent.model.outcome import Outcome, Report, Result
from agent.reconcile import collector
from agent.reconcile.once import Wish, failed_report, reconcile_once
from agent.reconcile.status import status_document
from agent.reconcile.target import Target
from agent.report.documents import pass_document
from agent.source import Wakeups

_log = structlog.get_logger("datakeel")
_EVENTS = {
    Result.DONE: "change.applied",
    Result.NOT_DONE: "change.failed",
    Result.UNKNOWN: "change.unknown",
    Result.SKIPPED: "change.skipped",
}
_GRACE_SECONDS = 20.0  # of the 30 that a container is usually given
_BACKOFF_FIRST = 5.0
_BACKOFF_LONGEST = 900.0


@dataclass(slots=True)
class Pace:
    """When one target is looked at next, on the monotonic clock."""

    next_at: float = 0.0
    failures: int = 0
    last: Report | None = None


@dataclass(slots=True)
class Loop:
    """All targets of one source. ``stop`` ends it after what is in flight; ``interval_seconds`` is the poll's."""

    targets: Sequence[Target]
    wakeups: Wakeups
    interval_seconds: float
    tell: Callable[[Report], None] = lambda report: None
    stopping: bool = False
    paces: dict[str, Pace] = field(default_factory=dict)
    passing: asyncio.Future[Report] | None = None

    def stop(self) -> None:
        self.stopping = True
        if self.passing is not None and not self.passing.done():
            # What waits for the budget would wait for minutes; what is in flight has until then.
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, self.passing.cancel)
        self.wakeups.poke("stop")

    def is_stopping(self) -> bool:
        return self.stopping

    async def run(self) -> None:
        """Until :meth:`stop`. The first pass starts at once."""
        self.paces = {target.name: Pace() for target in self.targets}
        await self.wakeups.start()  # before the first look: what moves after it must not wait for the tick
        reason = "start"
        while not self.is_stopping():
            for target in self.targets:
                pace = self.paces[target.name]
                if not self.is_stopping() and (reason != "poll" or target.clock.monotonic() >= pace.next_at):
                    await self._interruptible(target, pace, reason)
            if self.is_stopping():
                return
            if reason == "start":
                collector.settle()
            clock = self.targets[0].clock
            wait = min(pace.next_at for pace in self.paces.values()) - clock.monotonic()
            reason = await self.wakeups.wait(max(0.0, wait))

    async def _interruptible(self, target: Target, pace: Pace, reason: str) -> None:
        """A pass that ends, when the agent is stopping, within the grace time: the journal covers what it cuts off."""
        self.passing = asyncio.ensure_future(self._pass(target, pace, reason))
        try:
            await self.passing
        except asyncio.CancelledError:
            if not self.is_stopping():
                raise
            _log.warning("pass.cut_off", target=target.name)

    async def run_once(self) -> tuple[Report, ...]:
        """One pass over every target; what ``run --once`` does."""
        self.paces = {target.name: Pace() for target in self.targets}
        return tuple([await self._pass(target, self.paces[target.name]) for target in self.targets])

    async def _pass(self, target: Target, pace: Pace, reason: str = "start") -> Report:
        began = target.clock.monotonic()
        started_at = target.clock.now()
        wish = Wish(
            interval_seconds=self.interval_seconds,
            woken_by_git=reason == "git",
            stopping=self.is_stopping,
            tell=_told,
        )
        try:
            report = await reconcile_once(target, wish)
        except AgentError as error:
            report = self._failed(target, error, started_at)
        except Exception as error:  # noqa: BLE001 - one of the three places that may
            # Our own bug in one target must not end the others; it is told in full and tried again more slowly.
            _log.exception("pass.crashed", target=target.name)
            internal = AgentError(f"an error of datakeel itself ({type(error).__name__}); the log has it in full")
            report = self._failed(target, internal, started_at)
        trouble = bool(report.error) or any(
            outcome.result in (Result.NOT_DONE, Result.UNKNOWN, Result.SKIPPED) and not outcome.terminal
            for outcome in report.outcomes
        )
        pace.failures = pace.failures + 1 if trouble else 0
        pace.last = report
        wait = self.interval_seconds
        if trouble:
            backoff = min(_BACKOFF_FIRST * 2 ** (pace.failures - 1), _BACKOFF_LONGEST)
            # Full jitter over the upper half: replicas and targets must not come back together.
            wait = backoff * (0.5 + target.random.random() / 2)
            if not report.error:
                wait = min(wait, self.interval_seconds)
        pace.next_at = began + wait
        if target.listed_at is not None and target.listed_at < began:
            # No list was read: commits that come often must not push the poll ahead of them for ever.
            pace.next_at = min(pace.next_at, max(began, target.listed_at + self.interval_seconds))
        _summary(report, target.clock.monotonic() - began, wait)
        self.tell(report)
        return report

    def _failed(self, target: Target, error: AgentError, started_at: float) -> Report:
        """A pass without a plan still tells people what it knows."""
        last = target.last.desired
        revision = last.revision if last is not None else Revision("")
        report = failed_report(target, revision, error, started_at)
        if last is not None:
            rows = target.store.rows(target.name)
            status = status_document(report, last, rows, target.api.budget.left(), self.interval_seconds)
            target.store.finish(report, pass_document(report), status)
        return report


def _summary(report: Report, seconds: float, wait: float) -> None:
    """The one line a pass that operators read."""
    facts = {
        "target": report.target,
        "revision": report.revision.short,
        "applied": report.count(Result.DONE),
        "held": sum(1 for each in report.outcomes if each.result is Result.HELD),
        "failed": report.count(Result.NOT_DONE),
        "unknown": report.count(Result.UNKNOWN),
        "calls": report.calls_total,
        "seconds": round(seconds, 3),
        "next_look_seconds": round(wait, 1),
    }
    if report.error:
        _log.warning("pass.failed", code=report.error_code, message=report.error, **facts)
    else:
        _log.info("pass.finished", **facts)


def _told(outcome: Outcome) -> None:
    """Each change as it ends. Holds are part of the summary: they would be said again in every pass."""
    event = _EVENTS.get(outcome.result)
    if event is None:
        return
    change = outcome.change
    say = _log.info if outcome.result in (Result.DONE, Result.SKIPPED) else _log.warning
    say(
        event,
        target=change.key.target,
        kind=change.key.kind,
        name=change.key.name,
        action=change.action.value,
        cause=change.cause.value,
        status=outcome.status,
        message=outcome.message,
    )
