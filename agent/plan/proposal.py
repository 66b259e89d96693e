"""Which resources and leaves a proposal changes, and what of a plan is none of its doing. Pure.

Called by ``reconcile/proposal``. A reviewer asks what the change does; that somebody clicked meanwhile, or that an
earlier commit is not applied yet, is told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.model.change import Action, Change, Plan
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.plan.compare import compare
from agent.plan.cost import cost
from agent.plan.ground import Ground
from agent.plan.judging import only_of

Touched = Mapping[Key, frozenset[str]]
"""Pointers of the leaves that git changes, of resources that both revisions have."""

_OF_LEAVES = frozenset({Action.UPDATE, Action.NONE})


def changed_keys(base: Desired, head: Desired) -> frozenset[Key]:
    """What the two revisions do not say alike. What is invalid in the newer one is a problem, and no change."""
    changed = {
        key
        for key, resource in head.resources.items()
        if (was := base.resources.get(key)) is not resource and (was is None or was.digest != resource.digest)
    }
    return frozenset(changed | (base.resources.keys() - head.resources.keys() - head.broken))


def touched_leaves(base: Desired, head: Desired, keys: frozenset[Key], ground: Ground) -> Touched:
    """The leaves that differ between the revisions. Raises ConfigError for a secret that is not among the target's."""
    touched = {}
    for key in keys & base.resources.keys() & head.resources.keys():
        book = ground.books.of(key)
        before = ground.written(base.resources[key])
        after = ground.written(head.resources[key])
        found = compare(book, after, before, before, types=ground.types(book.kind))
        touched[key] = frozenset(field.pointer for field in (*found.fields, *found.released))
    return touched


def told_apart(
    plan: Plan, base: Desired, head: Desired, keys: frozenset[Key], touched: Touched, ground: Ground
) -> Plan:
    """The plan of exactly the ``keys``, with what the proposal did not cause marked, or moved, ``apart``."""
    marked = [_marked(change, touched.get(change.key)) for change in plan.changes]
    apart = tuple(change for change in marked if _is_apart(change))
    kept = tuple(change for change in marked if not _is_apart(change))
    calls = plan.calls
    if any(change.sends for change in apart):
        priced = cost(kept, ground.platform, ground.pages, ground.ready_looks, [], {})
        calls = replace(priced, read=calls.read, reads=calls.reads)
    same = len(head.resources) - len({change.key for change in kept} & head.resources.keys())
    verdicts = only_of(plan.verdicts, kept)
    return replace(plan, changes=kept, apart=apart, calls=calls, unchanged=same, base=base.revision, verdicts=verdicts)


def _marked(change: Change, touched: frozenset[str] | None) -> Change:
    """The change with the leaves marked that git does not touch; a new resource is all the proposal's."""
    if touched is None or (change.would or change.action) not in (*_OF_LEAVES, Action.REPLACE):
        return change
    fields = tuple(
        field if any(_overlap(field.pointer, pointer) for pointer in touched) else replace(field, apart=True)
        for field in change.fields
    )
    return replace(change, fields=fields)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/") or "" in (one, other)


def _is_apart(change: Change) -> bool:
    return bool(change.fields) and all(field.apart for field in change.fields)
