"""The command with which a person decides a change that waits. Pure; called by ``waiting``.

A page shows it to be copied: pages decide nothing themselves.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from agent.model.change import Action, Change
from agent.model.identity import Key

_CONFIRMING = re.compile(r"datakeel diff --confirm-(?:deletes|changes) \d+")
_BY_DIGEST = frozenset({"Careful", "RowDamaged", "ReplaceForDrift", "HistoryRewritten", "StoreSetBack"})
_ADOPTED = frozenset({"Conflict", "NotAdoptable", "OwnershipUnproved", "OwnedByOther", "ConsentOutdated"})
_LOOKED_AT = frozenset({"Unknown", "KindUnreadable", "StillCreating", "DependencyNotReady"})


def commands_for(change: Change) -> list[str]:
    """Commands for a shell, the most likely one first; none where git, the configuration or time decides."""
    key, reason = change.key, change.reason
    confirming = _CONFIRMING.search(change.message)
    if confirming:
        return [f"{confirming[0]} {_target(key)}"]
    if reason in _BY_DIGEST:
        return [f"datakeel diff {_target(key)}"]
    if reason in _ADOPTED:
        return [_command("adopt", key)]
    if reason == "NeedsDecision":
        return [f"{_command('decide', key)} --made", f"{_command('decide', key)} --not-made"]
    if reason == "Suspended":
        return [f"datakeel resume {_target(key)}"]
    if reason == "WindowClosed":
        return [f"datakeel apply {_only(key)} --ignore-windows"]
    if reason in _LOOKED_AT:
        return [_command("get", key)]
    if change.action is Action.NONE:
        return [f"datakeel diff {_only(key)}"]
    return []


def _command(verb: str, key: Key) -> str:
    return f"datakeel {verb} {_quoted([key.path])} {_target(key)}"


def _only(key: Key) -> str:
    return f"--only {_quoted([key.path])} {_target(key)}"


def _target(key: Key) -> str:
    return f"--target {_quoted([key.target])}"


def _quoted(words: Sequence[str]) -> str:
    return shlex.join(words)
