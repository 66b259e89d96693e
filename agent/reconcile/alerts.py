"""Tells people unasked, and not more often than they need: what has begun, what goes on, what is over.

Called after each pass; what is to be said is in the store's outbox when it returns, and ``notify`` sends it. Row by
row of the store an alert is told once, again after one hour, four hours and then each day, and once that it is over.
What ends by itself is told only when it has lasted for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from agent.errors import StoreError
from agent.model.alert import MARKER, RESOLVED, Alert, Fact, Message
from agent.model.outcome import Report, Result
from agent.reconcile.facts import applied, facts_of, is_whole, unsettled
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.report.cloud_events import State, alert_event, applied_event
from agent.store.store import Store

REMINDED_AFTER = (3600.0, 3 * 3600.0)
"""From the first message to the second, and from that to the third; from then on one a day."""
_DAILY = 86_400.0

_log = structlog.get_logger("datakeel")


@dataclass(frozen=True, slots=True)
class Wants:
    """What one sink is told: messages of these types, about these targets (None: all)."""

    sink: str
    types: frozenset[str]
    targets: frozenset[str] | None = None

    def takes(self, type_: str, target: str) -> bool:
        return type_ in self.types and (self.targets is None or target in self.targets)


@dataclass(slots=True)
class Alerts:
    """``wants`` asks which sinks there are now; ``scrub`` takes secrets out of a document; ``wake`` makes it be sent.

    ``patience_seconds`` is how long something that may end by itself must last before it is told.
    """

    store: Store
    wants: Callable[[], Sequence[Wants]]
    patience_seconds: Callable[[], float]
    scrub: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    wake: Callable[[], None] = lambda: None

    def after(self, target: Target, report: Report, wish: Wish) -> None:
        """A pass has ended. A store that cannot be written costs a message, never a pass."""
        wants = self.wants()
        if not wants:
            return
        try:
            lost = self._keep(target, report, wish, wants)
        except StoreError as error:
            _log.warning("alerts.lost", target=target.name, message=error.what)
            return
        if lost:
            _log.warning("notifications.dropped", target=target.name, messages=lost, why="too many wait")
        self.wake()

    def _keep(self, target: Target, report: Report, wish: Wish, wants: Sequence[Wants]) -> int:
        now = target.clock.now()
        standing = {alert.fact.about: alert for alert in self.store.alerts(target.name)}
        ends = target.api.authorizer.expiries
        facts = {fact.about: fact for fact in facts_of(report, target.last.desired, ends, now)}
        put, said = [], list[tuple[Alert, State]]()
        for about, fact in facts.items():
            alert, state = self._stands(standing.get(about), fact, now)
            if alert != standing.get(about):
                put.append(alert)
            if state is not None:
                said.append((alert, state))
        gone = [about for about, alert in standing.items() if about not in facts and _is_over(alert, target, report)]
        said += [(standing[about], "resolved") for about in gone if standing[about].told_at is not None]
        messages = [message for alert, state in said for message in self._messages(target, report, alert, state, wants)]
        messages += self._marker(target, report, wish, wants)
        if not put and not gone and not messages:
            return 0
        return self.store.keep_alerts(target.name, put, gone, messages)

    def _stands(self, before: Alert | None, fact: Fact, now: float) -> tuple[Alert, State | None]:
        """The alert as it is from now on, and what is said of it."""
        since = now if before is None else before.since
        if before is None or _is_news(before.fact, fact):
            before = Alert(fact, since)
        alert = replace(before, fact=fact)
        if alert.told_at is None:
            if not fact.lasting and now - since < self.patience_seconds():
                return alert, None
            return replace(alert, told_at=now, told_times=1), "found"
        pause = REMINDED_AFTER[alert.told_times - 1] if alert.told_times <= len(REMINDED_AFTER) else _DAILY
        if now - alert.told_at < pause:
            # The words may differ from pass to pass, as a countdown does: that is no news.
            return replace(alert, fact=replace(fact, message=before.fact.message)), None
        return replace(alert, told_at=now, told_times=alert.told_times + 1), "reminder"

    def _messages(
        self, target: Target, report: Report, alert: Alert, state: State, wants: Sequence[Wants]
    ) -> list[Message]:
        now, id_ = target.clock.now(), target.new_id()
        type_ = RESOLVED if state == "resolved" else alert.fact.type
        takers = [one for one in wants if one.takes(type_, target.name) and one.takes(alert.fact.type, target.name)]
        return self._to(takers, alert_event(alert, state, report.revision, id_=id_, now=now), id_, now)

    def _marker(self, target: Target, report: Report, wish: Wish, wants: Sequence[Wants]) -> list[Message]:
        """A deployment: a pass has applied something that git asked for."""
        changes = applied(report.outcomes)
        takers = [one for one in wants if one.takes(MARKER, target.name)]
        if not changes or not takers or wish.selects is not None:
            return []
        now, id_ = target.clock.now(), target.new_id()
        failed = report.count(Result.NOT_DONE)
        return self._to(
            takers, applied_event(target.name, report.revision, changes, failed, id_=id_, now=now), id_, now
        )

    def _to(self, takers: Sequence[Wants], event: Mapping[str, Any], id_: str, now: float) -> list[Message]:
        event = self.scrub(event)
        return [Message(0, id_, one.sink, event, now, now) for one in takers]


def _is_news(before: Fact, fact: Fact) -> bool:
    """Another reason, or another manifest; what may end by itself changes its reason from look to look."""
    return before.digest != fact.digest or (before.reason != fact.reason and (before.lasting or fact.lasting))


def _is_over(alert: Alert, target: Target, report: Report) -> bool:
    """Whether what was not well is well again, as against not looked at."""
    fact = alert.fact
    if fact.type == "token.expiring":
        return bool(target.api.authorizer.expiries) or report.plan is not None
    if not fact.subject:
        return report.plan is not None and is_whole(report)
    if is_whole(report):
        return fact.subject not in unsettled(report)
    desired = target.last.desired
    named = {} if desired is None else {key.path: key for key in desired.resources}
    rows = {key.path: row for key, row in target.store.rows(target.name).items()}
    row = rows.get(fact.subject)
    return row.in_sync if row is not None else fact.subject not in named
