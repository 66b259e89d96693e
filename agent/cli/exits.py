"""The exit status: what a report or a set of plans means for whoever called us, decided after all output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from agent.errors import (
    EXIT_CHANGES,
    EXIT_CONFIG,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INVALID,
    EXIT_PARTLY,
    EXIT_REFUSED,
    EXIT_USAGE,
)

if TYPE_CHECKING:
    from agent.cli.options import Options, TargetPlan
    from agent.errors import Refused
    from agent.model.change import Plan
    from agent.model.outcome import Report

_RANK = (EXIT_USAGE, EXIT_CONFIG, EXIT_PARTLY, EXIT_INVALID, EXIT_FAILED, EXIT_REFUSED, EXIT_CHANGES, EXIT_DONE)
_HELD_BY_FAILURE = frozenset({"Unknown", "NeedsDecision"})  # nobody refused: the platform could not tell
_HELD_BY_OTHERS = frozenset({"DependencyHeld"})  # the cause has a status of its own


def first_of(statuses: Iterable[int]) -> int:
    """The one that is told when several hold."""
    return min(statuses, key=_RANK.index, default=EXIT_DONE)


def status_of_reports(reports: Sequence[Report]) -> int:
    """``apply``: done, partly done, invalid, failed or refused."""
    return first_of(_status_of_report(report) for report in reports)


def _status_of_report(report: Report) -> int:
    from agent.model.outcome import Result

    statuses = {EXIT_DONE}
    landed = report.count(Result.DONE) > 0
    if any(problem.severity == "error" for problem in report.problems):
        statuses.add(EXIT_INVALID)
    trouble = bool(report.error)
    if report.plan is not None and not report.plan.complete and EXIT_INVALID not in statuses:
        statuses.add(EXIT_FAILED)  # something could not be read: nobody knows that all is well
    if report.error or report.count(Result.NOT_DONE) or report.count(Result.UNKNOWN):
        statuses.add(EXIT_FAILED)
        trouble = True
    if report.count(Result.SKIPPED):
        statuses.add(EXIT_FAILED)
        trouble = True
    for outcome in report.outcomes:
        if outcome.result is not Result.HELD or outcome.change.configured:
            continue
        if outcome.change.reason in _HELD_BY_OTHERS:
            continue
        statuses.add(EXIT_FAILED if outcome.change.reason in _HELD_BY_FAILURE else EXIT_REFUSED)
        trouble = True
    if landed and trouble:
        statuses.add(EXIT_PARTLY)
    return first_of(statuses)


def status_of_plans(plans: Sequence[TargetPlan], options: Options) -> int:
    """``diff``: failed when not everything could be read, refused or changed only where asked for."""
    statuses = {EXIT_DONE}
    for one in plans:
        if one.error is not None:
            statuses.add(one.error.exit_status)
        if one.desired is not None and one.desired.errors:
            statuses.add(EXIT_INVALID)
        if one.plan is None:
            continue
        if not one.plan.complete and not (one.desired is not None and one.desired.errors):
            statuses.add(EXIT_FAILED)
        if failing([one], options):
            statuses.add(EXIT_REFUSED)
        if options.detailed_exitcode and any(not change.configured for change in one.plan.changes):
            statuses.add(EXIT_CHANGES)
    if too_many_calls(plans, options) is not None:
        statuses.add(EXIT_REFUSED)
    return first_of(statuses)


def too_many_calls(plans: Sequence[TargetPlan], options: Options) -> Refused | None:
    """The refusal of plans whose applying may send more than ``--max-calls``; what making them took is not counted."""
    from agent.errors import Refused
    from agent.report.text import calls_by_purpose
    from agent.report.values import counted

    made = [one.plan for one in plans if one.plan is not None]
    needed = sum(plan.calls.apply_max for plan in made)
    if options.max_calls is None or needed <= options.max_calls:
        return None
    return Refused(
        f"applying this may send {counted(needed, 'call')}, and --max-calls allows {options.max_calls}",
        code="too-many-calls",
        why=f"at most {calls_by_purpose(made)}",
        fix="apply a part of it with --only, or allow more",
    )


def denied(plans: Iterable[Plan]) -> Refused | None:
    """The refusal of plans of which a rule of the policy denies a part: a person then sends nothing of them."""
    from agent.errors import Refused
    from agent.report.values import counted
    from agent.report.verdicts import said_of

    said = [one for plan in plans for one in said_of(plan) if one.effect == "deny"]
    if not said:
        return None
    without = " ".join(f"--only '!{name}'" for name in dict.fromkeys(name for one in said for name in one.names))
    more = f"; and {counted(len(said) - 1, 'rule')} more" if said[1:] else ""
    return Refused(
        f"the policy denies a part of this plan: {said[0].sentence}{more}",
        code="policy-denied",
        why="; ".join(one.sentence for one in said[1:6]) or None,
        fix=f"{said[0].fix or 'change what the commit asks for'}; or apply the rest: {without}",
    )


def refusals_of(plans: Sequence[TargetPlan], options: Options) -> list[Refused]:
    """What the limits of the command line say of these plans, in words."""
    from agent.errors import Refused

    found = [refusal] if (refusal := too_many_calls(plans, options)) is not None else []
    if words := failing(plans, options):
        found.append(
            Refused(
                f"the plan has what --fail-on names: {', '.join(words)}",
                code="fail-on",
                fix="look at it; apply it on purpose, or change what the commit asks for",
            )
        )
    return found


def failing(plans: Sequence[TargetPlan], options: Options) -> list[str]:
    """The words of ``--fail-on`` that hold of these plans."""
    found = {word for one in plans if one.plan is not None for word in _kinds_of(one.plan.changes)}
    found |= {"policy" for one in plans if one.plan is not None and one.plan.denied}
    return sorted(options.fail_on & found)


def _kinds_of(changes: Iterable[object]) -> set[str]:
    from agent.model.change import Action, Cause, Change

    kinds = set()
    for change in changes:
        assert isinstance(change, Change)
        if change.action in (Action.DELETE, Action.REPLACE):
            kinds.add(change.action.value)
        if change.action is Action.HOLD and not change.configured:
            kinds.add("held")
        if change.action is Action.NONE or (change.cause is Cause.DRIFT and change.action is not Action.HOLD):
            kinds.add("drift")
    return kinds
