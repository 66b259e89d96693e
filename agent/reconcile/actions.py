"""The actions of manifests, after the changes of a pass: what is due is run, what needs a person is told.

Called by ``once``. What to run is decided in ``plan/actions``; the sending is ``apply/actions``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from agent.apply.actions import ActionStep, remember_generations, run_due
from agent.live.api import WriteApi
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.outcome import Outcome, Result
from agent.model.resource import Desired
from agent.model.suspension import suspended_by
from agent.plan.actions import DueAction, plan_actions
from agent.plan.policy import Policy
from agent.reconcile.target import Target


async def run_actions(
    target: Target,
    desired: Desired,
    undecided: Collection[Key],
    pass_id: str,
    new_id: Callable[[], str],
    *,
    whole: bool,
) -> tuple[Outcome, ...]:
    """Run what is due, and tell what is held. ``whole`` False: only a part of the target was looked at.

    A resource that was not looked at in this pass is judged by its row, which says when it was ready last.
    """
    if not any(resource.lifecycle.actions for resource in desired.special.values()) and not _remembered(target):
        return ()
    assert isinstance(target.api, WriteApi)
    rows = target.store.rows(target.name)
    plan = plan_actions(
        target.platform,
        desired,
        rows,
        _remembered(target),
        confirmed=target.config.confirmed,
        undecided=undecided,
        whole=whole,
    )
    remember_generations(target.store, target.name, plan.generations)
    step = ActionStep(
        target.api,
        target.store,
        target.clock,
        new_id,
        target.secrets.fingerprint,
        pass_id=pass_id,
        revision=desired.revision.commit,
    )
    performed = await run_due(step, plan.due, rows, lambda key: desired.resources[key].read())
    return (*(each.outcome() for each in performed), *(_held(action) for action in plan.held))


def _remembered(target: Target) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = target.store.target_memory(target.name).get("actions", {})
    return found


def _held(action: DueAction) -> Outcome:
    """Configured: whoever wrote a dangerous action into a manifest knows that a person runs it."""
    message = f"action `{action.name}` is due: {action.why}"
    change = Change(action.key, Action.HOLD, reason="ActionHeld", message=message, configured=True)
    return Outcome(change, Result.HELD, code="ActionHeld", message=message)


def suspended_of(desired: Desired, policy: Policy) -> set[Key]:
    """What a person has suspended: nothing is asked of it either."""
    if not policy.suspended:
        return set()
    resources = desired.resources
    return {key for key, each in resources.items() if suspended_by(policy.suspended, key, each.origin.path) is not None}
