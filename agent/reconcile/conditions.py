"""Report -> conditions in the field's words: Ready, Reconciling, Stalled. Pure."""

from __future__ import annotations

from agent.model.condition import Condition
from agent.model.outcome import Outcome, Report, Result
from agent.plan.caution import STANDING


def conditions_of(report: Report, source: str = "") -> tuple[Condition, ...]:
    """Ready: git and live agree. Stalled: people must act. Reconciling: the next pass goes on by itself.

    ``source`` says why git cannot be read, once that has lasted; "" while it can, or may again soon.
    """
    since = report.finished_at
    if report.plan is None:
        return (
            Condition("Ready", False, "PassFailed", report.error, since),
            Condition("Stalled", True, "PassFailed", report.error, since),
        )
    failed = [outcome for outcome in report.outcomes if outcome.result is Result.NOT_DONE]
    unsettled = [outcome for outcome in report.outcomes if outcome.result in (Result.UNKNOWN, Result.SKIPPED)]
    held = [outcome for outcome in report.outcomes if outcome.result is Result.HELD and not outcome.change.configured]
    invalid = [problem for problem in report.problems if problem.severity == "error"]
    stalled = [outcome for outcome in failed if outcome.terminal]
    stalled += [outcome for outcome in held if outcome.change.reason in STANDING]
    later = report.plan.later
    ready = not (failed or unsettled or held or invalid or later)
    found = [Condition("Ready", ready, *_reason(failed, unsettled, held, len(invalid), later), since)]
    if source:
        found.append(Condition("Stalled", True, "SourceFailed", f"{source}; the last admitted revision holds", since))
    elif stalled or invalid:
        why = f"{len(invalid)} invalid manifests" if invalid else _first(stalled)
        found.append(Condition("Stalled", True, "InvalidManifests" if invalid else "Rejected", why, since))
    if unsettled or later or any(not outcome.terminal for outcome in failed):
        found.append(Condition("Reconciling", True, "Retrying", "the next pass goes on", since))
    return tuple(found)


def _reason(
    failed: list[Outcome], unsettled: list[Outcome], held: list[Outcome], invalid: int, later: int
) -> tuple[str, str]:
    if failed:
        return "ChangeFailed", _first(failed)
    if later:
        return "Unfinished", f"{later} resources have yet to be looked at; a newer commit went first"
    if unsettled:
        return "OutcomeUnknown", _first(unsettled)
    if invalid:
        return "InvalidManifests", f"{invalid} invalid manifests"
    if held:
        return "ChangeHeld", _first(held)
    return "InSync", "git and live agree"


def _first(outcomes: list[Outcome]) -> str:
    more = f" (and {len(outcomes) - 1} more)" if len(outcomes) > 1 else ""
    return f"{outcomes[0].change.key}: {outcomes[0].message}{more}"
