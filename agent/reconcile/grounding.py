"""What a plan stands on besides desired and observed, put together from the store and the configuration of a target.

Called by ``once`` between observing and planning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import Report
from agent.model.ownership import Word
from agent.model.resource import Desired, Observed
from agent.plan.cost import ready_looks
from agent.plan.elsewhere import Wires
from agent.plan.ground import Ground
from agent.plan.handover import Handover
from agent.plan.limits import CHANGE_LIMITS, HEALED_SECONDS, Census, census
from agent.plan.policy import Policy
from agent.plan.waiting import Awaited
from agent.reconcile.target import Target

CONFIRMED_AT = "changes_confirmed_at"
"""In a target's memory: when a person last allowed changes beyond a limit; repairs are counted from then on."""


def census_of(target: Target, manifests: int) -> Census:
    """The whole target, however little of it a pass looks at."""
    confirmed_at = float(target.store.target_memory(target.name).get(CONFIRMED_AT, 0.0))
    since = max(target.clock.now() - HEALED_SECONDS, confirmed_at)
    return census(target.store.rows(target.name), manifests, since)


def confirmed_at(memory: Mapping[str, Any], report: Report, *, asked: bool) -> float:
    """When a person last allowed changes beyond a limit: now, if theirs was the number that the limits would hold."""
    held = report.plan.held if report.plan is not None else ()
    heeded = asked and not any(change.reason in CHANGE_LIMITS for change in held)
    return report.finished_at if heeded else float(memory.get(CONFIRMED_AT, 0.0))


def ground_of(
    target: Target,
    policy: Policy,
    rows: Mapping[Key, InventoryRow],
    observed: Observed,
    *,
    undecided: Mapping[Key, str],
    references: Mapping[Key, Wires],
    counted: Census,
    words: Mapping[Key, Word],
    moving: Handover,
    waiting: Mapping[Awaited, str],
    unclaimed: Mapping[Key, str],
    needed: Mapping[Key, str],
) -> Ground:
    """``rows`` are those that the pass is about; what was last applied is read for those that were looked at."""
    wanted = [
        key
        for key, seen in observed.observations.items()
        if key in rows and (not seen.is_remembered or _is_run(target, key))
    ]
    return Ground(
        target.platform,
        target.books,
        policy,
        rows,
        _applied(target, wanted, moving),
        target.types,
        target.secrets.fingerprint,
        undecided,
        target.clock.now(),
        references,
        observed.pages,
        ready_looks(target.config.ready_timeout_seconds),
        counted,
        words,
        moving,
        waiting,
        target.config.depends_on,
        target.store.target_memory(target.name).get("actions", {}),
        unclaimed,
        needed,
    )


def _applied(target: Target, wanted: list[Key], moving: Handover) -> Mapping[Key, Mapping[str, Any]]:
    """What was last applied, here or by the target that something comes from."""
    applied = target.store.applied(wanted)
    if not moving.handed:
        return applied
    theirs = target.store.applied([handed.key for handed in moving.handed.values()])
    came = {key: theirs[each.key] for key, each in moving.handed.items() if each.key in theirs}
    return {**applied, **came}


def less_known(observed: Observed, whole: Desired, rows: Iterable[InventoryRow]) -> Observed:
    """A look at a part of a target, without the strays that its other parts name or own."""
    owned = {row.key: row for row in rows}
    marks = {row.uid for row in owned.values()}
    ids = {(key.kind, row.server_id) for key, row in owned.items() if row.server_id is not None}
    named = owned.keys() | whole.resources.keys() | whole.broken
    strays = [
        each
        for each in observed.strays
        if each.key not in named and each.owner not in marks and (each.key.kind, each.id) not in ids
    ]
    return replace(observed, strays=tuple(strays))


def _is_run(target: Target, key: Key) -> bool:
    kind = target.platform.kinds.get(key.kind)
    return kind is not None and kind.is_run


def expect_specs(target: Target, desired: Desired, observed: Observed) -> None:
    """Tell which manifests the plan will open, so that git is asked for many of them at once."""
    looked_at = (key for key, seen in observed.observations.items() if not seen.is_remembered)
    paths = dict.fromkeys(desired.resources[key].origin.path for key in looked_at if key in desired.resources)
    if target.last.specs is not None and len(paths) > 1:
        blobs = {entry.path: entry.blob for entry in target.last.entries}
        target.last.specs.expect(blobs[path] for path in paths if path in blobs)
