"""The walk, in eight calls: fetch, load, validate, observe, plan, limit, apply, finish.

``look`` is the reading half that ``validate`` and ``diff`` use; ``reconcile_once`` goes on to apply. There is no second
path: what a diff shows is what a pass does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agent.apply.executor import apply_plan
from agent.apply.readback import Work
from agent.apply.readiness import Readiness
from agent.apply.request import WriteStep
from agent.apply.wiring import Wiring
from agent.live.api import WriteApi
from agent.live.bulk import in_bulk
from agent.live.haste import is_overtaken
from agent.live.memory import Memory
from agent.live.observe import observe
from agent.live.purpose import Purpose
from agent.model.change import Change, Plan
from agent.model.identity import Key, Revision
from agent.model.inventory import InventoryRow
from agent.model.outcome import Outcome, Report, Result
from agent.model.ownership import Word
from agent.model.resource import Desired, Observed
from agent.plan.caution import HEEDLESS, Caution
from agent.plan.ground import Ground
from agent.plan.planner import make_plan
from agent.plan.policy import Policy
from agent.plan.waiting import hold_waiting
from agent.reconcile import collector
from agent.reconcile.actions import run_actions, suspended_of
from agent.reconcile.beforehand import damaged, in_doubt, same_system, system_of, unclaimed_of
from agent.reconcile.conditions import conditions_of
from agent.reconcile.desired import read_desired
from agent.reconcile.files import MEMORY as UPLOADS
from agent.reconcile.files import RevisionFiles, still_named
from agent.reconcile.grounding import CONFIRMED_AT, census_of, confirmed_at, expect_specs, ground_of, less_known
from agent.reconcile.heads import head_of, trusted_after
from agent.reconcile.memory import remember
from agent.reconcile.neighbours import crossed, handover, needed_elsewhere, waiting, with_handed
from agent.reconcile.ownership import settle_words
from agent.reconcile.protection import lift_protection, raise_protection
from agent.reconcile.references import read_references
from agent.reconcile.refusals import MEMORY as REFUSED
from agent.reconcile.refusals import caution_of, refusals_after, refusals_of
from agent.reconcile.reported import standing
from agent.reconcile.rotations import rotated
from agent.reconcile.schedule import due_reads, swept
from agent.reconcile.setback import set_back_after
from agent.reconcile.status import status_of
from agent.reconcile.target import Target
from agent.report.documents import pass_document
from agent.report.waiting import waiting_document


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants of a pass. ``selects`` narrows it to some resources.

    ``interval_seconds`` paces freshness reads (an hour's worth for a single run); ``wait_for_all`` waits until ready.
    ``ignore_windows`` writes although the target's windows are closed, which only a person may ask for.
    ``words`` are planned as if a person had said them of single objects. ``lists_wait``: lists are not due, so that
    only what needs a look is read, by key. ``sweeps``: what is old is read too; the loop reads it between its passes.
    ``hurried``: only what git changed while a long pass was under way is read and applied.
    ``preceding`` are targets that the same command applies before this one.
    ``named`` and ``old`` are read whatever is remembered of them, since an event named them or it is their turn; a
    ``glance`` reads nothing else.
    ``patient``: what the platform refused is not sent again before an input changes, and drift that was reported is not
    read again before it is due; a person's pass does both. ``proposed``: nobody merged the revision yet.
    """

    revision: Revision | None = None
    fresh: bool = False
    careful: bool = False
    confirm_deletes: int | None = None
    confirm_changes: int | None = None
    ignore_windows: bool = False
    wait_for_all: bool = False
    interval_seconds: float = 3600.0
    selects: Callable[[Key, str], bool] | None = None
    lists_wait: bool = False
    sweeps: bool = True
    named: frozenset[Key] = frozenset()
    words: Mapping[Key, Word] = field(default_factory=dict)
    old: frozenset[Key] = frozenset()
    glance: bool = False
    hurried: bool = False
    patient: bool = False
    proposed: bool = False
    preceding: frozenset[str] = frozenset()
    stopping: Callable[[], bool] = lambda: False
    tell: Callable[[Outcome], None] = lambda outcome: None
    begin: Callable[[Change], None] = lambda change: None


@dataclass(frozen=True, slots=True)
class Look:
    """The reading half of a pass."""

    desired: Desired
    observed: Observed
    ground: Ground
    plan: Plan
    looked_at: float
    caution: Caution = HEEDLESS


