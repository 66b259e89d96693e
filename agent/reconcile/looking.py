"""The reading half of a pass: fetch, load, validate, observe, plan. Called by ``once``, and by all that only looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.live.api import WriteApi
from agent.live.memory import Memory
from agent.live.observe import observe
from agent.live.purpose import Purpose
from agent.model.change import Plan
from agent.model.identity import Key, Revision
from agent.model.inventory import InventoryRow
from agent.model.ownership import Word
from agent.model.resource import Desired, Observed
from agent.plan.caution import HEEDLESS, Caution
from agent.plan.ground import Ground
from agent.plan.planner import make_plan
from agent.plan.policy import Policy
from agent.plan.waiting import hold_waiting
from agent.reconcile import collector
from agent.reconcile.beforehand import damaged, in_doubt, same_system, unclaimed_of
from agent.reconcile.desired import read_desired
from agent.reconcile.grounding import census_of, expect_specs, ground_of, less_known
from agent.reconcile.heads import head_of
from agent.reconcile.neighbours import crossed, handover, needed_elsewhere, waiting, with_handed
from agent.reconcile.protection import raise_protection
from agent.reconcile.references import read_references
from agent.reconcile.refusals import caution_of
from agent.reconcile.reported import standing
from agent.reconcile.rotations import rotated
from agent.reconcile.schedule import due_reads, swept
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish


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
    whole = desired
    moving = handover(target, desired)
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
    budget = target.api.budget
    reads = target.api.calls - before
    calls = replace(plan.calls, read=reads.total(), reads=tuple(sorted(reads.items())))
    plan = replace(plan, calls=calls, budget=budget.left(), seconds_needed=budget.seconds_for(calls.apply_max))
    return Look(desired, observed, ground, plan, target.fresh.since(memory.kept, began), caution)


def still_waiting(target: Target, seen: Look) -> Look:
    """The same look once the targets before have been applied: what they did not make ready is waited for after all."""
    missing = waiting(target, seen.desired)
    changes = hold_waiting(seen.plan.changes, seen.desired.resources, missing, target.config.depends_on)
    return replace(seen, plan=replace(seen.plan, changes=tuple(changes)))


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
    apart = target.apart.between(desired.resources, rows)
    buried = target.store.tombstones(target.name)
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
