"""What cannot be imported, and why: told of kinds before anything is read, and of listed objects before their content.

Only what a manifest could ask for again is worth one. An object that git could not find by its name would be made a
second time by the next apply, so it is left alone. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from agent.definitions.platform import Kind
from agent.model.resource import Health


def why_not(kind: Kind) -> str:
    """Why no object of a kind can become a manifest; "" when some can."""
    if not kind.managed:
        return "only observed: the platform offers no call that makes one"
    if kind.is_run:
        return "its objects are runs: no read shows what started one, and a manifest would start another"
    if kind.get is None and (kind.list is None or kind.list.holds == "summary"):
        return "no read shows the content of its objects"
    if not kind.unique and kind.mark is None:
        return (
            "its names identify nothing: write a manifest, then `datakeel adopt KIND/NAME --id ID` says which is meant"
        )
    return ""


def may_stand(scopes: Mapping[str, Collection[str]], scope: Iterable[tuple[str, str]]) -> bool:
    """Whether the target lets a manifest stand in a scope: ``scopes`` are the names that a word may have, else any."""
    return all(name in scopes.get(word, (name,)) for word, name in scope)


def why_left(kind: Kind, owner: str | None, ours: str, health: Health) -> str:
    """Why one object is left alone; "" when it is not. ``ours`` is the uid that our mark would carry."""
    if health == "gone":
        return "it is being deleted"
    if owner is not None and owner != ours:
        return "it carries the mark of another owner; `datakeel release` there lets it go"
    if not kind.unique and owner is None:
        return "its name identifies nothing, and it has no mark of ours"
    return ""
