"""Which objects hold a secret whose value is not the one that was applied: a pass looks at them, however fresh.

Used by ``once``. A manifest that refers to a secret does not change when its value does, so nothing else would tell
before the object is due to be read again, and a pass would call it in sync until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agent.errors import ConfigError
from agent.model.identity import Key
from agent.model.resource import Desired
from agent.model.secret_names import REFERENCE
from agent.plan.normalize import FINGERPRINT
from agent.reconcile.target import Target


def rotated(target: Target, desired: Desired, known: Collection[Key]) -> frozenset[Key]:
    """Those of the ``known`` objects whose applied fingerprints lack one that a secret of theirs has now.

    A secret that cannot be read tells nothing here; whoever needs it says so. What was compared once and found
    unchanged is not compared again while the fingerprints stay as they are.
    """
    holders = {key: each.secrets for key, each in desired.special.items() if each.secrets and key in known}
    names = {name for each in holders.values() for name in each}
    now = {name: found for name in names if (found := _fingerprint(target, name)) is not None}
    if now.items() <= target.secrets_seen.items():
        return frozenset()
    applied = target.store.applied(holders)
    differing = frozenset(
        key
        for key, each in holders.items()
        if key in applied and not {now[name] for name in each if name in now} <= set(_fingerprints(applied[key]))
    )
    target.secrets_seen = {} if differing else now
    return differing


def _fingerprint(target: Target, name: str) -> str | None:
    try:
        return target.secrets.fingerprint({REFERENCE: name})
    except ConfigError:
        return None


def _fingerprints(document: Mapping[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get(FINGERPRINT), str):
                yield node[FINGERPRINT]
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
