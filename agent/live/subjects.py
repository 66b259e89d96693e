"""What a look is to tell of, and which of it must be read. Called by ``observe``. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from agent.live.memory import Memory
from agent.live.outdated import is_outdated
from agent.model.apart import Apart, is_apart
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired
from agent.model.stock import Place, by_place


class Subject(NamedTuple):
    """A key to be told of. ``row`` is what is remembered; ``unread``: the object itself must be read.

    ``due``: what is remembered of it is old, so that it is read unless the list proves that it is the same.
    """

    key: Key
    row: InventoryRow | None
    unread: bool
    due: bool = False


def subjects_of(
    desired: Desired,
    memory: Memory,
    referring: Collection[str] = (),
    *,
    apart: Apart | None = None,
    still: Collection[Place] = (),
) -> list[Subject]:
    """Everything that git names or the inventory holds; without lists only what must be read.

    An object is read unless it was read lately, agreed with git, and git has not moved since. ``still`` are places of
    which nothing is to be told.
    """
    rows, due, listed = memory.rows, memory.due, memory.listed
    apart = apart or memory.apart or Apart().between(desired.resources, rows)
    named: Iterable[Key] = desired.resources
    if not listed:
        named = _asked(desired, memory, apart, referring)
    elif still:
        named = (key for place, keys in by_place(desired.resources).items() if place not in still for key in keys)
    subjects = []
    for key in named:
        resource, row = desired.resources[key], rows.get(key)
        if row is None:
            subjects.append(Subject(key, None, True))
            continue
        fits = not is_apart(resource, row)
        is_reported = not fits and key in memory.reported
        fits = fits or is_reported
        if fits and key.kind in referring:
            fits = not is_outdated(row, resource, rows)
        is_due = bool(due) and key in due
        if not fits or is_due or listed or is_reported:
            subjects.append(Subject(key, row, not fits, is_due))
    subjects += [Subject(key, rows[key], True) for key in apart.gone]
    for key in (*desired.broken, *desired.required):
        if key not in rows and key not in desired.resources:
            subjects.append(Subject(key, None, True))
    return subjects


def _asked(desired: Desired, memory: Memory, apart: Apart, referring: Collection[str]) -> Iterable[Key]:
    """The few of what git names that a look without lists may be about."""
    named = desired.resources
    old = [key for key in sorted(memory.due) if key in named]
    refer: Iterable[Key] = ()
    if referring:
        refer = (key for place, keys in by_place(named).items() if place[0] in referring for key in keys)
    return dict.fromkeys([*apart.differing, *old, *refer])
