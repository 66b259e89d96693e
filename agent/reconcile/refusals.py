"""What platforms refused, from one pass to the next: kept with a target's memory. Called by ``once``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent.model.canonical import digest
from agent.model.identity import Key
from agent.model.outcome import Outcome, Result
from agent.model.resource import Desired, Observed
from agent.plan.caution import DENIED_SECONDS, Caution, Refusal, asked
from agent.plan.ground import Ground, key_from_json, key_to_json
from agent.reconcile.heads import Head
from agent.reconcile.setback import doubt_of
from agent.reconcile.target import Target

MEMORY = "refused"
_TAKEN_SECONDS = 60.0


def caution_of(target: Target, head: Head, *, patient: bool) -> Caution:
    """What makes changes of a pass wait: a doubtful head or store; what was refused, unless a person asks for it."""
    memory = target.store.target_memory(target.name)
    context = context_of(target.fingerprint(), target.config.confirmed)
    damaged = frozenset(target.store.damaged_rows(target.name))
    refused = refusals_of(memory) if patient else {}
    doubt, reason = (head.doubt, head.reason) if head.doubt else doubt_of(memory)
    return Caution(doubt, reason, refused, context, damaged, target.config.ready_timeout_seconds)


def refusals_of(memory: Mapping[str, Any]) -> dict[Key, Refusal]:
    """Those that an earlier pass wrote down."""
    return {
        key_from_json(key): Refusal(question, message, float(at), None if until is None else float(until))
        for key, (question, message, at, until) in memory.get(MEMORY, ())
    }


def context_of(fingerprint: Mapping[str, Any], confirmed: Iterable[str]) -> str:
    """What stands for the configuration in the question whether a refusal would come out the same."""
    return digest([dict(fingerprint), sorted(confirmed)])


def refusals_after(
    outcomes: Iterable[Outcome],
    desired: Desired,
    observed: Observed,
    ground: Ground,
    caution: Caution,
    earlier: Mapping[Key, Refusal],
) -> list[list[Any]]:
    """For the memory: what was refused now, and what was refused before and is not told otherwise by this pass.

    ``earlier`` is what the memory holds, also where a person asked for all of it to be tried again.
    """
    kept = dict(caution.refused)
    for outcome in outcomes:
        change = outcome.change
        if outcome.terminal and outcome.status is not None and outcome.result is Result.NOT_DONE:
            until = ground.now + DENIED_SECONDS if outcome.status in (401, 403) else None
            question = asked(change, desired, observed, ground, caution)
            kept[change.key] = Refusal(question, outcome.message, ground.now, until)
        elif outcome.taken:
            # Who has the name may be on the way out, or seen by nobody: tried again, ever more seldom.
            question = asked(change, desired, observed, ground, caution)
            before = earlier.get(change.key)
            since = before.at if before is not None and before.asked == question else ground.now
            wait = min(max(ground.now - since, _TAKEN_SECONDS), DENIED_SECONDS)
            kept[change.key] = Refusal(question, outcome.message, since, ground.now + wait)
        elif change.reason != "Rejected" and outcome.result is not Result.SKIPPED:
            kept.pop(change.key, None)
    return [
        [key_to_json(key), [each.asked, each.message, each.at, each.until]]
        for key, each in sorted(kept.items())
        if key in desired.resources or key in ground.rows
    ]
