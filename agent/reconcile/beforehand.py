"""Before anything is planned: is it the system that the inventory speaks of, and what came of the last calls?

Called by ``once`` at the head of every pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.apply.actions import named
from agent.apply.recover import Recovery, recover
from agent.apply.request import UPLOAD
from agent.errors import ConfigError, Refused
from agent.live.api import WriteApi
from agent.live.auth import LoginFailed
from agent.live.bearer import whom
from agent.model.identity import Key
from agent.model.ownership import Word
from agent.model.resource import Desired
from agent.reconcile.jumps import heed_jumps
from agent.reconcile.target import Target

SUBJECT = "subject"
"""Word of a target's memory: whom the credential spoke for that made what the inventory holds."""
_DAMAGED = (
    "its row in the state store is damaged, and nothing else tells which object is ours; "
    "move the store away: a new one is rebuilt from ownership marks and git"
)


async def same_system(target: Target) -> None:
    """Before anything is asked of the server: is it the one that the inventory speaks of, and do we ask as before?

    Raises Refused, and LiveError where the platform is to tell whom the credential speaks for and does not.
    """
    _same_address(target)
    await _same_subject(target)


def system_of(target: Target) -> Mapping[str, Any]:
    """What the next pass holds its own system against, as words of the target's memory."""
    return {"fingerprint": target.fingerprint(), SUBJECT: target.subject}


def _same_address(target: Target) -> None:
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


async def _same_subject(target: Target) -> None:
    """Does the credential speak for whoever made what the inventory holds, or for whom the configuration names?

    A credential that cannot be had is left to the calls that need it.
    """
    kept, wanted = target.store.target_memory(target.name).get(SUBJECT), target.config.subject
    known = wanted if wanted is not None else kept
    bearer = target.api.authorizer.bearer
    bearer.is_expected = None if known is None else lambda told: known in (told, _kept_as(target, told))
    target.subject = kept
    try:
        told = await whom(target.api)
    except (LoginFailed, ConfigError):
        return
    if told is None and wanted is None:
        return
    if told is not None:
        target.subject = _kept_as(target, told)
        if known in (None, told, target.subject):
            return
    rows = target.store.rows(target.name)
    if wanted is None and not rows and not target.store.open_intents(target.name):
        bearer.is_expected = None
        return
    raise _other_subject(target, told, len(rows))


def _kept_as(target: Target, told: str) -> str:
    """A subject in the open, unless it is a secret itself, such as the address that a login takes."""
    hides = not told.isprintable() or target.api.authorizer.is_secret(told)
    return target.secrets.fingerprint(told) if hides else told


def _other_subject(target: Target, told: str | None, rows: int) -> Refused:
    wanted = target.config.subject
    shown = "nobody that it tells" if told is None else target.subject
    if wanted is not None:
        return Refused(
            f"target {target.name}: its credential does not speak for {wanted}, whom `subject` names",
            code="target-changed",
            got=f"it speaks for {shown}",
            fix="supply the credential of that subject, or correct `subject` of the target",
        )
    return Refused(
        f"target {target.name}: its credential speaks for another subject, and its inventory has {rows} objects",
        code="target-changed",
        got=f"subject {target.store.target_memory(target.name).get(SUBJECT)} -> {shown}",
        why="what another user, tenant or workspace does not see would seem to be gone",
        fix=f"supply the former credential, or confirm this one by `subject: '{shown}'` in the target",
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
            {*desired.resources, *desired.broken} if desired.broken else desired.resources,
            lambda opened, now: target.moments.age(opened, now, target.clock.monotonic()),
        )
        return await recover(recovery, target.name, target.clock.now())
    return {
        opened.intent.key: f"the answer to {named(opened.intent)} is not known yet; it may still land"
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
    known = (desired.resources, desired.broken, target.store.rows(target.name))
    return {key: why for key, why in undecided.items() if not any(key in each for each in known)}
