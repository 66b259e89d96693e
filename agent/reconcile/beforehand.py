"""Before anything is planned: is it the system that the inventory speaks of, and what came of the last calls?

Called by ``once`` at the head of every pass.
"""

from __future__ import annotations

from agent.apply.actions import named
from agent.apply.recover import Recovery, recover
from agent.apply.request import UPLOAD
from agent.errors import Refused
from agent.live.api import WriteApi
from agent.model.identity import Key
from agent.reconcile.target import Target


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


async def in_doubt(target: Target) -> dict[Key, str]:
    """Open intents first. A reading pass must not close them; it only tells which keys are in doubt."""
    if isinstance(target.api, WriteApi):
        recovery = Recovery(
            target.store, target.api, target.books, target.secrets.fingerprint, target.config.deadline_seconds
        )
        return await recover(recovery, target.name, target.clock.now())
    return {
        opened.intent.key: f"the outcome of {named(opened.intent)} is not known yet"
        for opened in target.store.open_intents(target.name)
        if opened.intent.action != UPLOAD
    }
