"""A report in the field's words."""

from __future__ import annotations

from agent.errors import Problem, Where
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key, Revision
from agent.model.outcome import Outcome, Report, Result
from agent.reconcile.conditions import conditions_of

KEY = Key("t", "Thing", (), "a")
PLAN = Plan("t", "p/v1", "d", Revision("c"), ())


def said(report: Report) -> dict[str, tuple[bool, str]]:
    return {each.type: (each.status, each.reason) for each in conditions_of(report)}


def report(*outcomes: Outcome, problems: tuple[Problem, ...] = (), plan: Plan | None = PLAN, error: str = "") -> Report:
    return Report("p", "t", Revision("c"), plan, outcomes, problems, error=error)


def outcome(result: Result, *, terminal: bool = False, configured: bool = False) -> Outcome:
    change = Change(KEY, Action.HOLD if result is Result.HELD else Action.UPDATE, configured=configured)
    return Outcome(change, result, message="why", terminal=terminal)


def test_nothing_left_to_do_is_ready() -> None:
    assert said(report()) == {"Ready": (True, "InSync")}
    assert said(report(outcome(Result.DONE))) == {"Ready": (True, "InSync")}


def test_a_hold_that_the_user_configured_is_ready() -> None:
    assert said(report(outcome(Result.HELD, configured=True)))["Ready"] == (True, "InSync")
    assert said(report(outcome(Result.HELD)))["Ready"] == (False, "ChangeHeld")


def test_a_refusal_that_stays_is_stalled_and_another_is_tried_again() -> None:
    assert said(report(outcome(Result.NOT_DONE, terminal=True))) == {
        "Ready": (False, "ChangeFailed"),
        "Stalled": (True, "Rejected"),
    }
    assert said(report(outcome(Result.NOT_DONE)))["Reconciling"] == (True, "Retrying")


def test_an_unknown_outcome_is_reconciling() -> None:
    assert said(report(outcome(Result.UNKNOWN))) == {
        "Ready": (False, "OutcomeUnknown"),
        "Reconciling": (True, "Retrying"),
    }


def test_invalid_manifests_stall_although_the_rest_goes_on() -> None:
    problem = Problem("invalid-manifest", "no", Where("a.yaml", 1, 1))
    assert said(report(outcome(Result.DONE), problems=(problem,))) == {
        "Ready": (False, "InvalidManifests"),
        "Stalled": (True, "InvalidManifests"),
    }


def test_a_pass_without_a_plan_says_why() -> None:
    assert said(report(plan=None, error="git is away")) == {
        "Ready": (False, "PassFailed"),
        "Stalled": (True, "PassFailed"),
    }
