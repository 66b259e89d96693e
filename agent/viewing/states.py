"""The state of each resource in one word, and the words in the order in which they need eyes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired, Health

MEANINGS: Mapping[str, str] = {
    "failed": "refused or broken off",
    "invalid": "its manifest has a mistake",
    "unknown": "could not be told",
    "held": "it would be changed and must not",
    "drifted": "differs, is reported and left alone",
    "unhealthy": "as git says, and not well on the platform",
    "pending": "not as git says yet",
    "suspended": "a person stopped writes",
    "kept": "the configuration wants it to stay as it is",
    "progressing": "getting ready",
    "in sync": "as git says, and well",
}
STATES = tuple(MEANINGS)
WELL = frozenset({"kept", "progressing", "in sync"})
_BY_HEALTH: Mapping[Health, str] = {"failed": "unhealthy", "progressing": "progressing"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One resource of git, of the inventory, or of both. ``change`` is what waits for it, as ``datakeel.waiting/1``."""

    key: Key
    state: str
    message: str
    row: InventoryRow | None
    change: Mapping[str, Any] | None
    in_git: bool | None  # None where this process has not read git
    path: str
    line: int


def standings(
    rows: Mapping[Key, InventoryRow], waiting: Mapping[str, Any] | None, desired: Desired | None
) -> Iterator[Standing]:
    """All resources of a target, in no order. ``desired`` None: git was not read by this process."""
    changes = {key_of(each["key"]): each for each in (waiting or {}).get("changes") or ()}
    invalid = {key_of(each) for each in (waiting or {}).get("invalid") or ()}
    named = {*desired.resources, *desired.broken} if desired is not None else set()
    for key in {*rows, *changes, *invalid, *named}:
        yield _standing(key, rows.get(key), changes.get(key), key in invalid, desired)


def _standing(
    key: Key, row: InventoryRow | None, change: Mapping[str, Any] | None, invalid: bool, desired: Desired | None
) -> Standing:
    resource = desired.resources.get(key) if desired is not None else None
    origin = resource.origin if resource is not None else None
    state, message = _state(row, change, invalid)
    path = origin.path if origin is not None else row.origin_path if row is not None else ""
    line = origin.line if origin is not None else row.origin_line if row is not None else 0
    if change is not None and not path:
        place = change.get("origin") or {}
        path, line = place.get("path", ""), place.get("line", 0)
    in_git = None if desired is None else resource is not None or key in desired.broken
    return Standing(key, state, message, row, change, in_git, path, line)


def _state(row: InventoryRow | None, change: Mapping[str, Any] | None, invalid: bool) -> tuple[str, str]:
    if change is not None:
        return str(change["state"]), str(change.get("answer") or change.get("message") or change.get("reason") or "")
    if invalid:
        return "invalid", "its manifest has a mistake; the live object is left as it is"
    if row is None or not row.in_sync:
        return "pending", "not applied yet" if row is None else "not known to be as git says"
    return _BY_HEALTH.get(row.health, "in sync"), ""


def key_of(document: Mapping[str, Any]) -> Key:
    """A key from its document."""
    scope = tuple((str(word), str(name)) for word, name in document["scope"].items())
    return Key(document["target"], document["kind"], scope, document["name"])
