"""Which actions of ``lifecycle.actions`` are due: pure, from git, the inventory and what was run before.

An action runs once for each generation of its manifest (``Resource.digest``), when that generation is live and ready.
What was run is remembered by name in the target's memory, as ``{"Kind/scope/name": {action: generation}}``. The sending
is ``apply/actions``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.definitions.platform import ActionRule, Kind, Platform
from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired, Resource

Generations = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class DueAction:
    """One action to run, or (with ``why``) one that must not run by itself."""

    key: Key
    name: str
    generation: str
    args: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class ActionsPlan:
    """``due`` is to be run and ``held`` needs a person, both by key and name; ``generations`` is to be remembered."""

    due: tuple[DueAction, ...] = ()
    held: tuple[DueAction, ...] = ()
    generations: Generations = field(default_factory=dict)


def plan_actions(
    platform: Platform,
    desired: Desired,
    rows: Mapping[Key, InventoryRow],
    remembered: Generations,
    *,
    confirmed: Collection[str] = (),
    undecided: Collection[Key] = (),
    whole: bool = True,
) -> ActionsPlan:
    """What to run now. ``whole`` False: only a part of the target is looked at, so that nothing is forgotten.

    An object that we did not make has no change behind its first sight: its generation is remembered and not run. So a
    store that was rebuilt from marks does not start everything again.
    """
    due: list[DueAction] = []
    held: list[DueAction] = []
    after = {path: dict(names) for path, names in remembered.items()}
    named = set()
    for key, resource in desired.special.items():
        if not resource.lifecycle.actions:
            continue
        named.add(key.path)
        row = rows.get(key)
        if row is None or key in undecided or not _is_live(resource, row):
            continue
        kind = platform.kinds[key.kind]
        known = after.setdefault(key.path, {})
        for name, args in resource.lifecycle.actions.items():
            rule = kind.actions.get(name)
            if rule is None or known.get(name) == resource.digest:
                continue
            if name not in known and row.proof != "created":
                known[name] = resource.digest
                continue
            why = _needs_a_person(kind, rule, confirmed)
            (held if why else due).append(DueAction(key, name, resource.digest, args or {}, why))
    if whole and desired.complete:
        named |= {key.path for key in desired.broken}
        after = {path: names for path, names in after.items() if path in named}
    return ActionsPlan(
        tuple(sorted(due, key=_order)),
        tuple(sorted(held, key=_order)),
        {path: names for path, names in after.items() if names},
    )


def may_run(
    platform: Platform,
    desired: Desired,
    rows: Mapping[Key, InventoryRow],
    remembered: Generations,
    changes: Sequence[Change],
    *,
    confirmed: Collection[str],
) -> list[tuple[Key, ActionRule]]:
    """The actions that applying these changes may lead to, at the most: what is live and ready then is due.

    What is held stays as it is, and an object that is taken over has its generation remembered only.
    """
    planned = {change.key: change.action for change in changes}
    found = []
    for key, resource in desired.special.items():
        if not resource.lifecycle.actions or planned.get(key) in (Action.HOLD, Action.ADOPT):
            continue
        kind, row, known = platform.kinds[key.kind], rows.get(key), remembered.get(key.path, {})
        for name in resource.lifecycle.actions:
            rule = kind.actions.get(name)
            if rule is None or known.get(name) == resource.digest or _needs_a_person(kind, rule, confirmed):
                continue
            if row is None or row.proof == "created" or name in known:
                found.append((key, rule))
    return found


def ran(generations: Generations, action: DueAction) -> dict[str, dict[str, str]]:
    """What is remembered once the action may have run."""
    after = {path: dict(names) for path, names in generations.items()}
    after.setdefault(action.key.path, {})[action.name] = action.generation
    return after


def _is_live(resource: Resource, row: InventoryRow) -> bool:
    return row.in_sync and row.health == "ready" and row.applied_digest == resource.digest


def _needs_a_person(kind: Kind, rule: ActionRule, confirmed: Collection[str]) -> str:
    unverified = unconfirmed(kind, rule, confirmed)
    if unverified is not None:
        return f"{unverified}; `confirmed: [{kind.name}.{rule.name}]` in the target allows it"
    return f"{rule.careful}; datakeel act runs it" if rule.careful else ""


def unconfirmed(kind: Kind, rule: ActionRule, confirmed: Collection[str]) -> str | None:
    """Why an action must not be sent yet: nobody has confirmed that it does what the documents say."""
    if kind.name in confirmed or f"{kind.name}.{rule.name}" in confirmed:
        return None
    return rule.unverified or kind.unverified


def _order(action: DueAction) -> tuple[Key, str]:
    return action.key, action.name