async def look(target: Target, wish: Wish) -> Look:
    """fetch -> validate -> observe -> plan. Sends reads only; raises SourceError, Refused, StoreError."""
    before = Counter(target.api.calls)
    known = target.last.desired
    head = await head_of(target, wish.revision, proposed=wish.proposed)
    target.walking = head.revision.commit
    desired = crossed(target, _desired(target, head.revision, wish))
    await same_system(target)
    if wish.selects is None and not wish.glance:
        target.fresh.note(known, desired)
    if isinstance(target.api, WriteApi):
        raise_protection(target, desired)
    await target.blocking(target.secrets.renew)
    words = {**target.store.words(target.name), **wish.words}
    undecided = {**damaged(target, desired, words), **await in_doubt(target, desired)}
    unclaimed = unclaimed_of(target, desired, undecided) if wish.selects is None and not wish.glance else {}
    whole, moving = desired, handover(target, desired)
    desired, rows = _narrowed(target, desired, wish)
    if moving.handed:
        rows = with_handed(target, rows, desired.resources, moving.handed)
    policy = target.policy(
        desired.revision,
        careful=wish.careful,
        confirm_deletes=wish.confirm_deletes,
        confirm_changes=wish.confirm_changes,
        ignore_windows=wish.ignore_windows,
    )
    memory = _memory(target, wish, desired, rows, words, policy)
    began = target.clock.monotonic()
    observed = await observe(desired, memory, target.api, target.clock.now())
    if memory.listed and wish.selects is None:
        target.listed_at, target.list_calls = began, observed.calls.get(Purpose.LIST.value, 0)
    if wish.selects is not None:
        observed = less_known(observed, whole, target.store.rows(target.name).values())
    expect_specs(target, desired, observed)
    references = await read_references(target, desired, observed, target.store.rows(target.name))
    ground = ground_of(
        target,
        policy,
        rows,
        observed,
        undecided=undecided,
        references=references,
        counted=census_of(target, len(whole.resources)),
        words=words,
        moving=moving,
        waiting=waiting(target, desired, wish.preceding),
        unclaimed=unclaimed,
        needed=needed_elsewhere(target, desired, rows),
    )
    caution = caution_of(target, head, patient=wish.patient)
    with collector.waiting():
        plan = make_plan(desired, observed, ground, caution)
    budget, reads = target.api.budget, target.api.calls - before
    calls = replace(plan.calls, read=reads.total(), reads=tuple(sorted(reads.items())))
    plan = replace(plan, calls=calls, budget=budget.left(), seconds_needed=budget.seconds_for(calls.apply_max))
    return Look(desired, observed, ground, plan, target.fresh.since(memory.kept, began), caution)


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


def still_waiting(target: Target, seen: Look) -> Look:
    """The same look once the targets before have been applied: what they did not make ready is waited for after all."""
    missing = waiting(target, seen.desired)
    changes = hold_waiting(seen.plan.changes, seen.desired.resources, missing, target.config.depends_on)
    return replace(seen, plan=replace(seen.plan, changes=tuple(changes)))


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
    kept, whole = target.store.target_memory(target.name), wish.selects is None
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


def _memory(
    target: Target,
    wish: Wish,
    desired: Desired,
    rows: Mapping[Key, InventoryRow],
    words: Mapping[Key, Word],
    policy: Policy,
) -> Memory:
    """What this pass believes without asking."""
    listed = wish.fresh or not (wish.glance or wish.lists_wait)
    named = wish.named | words.keys()
    due = named | wish.old
    if listed:
        due |= due_reads(
            rows,
            now=target.clock.now(),
            goals=target.config.goal_seconds,
            budget=target.api.budget.left(),
            interval_seconds=wish.interval_seconds,
            fresh=wish.fresh,
            but=() if wish.sweeps else swept(target.platform.kinds),
        )
    ids = {key: word.server_id for key, word in words.items() if word.server_id is not None}
    if not wish.glance:
        due |= rotated(target, desired, rows)
    apart, buried = target.apart.between(desired.resources, rows), target.store.tombstones(target.name)
    memory = Memory(rows, buried, due, listed, frozenset(target.config.confirmed), ids, named, apart=apart)
    if not wish.patient:
        return memory
    memory = replace(memory, reported=standing(target, desired, rows, policy), calm=target.calm)
    return target.fresh.believed(memory, desired, target.clock.monotonic(), hurried=wish.hurried)


def _desired(target: Target, revision: Revision, wish: Wish) -> Desired:
    """What git says; a glance is at what is known already."""
    known = target.last.desired
    if wish.glance and known is not None and known.revision == revision:
        return known
    return read_desired(target.source, revision, target.config, target.platform, target.store, target.last)


def _narrowed(target: Target, desired: Desired, wish: Wish) -> tuple[Desired, Mapping[Key, InventoryRow]]:
    rows = target.store.rows(target.name)
    if wish.glance:
        keys = wish.named | wish.old
        resources = {key: desired.resources[key] for key in keys if key in desired.resources}
        few = replace(desired, resources=resources, broken=desired.broken & keys, required=frozenset())
        return few, {key: rows[key] for key in keys if key in rows}
    if wish.selects is None:
        return desired, rows
    selects = wish.selects
    resources = {key: each for key, each in desired.resources.items() if selects(key, each.origin.path)}
    return replace(desired, resources=resources), {
        key: row for key, row in rows.items() if selects(key, row.origin_path)
    }


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
