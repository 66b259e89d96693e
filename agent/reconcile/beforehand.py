"""Before anything is planned: is it the system that the inventory speaks of, and what came of the last calls?

Called by ``once`` at the head of every pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.apply.actions import named
from agent.apply.recover import Recovery, recover
from agent.apply.request import UPLOAD
from agent.errors import Refused
from agent.live.api import WriteApi
from agent.model.identity import Key
from agent.model.ownership import Word
from agent.model.resource import Desired
from agent.reconcile.jumps import heed_jumps
from agent.reconcile.target import Target

_DAMAGED = (
    "its row in the state store is damaged, and nothing else tells which object is ours; "
    "move the store away: a new one is rebuilt from ownership marks and git"
)


def same_system(target: Target) -> None:
    """Before anything is asked of the server: is it the one that the inventory speaks of?"""
    remembered = target.store.target_memory(target.name).get("fingerprint")
    current = dict(target.fingerprint())
    if remembered is None or remembered == current:
        return
    rows = target.store.rows(target.name)
    if not rows:
        return
    changed = [word for word in current if remembered.get(word) != current[word]]
    raise Refused(
        f"target {target.name}: {', '.join(changed)} changed, and its inventory has {len(rows)} objects",
        code="target-changed",
        got="; ".join(f"{word} {remembered.get(word)} -> {current[word]}" for word in changed),
        why="objects of one system must never be looked for, or deleted, in another",
        fix="give the new system a target name of its own",
    )


async def in_doubt(target: Target, desired: Desired) -> dict[Key, str]:
    """Open intents first. A reading pass must not close them; it only tells which keys are in doubt."""
    if isinstance(target.api, WriteApi):
        heed_jumps(target)
        recovery = Recovery(
            target.store,
            target.api,
            target.books,
            target.secrets.fingerprint,
            target.config.deadline_seconds,
            {*desired.resources, *desired.broken},
            lambda intent, now: target.moments.age(intent, now, target.clock.monotonic()),
        )
        return await recover(recovery, target.name, target.clock.now())
    return {
        opened.intent.key: f"the outcome of {named(opened.intent)} is not known yet"
        for opened in target.store.open_intents(target.name)
        if opened.intent.action != UPLOAD
    }


def damaged(target: Target, desired: Desired, words: Mapping[Key, Word]) -> dict[Key, str]:
    """Keys whose row cannot be believed, where neither a mark nor a name tells which object it spoke of.

    A row of any other kind is written anew from what is live. One that a person adopts is as clear as that.
    """
    told = {}
    for key in target.store.damaged_rows(target.name):
        kind = target.platform.kinds.get(key.kind)
        known = kind is not None and (kind.unique or kind.mark is not None) and key in desired.resources
        if not known and not (key in words and words[key].verb == "adopt"):
            told[key] = _DAMAGED
    return told


def unclaimed_of(target: Target, desired: Desired, undecided: Mapping[Key, str]) -> dict[Key, str]:
    """Of what is in doubt, that of which neither git nor the inventory speaks: nothing else would tell of it."""
    known = {*desired.resources, *desired.broken, *target.store.rows(target.name)}
    return {key: why for key, why in undecided.items() if key not in known}
