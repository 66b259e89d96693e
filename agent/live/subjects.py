"""What a look is to tell of, and which of it must be read. Called by ``observe``. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from agent.live.memory import Memory
from agent.live.outdated import is_outdated
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired


class Subject(NamedTuple):
    """A key to be told of. ``row`` is what is remembered; ``unread``: the object itself must be read.

    ``due``: what is remembered of it is old, so that it is read unless the list proves that it is the same.
    """

    key: Key
    row: InventoryRow | None
    unread: bool
    due: bool = False


def subjects_of(desired: Desired, memory: Memory, referring: Collection[str] = ()) -> list[Subject]:
    """Everything that git names or the inventory holds; after a partial look only what must be read.

    An object is read unless it was read lately, agreed with git, and git has not moved since. Each key is looked up
    once: with tens of thousands of them that is what a quiet pass costs.
    """
    rows, due, listed = memory.rows, memory.due, memory.listed
    subjects = []
    known = 0
    for key, resource in desired.resources.items():
        row = rows.get(key)
        if row is None:
            subjects.append(Subject(key, None, True))
            continue
        known += 1
        fits = row.applied_digest == resource.digest and row.in_sync and row.seen_at is not None
        is_reported = not fits and key in memory.reported
        fits = fits or is_reported
        if fits and key.kind in referring:
            fits = not is_outdated(row, resource, rows)
        is_due = bool(due) and key in due
        if not fits or is_due or listed or is_reported:
            subjects.append(Subject(key, row, not fits, is_due))
    if known < len(rows):
        subjects += [Subject(key, row, True) for key, row in rows.items() if key not in desired.resources]
    for key in (*desired.broken, *desired.required):
        if key not in rows and key not in desired.resources:
            subjects.append(Subject(key, None, True))
    return subjects
