"""Changes that wait for another target, as their manifest or the configuration asks. Pure; called by ``planner``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.resource import Resource

WAITS = "WaitsForTarget"
NOBODY: Mapping[Key, str] = {}
Awaited = tuple[str, str]
"""A target, and a resource of it as a manifest calls it, or "" for all of it."""


def hold_waiting(
    changes: Sequence[Change],
    resources: Mapping[Key, Resource],
    waiting: Mapping[Awaited, str],
    needs: Sequence[str],
    needed: Mapping[Key, str] = NOBODY,
) -> list[Change]:
    """Those that would be sent before what they wait for is there, as holds.

    ``waiting`` says of each that is not there yet why; ``needs`` are the targets that all of this one waits for. What
    leaves waits for those in other targets who depend on it: ``needed`` tells one of them.
    """
    if needed:
        changes = [_kept(change, needed) for change in changes]
    if not waiting:
        return list(changes)
    above = next((waiting[target, ""] for target in needs if (target, "") in waiting), "")
    return [_held(change, resources.get(change.key), waiting, above) for change in changes]


def _kept(change: Change, needed: Mapping[Key, str]) -> Change:
    if change.action is not Action.DELETE or change.key not in needed:
        return change
    return change.held(WAITS, f"waits for {needed[change.key]}, which still depends on it")


def awaited_by(changes: Sequence[Change], resources: Mapping[Key, Resource], needs: Sequence[str]) -> list[str]:
    """The targets that changes to be sent wait for."""
    sent = [resources[change.key] for change in changes if _goes(change) and change.key in resources]
    named = [target for resource in sent for target, _ in resource.lifecycle.awaits]
    return list(dict.fromkeys([*(needs if sent else ()), *named]))


def _held(change: Change, resource: Resource | None, waiting: Mapping[Awaited, str], above: str) -> Change:
    if not _goes(change) or resource is None:
        return change
    why = above or next((waiting[each] for each in resource.lifecycle.awaits if each in waiting), "")
    return change.held(WAITS, f"waits for {why}") if why else change


def _goes(change: Change) -> bool:
    return change.sends and change.action not in (Action.DELETE, Action.RELEASE)
