"""The exit status: what holds first wins."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from agent.cli.exits import first_of, status_of_plans, status_of_reports
from agent.cli.options import Options, TargetPlan
from agent.errors import ManifestError, PlatformFault, Problem, Where
from agent.model.change import Action
from agent.model.outcome import Outcome, Result
from agent.model.resource import Desired
from tests.unit.report import samples


def test_the_order_is_that_of_the_table() -> None:
    order = [64, 78, 5, 3, 1, 4, 2, 0]
    assert all(first_of([later, former]) == former for former, later in pairwise(order))
    assert first_of([]) == 0


CONFIGURED = Outcome(replace(samples.HELD, configured=True, reason="PruneDisabled"), Result.HELD)
UNKNOWN = Outcome(samples.HELD_UNKNOWN, Result.HELD)
DEPENDENT = Outcome(replace(samples.HELD, reason="DependencyHeld"), Result.HELD)


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), 0),
        ((samples.DONE,), 0),
        ((samples.DONE, CONFIGURED), 0),
        ((samples.FAILED,), 1),
        ((samples.LOST,), 1),
        ((samples.DONE, samples.FAILED), 5),
        ((samples.DONE, samples.SKIPPED), 5),
        ((samples.KEPT,), 4),
        ((samples.DONE, samples.KEPT), 5),
        ((samples.FAILED, samples.KEPT), 1),
        ((UNKNOWN,), 1),
        ((DEPENDENT,), 0),
        ((samples.KEPT, DEPENDENT), 4),
    ],
)
def test_the_outcomes_of_an_apply_decide(outcomes: tuple[Outcome, ...], status: int) -> None:
    assert status_of_reports([samples.report(*outcomes)]) == status


def test_invalid_manifests_and_failed_passes_count() -> None:
    invalid = samples.report(samples.DONE, problems=(samples.PROBLEM,))
    warned = samples.report(samples.DONE, problems=(replace(samples.PROBLEM, severity="warning"),))
    failed = samples.report(error="no store", error_code="store-failed")
    assert status_of_reports([invalid]) == 3
    assert status_of_reports([warned]) == 0
    assert status_of_reports([failed]) == 1
    assert status_of_reports([failed, invalid]) == 3
    assert status_of_reports([samples.report(samples.DONE, error="x", error_code="y")]) == 5


def desired(*problems: Problem) -> Desired:
    return Desired("analytics", samples.REVISION, {}, problems)


def test_a_diff_fails_only_for_what_could_not_be_read_or_is_invalid() -> None:
    whole = TargetPlan("a", samples.PLAN)
    partly = TargetPlan("a", replace(samples.PLAN, complete=False))
    error = Problem("x", "w", Where("f"))
    plain = Options()
    assert status_of_plans([whole], plain) == 0
    assert status_of_plans([partly], plain) == 1
    assert status_of_plans([TargetPlan("a", error=PlatformFault("no"))], plain) == 1
    assert status_of_plans([TargetPlan("a", error=ManifestError("bad"))], plain) == 3
    assert status_of_plans([TargetPlan("a", partly.plan, desired(error))], plain) == 3
    assert status_of_plans([TargetPlan("a", samples.IN_SYNC, desired(replace(error, severity="warning")))], plain) == 0


def test_pending_changes_give_two_only_where_asked_for_and_not_for_configured_holds() -> None:
    asked = Options(detailed_exitcode=True)
    assert status_of_plans([TargetPlan("a", samples.PLAN)], asked) == 2
    assert status_of_plans([TargetPlan("a", samples.IN_SYNC)], asked) == 0
    only_configured = replace(samples.PLAN, changes=(samples.REPORTED, CONFIGURED.change))
    assert status_of_plans([TargetPlan("a", only_configured)], asked) == 0


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("delete", samples.DELETE),
        ("replace", samples.REPLACE),
        ("drift", samples.DRIFT),
        ("drift", samples.REPORTED),
        ("held", samples.HELD),
    ],
)
def test_fail_on_refuses_its_words_and_no_others(word: str, change: samples.Change) -> None:
    plans = [TargetPlan("a", replace(samples.PLAN, changes=(change,)))]
    assert status_of_plans(plans, Options(fail_on=frozenset({word}))) == 4
    others = frozenset({"delete", "replace", "drift", "held"}) - {word}
    assert status_of_plans(plans, Options(fail_on=others)) == 0
    assert status_of_plans(plans, Options(fail_on=others, detailed_exitcode=True)) == (0 if change.configured else 2)
    assert change.action is not Action.CREATE
