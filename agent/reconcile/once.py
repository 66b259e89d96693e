"""The walk, in eight calls: fetch, load, validate, observe, plan, limit, apply, finish.

``looking`` is the reading half that ``validate`` and ``diff`` use; ``reconcile_once`` goes on to apply. There is no
second path: what a diff shows is what a pass does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from agent.apply.executor import apply_plan
from agent.apply.readback import Work
from agent.apply.readiness import Readiness
from agent.apply.request import WriteStep
from agent.apply.wiring import Wiring
from agent.live.api import WriteApi
from agent.live.bulk import in_bulk
from agent.live.haste import is_overtaken
from agent.model.outcome import Outcome, Report, Result
from agent.reconcile.actions import run_actions, suspended_of
from agent.reconcile.beforehand import system_of
from agent.reconcile.conditions import conditions_of
from agent.reconcile.files import MEMORY as UPLOADS
from agent.reconcile.files import RevisionFiles, still_named
from agent.reconcile.grounding import CONFIRMED_AT, confirmed_at
from agent.reconcile.heads import trusted_after
from agent.reconcile.looking import Look, look
from agent.reconcile.memory import remember
from agent.reconcile.ownership import settle_words
from agent.reconcile.protection import lift_protection
from agent.reconcile.refusals import MEMORY as REFUSED
from agent.reconcile.refusals import refusals_after, refusals_of
from agent.reconcile.setback import set_back_after
from agent.reconcile.status import status_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.report.documents import pass_document
from agent.report.waiting import waiting_document


async def reconcile_once(target: Target, wish: Wish, seen: Look | None = None) -> Report:
    """One pass over one target; every outcome is committed before the next step, the report at the end.

    ``seen`` is a look that a person has just confirmed: it is not taken again, and what has aged meanwhile is looked
    at once more right before its write.
    """
    started_at, before = target.clock.now(), Counter(target.api.calls)
    pass_id = target.new_id()
    seen = seen or await look(target, wish)
    with in_bulk(len(seen.plan.writes)):
        outcomes = await apply_plan(_work(target, wish, seen, pass_id))
    remember(target, seen.desired, seen.observed, seen.plan, seen.ground)
    if not seen.plan.later:
        lift_protection(target, seen.desired, seen.plan)
    settle_words(target, seen.desired, whole=wish.selects is None)
    if not wish.stopping():
        outcomes += await _actions(target, wish, seen, outcomes, pass_id)
    report = Report(
        pass_id,
        target.name,
        seen.desired.revision,
        seen.plan,
        outcomes,
        seen.desired.problems,
        {purpose: count - before[purpose] for purpose, count in target.api.calls.items() if count > before[purpose]},
        started_at,
        target.clock.now(),
    )
    report = replace(report, conditions=conditions_of(report, target.heads.stalled))
    finish(target, report, seen, wish)
    if wish.selects is None:
        target.blocked = frozenset([*seen.ground.waiting, *seen.ground.needed])
    if is_overtaken():
        target.fresh.keep(seen.observed, outcomes, seen.ground.deciding, seen.looked_at)
    elif not wish.hurried and wish.selects is None:
        target.fresh.forget()
    if target.last.specs is not None:
        target.last.specs.release()
    return report


async def _actions(
    target: Target, wish: Wish, seen: Look, outcomes: tuple[Outcome, ...], pass_id: str
) -> tuple[Outcome, ...]:
    """What ``lifecycle.actions`` asks for, once a generation, of objects that are there and not in doubt."""
    lost = {outcome.change.key for outcome in outcomes if outcome.result is Result.UNKNOWN}
    return await run_actions(
        target,
        seen.desired,
        {*seen.ground.deciding, *lost, *suspended_of(seen.desired, seen.ground.policy)},
        pass_id,
        target.new_id,
        whole=wish.selects is None,
    )


def finish(target: Target, report: Report, seen: Look, wish: Wish) -> None:
    """History, status and the target's memory, in the store."""
    rows = target.store.rows(target.name)
    status = status_of(target, report, seen.desired, rows, wish.interval_seconds)
    kept = target.store.target_memory(target.name)
    whole = wish.selects is None
    held = {change.reason for change in seen.plan.held}
    settled = whole and not seen.plan.later
    memory = {
        **system_of(target),
        CONFIRMED_AT: confirmed_at(kept, report, asked=wish.confirm_changes is not None),
        **trusted_after(kept, report.revision, held, target.clock.now(), whole=settled),
        REFUSED: refusals_after(
            report.outcomes, seen.desired, seen.observed, seen.ground, seen.caution, refusals_of(kept)
        ),
        **set_back_after(kept, held, whole=settled),
        "admitted": report.revision.commit,
        "manifests": len(seen.desired.resources),
        "actions": kept.get("actions", {}),
        UPLOADS: still_named(target.store, target.name, seen.desired, whole=whole),
    }
    left = waiting_document(report, seen.desired) if whole else None
    target.store.finish(report, pass_document(report), status, memory=memory, waiting=left)


def _work(target: Target, wish: Wish, seen: Look, pass_id: str) -> Work:
    api = target.api
    if not isinstance(api, WriteApi):
        raise AssertionError("a reading connection cannot apply")
    step = WriteStep(
        api,
        target.store,
        target.secrets,
        target.clock,
        lambda: target.new_id(),
        pass_id,
        seen.desired.revision.commit,
        seen.ground.rows,
        wish.stopping,
        seen.looked_at,
    )
    return Work(
        seen.plan,
        seen.desired,
        seen.observed,
        seen.ground,
        api,
        step,
        Wiring(step, target.platform.kinds, RevisionFiles(target.source, target.store, target.name)),
        target.secrets,
        target.clock,
        target.random,
        Readiness(api, target.clock, target.config.ready_timeout_seconds),
        seen.looked_at,
        target.config.concurrency,
        wish.wait_for_all,
        wish.stopping,
        wish.tell,
        wish.begin,
    )
