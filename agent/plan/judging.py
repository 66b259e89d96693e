"""Changes that an operator's rules refuse or put off, as holds. Called by ``planner``; pure.

The rules are a callable that was handed in. Without one nothing is asked, and a plan is what it is without policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from agent.model.change import Change
from agent.model.identity import Key
from agent.model.judging import DELAYED, DENIED, Case, Occasion
from agent.model.resource import Desired, Observed, Present, Resource
from agent.model.verdict import Effect, Verdict
from agent.plan.ground import Ground
from agent.plan.limits import Census
from agent.plan.normalize import public

Verdicts = tuple[Verdict, ...] | None


def judged(
    changes: list[Change], desired: Desired, observed: Observed, ground: Ground, known: Census
) -> tuple[list[Change], Verdicts]:
    """The changes, refused ones and delayed ones as holds, and all verdicts; None where there is nobody to ask."""
    judge = ground.policy.judge
    if judge is None:
        return changes, None
    cases = [
        Case(
            change,
            partial(_desired, desired.resources.get(change.key), ground),
            partial(_live, change, observed, ground),
        )
        for change in changes
        if change.sends
    ]
    occasion = Occasion(
        desired.target, ground.platform.api_version, desired.revision, known.owned, known.manifests, ground.now
    )
    verdicts = judge(cases, occasion)
    stopping = _stopping(verdicts)
    return [_held(change, stopping.get(change.key, ())) for change in changes], verdicts


def only_of(verdicts: Verdicts, changes: Sequence[Change]) -> Verdicts:
    """The verdicts on these changes."""
    if not verdicts:
        return verdicts
    keys = {change.key for change in changes}
    return tuple(verdict for verdict in verdicts if verdict.key in keys)


def _stopping(verdicts: Sequence[Verdict]) -> Mapping[Key, list[Verdict]]:
    found: dict[Key, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.effect is not Effect.WARN:
            found.setdefault(verdict.key, []).append(verdict)
    return found


def _held(change: Change, verdicts: Sequence[Verdict]) -> Change:
    """By all rules that stop it; one that denies weighs more than one that only delays."""
    if not verdicts or not change.sends:
        return change
    ordered = sorted(verdicts, key=lambda verdict: verdict.effect is not Effect.DENY)
    told = "; ".join(verdict.sentence for verdict in ordered)
    if ordered[0].effect is Effect.DENY:
        return change.held(DENIED, told)
    return change.held(DELAYED, told, configured=True)


def _desired(resource: Resource | None, ground: Ground) -> Mapping[str, Any] | None:
    return None if resource is None else public(dict(ground.written(resource)))


def _live(change: Change, observed: Observed, ground: Ground) -> Mapping[str, Any] | None:
    seen = observed.of(change.moved_from or change.key)
    live = seen.live if isinstance(seen, Present) else None
    if live is None:
        return None
    spec: Mapping[str, Any] = public(dict(ground.seen(change.key, live)))
    return spec
