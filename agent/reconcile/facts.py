"""What is not well after a pass, as facts that people may be told of. Pure; called by ``alerts``.

Drift that is healed at once is none: history and log tell it. One cause makes one fact: what the platform refused is
told of its resource, and not once more of the target that stalls over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agent.model.alert import Fact
from agent.model.canonical import digest
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.outcome import SUPERSEDED, Outcome, Report, Result
from agent.model.resource import Desired, Resource
from agent.plan.caution import SOON

EXPIRING_SECONDS = 7 * 86_400.0
"""Before the end of a token: long enough for a person to come back from a holiday weekend."""
_REFUSED = "Rejected"
_PASSING = frozenset({"Unknown", "KindUnreadable", "SourceFailed", "PassFailed"}) | SOON
_REMOVES = frozenset({Action.DELETE, Action.REPLACE})
_MESSAGE_MAX = 500


def facts_of(report: Report, desired: Desired | None, expiries: Mapping[str, float], now: float) -> tuple[Fact, ...]:
    """Everything that is not well, one fact for each type and subject. ``expiries`` are ends of tokens, by name."""
    found: dict[tuple[str, str], Fact] = {}
    for fact in (*_of_target(report), *_of_resources(report, desired), *_of_tokens(report.target, expiries, now)):
        found.setdefault(fact.about, fact)
    return tuple(found.values())


def _of_target(report: Report) -> Iterator[Fact]:
    for condition in report.conditions:
        if condition.type != "Stalled" or not condition.status or condition.reason == _REFUSED:
            continue
        errors = [[each.where.path, each.code, each.what] for each in report.problems if each.severity == "error"]
        about = digest(errors) if condition.reason == "InvalidManifests" else ""
        message = condition.message if not errors else f"{condition.message}: {errors[0][0]}: {errors[0][2]}"
        yield Fact(
            "target.stalled",
            report.target,
            "",
            condition.reason,
            message[:_MESSAGE_MAX],
            about,
            lasting=condition.reason not in _PASSING,
        )


def _of_resources(report: Report, desired: Desired | None) -> Iterator[Fact]:
    resources = {} if desired is None else desired.resources
    for outcome in report.outcomes:
        fact = _of_outcome(outcome, resources)
        if fact is not None:
            yield fact
    for change in report.plan.drift_reported if report.plan is not None else ():
        paths = ", ".join(field.path for field in change.fields[:5])
        message = f"{change.message or 'live differs from git'}{f' ({paths})' if paths else ''}"
        yield _fact("drift.found", change, "Drift", message, resources)


def _of_outcome(outcome: Outcome, resources: Mapping[Key, Resource]) -> Fact | None:
    change, message = outcome.change, outcome.message or outcome.change.message
    if outcome.result is Result.NOT_DONE:
        reason = _REFUSED if outcome.terminal else outcome.code or "Failed"
        return _fact("change.failed", change, reason, message, resources, lasting=outcome.terminal)
    if outcome.result is Result.UNKNOWN:
        return _fact("change.failed", change, outcome.code or "OutcomeUnknown", message, resources, lasting=False)
    if outcome.result is not Result.HELD or change.configured:
        return None
    if change.reason == _REFUSED:
        return _fact("change.failed", change, _REFUSED, message, resources)
    if change.reason == "Flapping":
        return _fact("target.stalled", change, change.reason, message, resources)
    if change.would in _REMOVES:
        return _fact("delete.held", change, change.reason, message, resources, lasting=change.reason not in _PASSING)
    return None


def _of_tokens(target: str, expiries: Mapping[str, float], now: float) -> Iterator[Fact]:
    for name, end in expiries.items():
        if end - now <= EXPIRING_SECONDS:
            days = max(0.0, end - now) / 86_400
            message = f"credential {name} has ended" if end <= now else f"credential {name} ends in {days:.1f} days"
            yield Fact("token.expiring", target, f"credential/{name}", "Expiring", message, str(int(end)))


def _fact(
    type_: str, change: Change, reason: str, message: str, resources: Mapping[Key, Resource], *, lasting: bool = True
) -> Fact:
    subject, text = change.key.path, " ".join(message.split())[:_MESSAGE_MAX]
    about = resources[change.key].digest if change.key in resources else ""
    return Fact(type_, change.key.target, subject, reason, text, about, lasting)  # type: ignore[arg-type]


def unsettled(report: Report) -> frozenset[str]:
    """Subjects that are not well, or of which the pass cannot tell: what was said of them goes on to hold."""
    open_ = (each for each in report.outcomes if each.result is not Result.DONE and not each.change.configured)
    return frozenset(each.change.key.path for each in open_)


def is_whole(report: Report) -> bool:
    """Whether the pass has looked at everything that it had to look at."""
    later = report.plan is None or report.plan.later
    return not later and not any(each.code == SUPERSEDED for each in report.outcomes)


def applied(outcomes: Iterable[Outcome]) -> list[Change]:
    """What landed and came from git: what a deployment is made of."""
    return [each.change for each in outcomes if each.result is Result.DONE and each.change.cause.value == "git"]
