"""A webhook of a platform -> the keys to look at next. Pure; it never believes an event, it only lets it point.

Called by ``inbox``. ``read_event`` takes from a body what the definition's ``events`` rules say: a kind, scope words, a
name or an id. ``keys_of`` finds what git names by them. Status, time and whatever else stands in a body stay unread,
and what git does not name is never looked at for an event's sake: it is ours to delete, or nobody's, by whole passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.definitions.platform import EventRule, Kind, Platform
from agent.live.strict_json import loads
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Desired

WORD_MAX = 1024  # characters of a name or an id; the body's own size is the receiver's business


class NotAnEvent(ValueError):
    """The body is no JSON mapping at all: its sender has a mistake, whatever the platform is."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an event points at, unchecked: ``scope`` holds the words that it gave, ``name`` or ``id`` is set."""

    kind: str
    scope: tuple[tuple[str, str], ...]
    name: str | None
    id: str | None


def read_event(body: bytes, platform: Platform) -> Pointer | None:
    """What the event points at by the first rule that holds; None where none does. Raises :class:`NotAnEvent`."""
    try:
        event = loads(body)
    except ValueError as error:
        raise NotAnEvent(str(error)) from None
    if not isinstance(event, dict):
        raise NotAnEvent("not a mapping")
    for rule in platform.events:
        if rule.when.holds(event):
            return _pointer(event, rule, platform)
    return None


def _pointer(event: Mapping[str, Any], rule: EventRule, platform: Platform) -> Pointer | None:
    kind = platform.kinds.get(rule.kind) if rule.kind is not None else _kind_with(event, rule, platform)
    if kind is None:
        return None
    words = {word: _word(expression.search(event)) for word, expression in rule.metadata.items()}
    name = words.pop("name", None)
    server_id = _word(rule.id.search(event)) if rule.id is not None else None
    if name is None and server_id is None:
        return None
    known = (scope.word for scope in kind.scope)
    scope = tuple((word, given) for word in known if (given := words.get(word)) is not None)
    return Pointer(kind.name, scope, name, server_id)


def _kind_with(event: Mapping[str, Any], rule: EventRule, platform: Platform) -> Kind | None:
    constants = {word: expression.search(event) for word, expression in rule.with_.items()}
    return next((kind for kind in platform.kinds.values() if kind.with_ and dict(kind.with_) == constants), None)


def _word(value: Any) -> str | None:
    """A name or an id as text. A number may be an id; anything else that is not a short text is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= WORD_MAX else None


def keys_of(
    pointers: Iterable[Pointer],
    desired: Desired,
    rows: Mapping[Key, InventoryRow],
    kinds: Mapping[str, Kind],
    defaults: Mapping[str, str],
) -> dict[Pointer, Key]:
    """The resource of git that each pointer means; a pointer that means none is left out."""
    by_id: dict[tuple[str, str], list[Key]] | None = None
    found: dict[Pointer, Key] = {}
    for pointer in pointers:
        if pointer.name is not None:
            key = _named(pointer, pointer.name, desired.target, kinds[pointer.kind], defaults)
        else:
            by_id = _by_id(rows) if by_id is None else by_id  # tens of thousands of rows are walked once
            key = _with_id(pointer, by_id)
        if key is not None and key in desired.resources:
            found[pointer] = key
    return found


def _named(pointer: Pointer, name: str, target: str, kind: Kind, defaults: Mapping[str, str]) -> Key | None:
    """The key as a manifest would make it: a word that the event leaves out is the target's default."""
    given = dict(pointer.scope)
    scope = []
    for word in kind.scope:
        value = given.get(word.word) or (None if word.optional else defaults.get(word.word))
        if value is not None:
            scope.append((word.word, value))
        elif not word.optional:
            return None
    return Key(target, kind.name, tuple(scope), name)


def _with_id(pointer: Pointer, by_id: Mapping[tuple[str, str], list[Key]]) -> Key | None:
    """The one object of the inventory with this id, in the scope that the event gave; an id of two means neither."""
    keys = [key for key in by_id.get((pointer.kind, str(pointer.id)), ()) if set(pointer.scope) <= set(key.scope)]
    return keys[0] if len(keys) == 1 else None


def _by_id(rows: Mapping[Key, InventoryRow]) -> dict[tuple[str, str], list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key, row in rows.items():
        if row.server_id is not None:
            found.setdefault((key.kind, row.server_id), []).append(key)
    return found
