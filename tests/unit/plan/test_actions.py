"""An action of a manifest runs once for each generation that is live and ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.definitions.expressions import PathTemplate, Template
from agent.definitions.platform import ActionRule
from agent.model.change import Action, Change
from agent.model.identity import Key, Origin, Revision
from agent.model.inventory import InventoryRow
from agent.model.manifest import Lifecycle
from agent.model.resource import Desired, Resource
from agent.plan.actions import ActionsPlan, DueAction, may_run, plan_actions, ran
from agent.plan.cost import cost, looks_of_action
from tests.unit.live.made_up import KEY, RESOURCE, with_kind

RUN = ActionRule("run", "POST", PathTemplate("/{name}/run"))
KIND = replace(
    RESOURCE,
    actions={
        "run": RUN,
        "wipe": replace(RUN, name="wipe", careful="all is lost"),
        "guess": replace(RUN, name="guess", unverified="no path is printed"),
    },
)
PLATFORM = with_kind(KIND)
ROW = InventoryRow(KEY, "uid", in_sync=True, health="ready", applied_digest="g1")
RAN = {KEY.path: {"run": "g1"}}


def desired(actions: Mapping[str, Any], *, digest: str = "g1", key: Key = KEY, **words: Any) -> Desired:
    lifecycle = Lifecycle(actions=actions)
    resource = Resource(key, Origin("a.yaml", 1, 1), digest, lifecycle, (), dict)
    return Desired(key.target, Revision("c" * 40), {key: resource}, **words)


def planned(
    actions: Mapping[str, Any] | None = None, row: InventoryRow | None = ROW, digest: str = "g1", **words: Any
) -> ActionsPlan:
    remembered = words.pop("remembered", {})
    git = desired({"run": {"n": 1}} if actions is None else actions, digest=digest)
    return plan_actions(PLATFORM, git, {KEY: row} if row is not None else {}, remembered, **words)


def test_a_new_object_of_ours_that_is_ready_has_its_action_run() -> None:
    assert planned() == ActionsPlan((DueAction(KEY, "run", "g1", {"n": 1}),), (), {})


def test_it_is_not_run_twice_for_one_generation_and_again_for_the_next() -> None:
    assert planned(remembered=RAN).due == ()
    row = replace(ROW, applied_digest="g2")
    assert [action.generation for action in planned(row=row, digest="g2", remembered=RAN).due] == ["g2"]


def test_what_was_run_is_remembered_beside_the_rest() -> None:
    (action,) = planned().due
    assert ran({"Other/x": {"run": "g9"}}, action) == {"Other/x": {"run": "g9"}, KEY.path: {"run": "g1"}}


@pytest.mark.parametrize(
    "row",
    [
        None,
        replace(ROW, in_sync=False),
        replace(ROW, health="progressing"),
        replace(ROW, health="failed"),
        replace(ROW, health="unknown"),
        replace(ROW, applied_digest="g0"),
    ],
)
def test_it_waits_until_the_generation_is_live_and_ready(row: InventoryRow | None) -> None:
    assert planned(row=row).due == ()


def test_an_object_with_a_call_in_doubt_is_left_alone() -> None:
    assert planned(undecided={KEY}).due == ()


@pytest.mark.parametrize("proof", ["adopted", "rebuilt"])
def test_the_first_sight_of_what_we_did_not_make_is_no_change(proof: Any) -> None:
    row = replace(ROW, proof=proof)
    assert planned(row=row) == ActionsPlan((), (), RAN)
    changed = planned(row=replace(row, applied_digest="g2"), digest="g2", remembered=RAN)
    assert [action.name for action in changed.due] == ["run"]


def test_a_dangerous_or_unproved_action_needs_a_person() -> None:
    plan = planned({"run": None, "wipe": {}, "guess": {}})
    assert [action.name for action in plan.due] == ["run"]
    assert {action.name: action.why for action in plan.held} == {
        "wipe": "all is lost; datakeel act runs it",
        "guess": "no path is printed; `confirmed: [Workflow.guess]` in the target allows it",
    }
    assert [action.name for action in planned({"guess": {}}, confirmed={"Workflow.guess"}).due] == ["guess"]
    assert [action.name for action in planned({"wipe": {}}, confirmed={"Workflow"}).held] == ["wipe"]


def test_what_left_git_is_forgotten_only_when_all_of_git_was_seen() -> None:
    gone = {**RAN, "Workflow/analytics/old": {"run": "g1"}}
    assert planned(remembered=gone).generations == RAN
    assert planned(remembered=gone, whole=False).generations == gone
    torn = replace(desired({"run": {}}), complete=False)
    assert plan_actions(PLATFORM, torn, {KEY: ROW}, gone).generations == gone
    broken = replace(desired({"run": {}}), broken=frozenset({KEY._replace(name="old")}))
    assert plan_actions(PLATFORM, broken, {KEY: ROW}, gone).generations == gone


def test_resources_without_actions_cost_nothing_and_leave_nothing() -> None:
    assert plan_actions(PLATFORM, desired({}), {KEY: ROW}, {}) == ActionsPlan()
    assert planned({"unheard": {}}) == ActionsPlan()


# --- what a plan says of them before it is applied


def counted(
    row: InventoryRow | None = ROW, action: Action | None = None, digest: str = "g1", **remembered: Mapping[str, str]
) -> list[str]:
    changes = [Change(KEY, action)] if action is not None else []
    git = desired({"run": {}, "wipe": {}, "guess": {}}, digest=digest)
    known = {KEY.path: remembered["known"]} if remembered else {}
    rows = {KEY: row} if row is not None else {}
    return [rule.name for _, rule in may_run(PLATFORM, git, rows, known, changes, confirmed=())]


def test_a_plan_counts_what_may_become_due_while_it_is_applied() -> None:
    assert counted() == ["run"], "those that need a person are not run by applying"
    assert counted(None, Action.CREATE) == ["run"]
    assert counted(replace(ROW, health="progressing"), Action.UPDATE, "g2", known={"run": "g1"}) == ["run"]


def test_a_plan_counts_no_action_that_cannot_be_due() -> None:
    assert counted(known={"run": "g1"}) == []
    assert counted(action=Action.HOLD) == []
    assert counted(replace(ROW, proof="adopted")) == []
    assert counted(None, Action.ADOPT) == []


def test_an_action_costs_its_call_and_what_it_must_know() -> None:
    calls = cost([], PLATFORM, {}, 10, [(KIND, RUN, True)])
    assert (calls.write, calls.look, calls.actions, calls.apply_max) == (1, 0, 1, 1)
    by_id = replace(RUN, request=PathTemplate("/{id}/run"))
    pages = {KIND.name: 3}
    assert looks_of_action(KIND, by_id, PLATFORM, pages, known=True) == 0
    assert looks_of_action(KIND, by_id, PLATFORM, pages, known=False) >= 1
    live = replace(RUN, body=Template({"tag": "${live.tag}"}))
    assert looks_of_action(KIND, live, PLATFORM, pages, known=True) == 1
