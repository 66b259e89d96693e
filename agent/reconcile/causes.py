"""Which commit is behind each change of a plan: read from git for what is shown, and for nothing else.

Called by the command line before a plan is told. It is evidence for people: where history is short, or takes long to
search, a change is told without it.
"""

from __future__ import annotations

from dataclasses import replace

from agent.errors import SourceError
from agent.model.change import Action, Change, Plan
from agent.model.identity import Revision
from agent.source import Source, Touch

_PATHS_MAX = 200


def with_causes(plan: Plan, source: Source) -> Plan:
    """The plan, its changes with the commits that touched their manifests last."""
    told = (*plan.changes, *plan.apart)
    paths = dict.fromkeys(change.origin.path for change in told if change.origin is not None)
    if not paths or len(paths) > _PATHS_MAX:
        return plan
    try:
        found = source.touched_in(paths.keys(), plan.revision)
    except SourceError:
        return plan

    def caused(change: Change) -> Change:
        touch = found.get(change.origin.path) if change.origin is not None else None
        because = _because(change, touch) if touch is not None else None
        return change if because is None else replace(change, because=because)

    return replace(plan, changes=tuple(map(caused, plan.changes)), apart=tuple(map(caused, plan.apart)))


def _because(change: Change, touch: Touch) -> Revision | None:
    """A removal counts only where the file is gone: one manifest of several may have left in any commit."""
    removes = change.action is Action.RELEASE or Action.DELETE in (change.action, change.would)
    return touch.revision if touch.removed == removes else None
