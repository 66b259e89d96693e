"""What a program changed in an object, and the body that says so. Pure.

An object is held in the platform's own form, as its API page prints it. ``save`` compares it with what was read, lays
the difference over what is live, and lets ``plan/compose`` make the body: read-only members and masks never go back.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.apply.following import changed, top_level
from agent.client.errors import ConflictError, NotSupportedError
from agent.definitions.platform import Kind, Operation
from agent.errors import UsageError
from agent.live.rows import mismatch
from agent.model.identity import Key
from agent.model.secret_names import is_masked
from agent.plan.compose import MISSING, compose_update
from agent.plan.normalize import live_spec
from agent.plan.rules import Place, RuleBook, join_pointer, pattern_of


@dataclass(frozen=True, slots=True)
class Edit:
    """One member that differs; ``MISSING`` stands for no member at all. A list is one value."""

    place: Place
    before: Any
    after: Any

    @property
    def path(self) -> str:
        return ".".join(self.place)


def edits_between(before: Any, after: Any, place: Place = ()) -> Iterator[Edit]:
    """The members that differ, the deepest that tell it."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if before != after or type(before) is not type(after):
            yield Edit(place, before, after)
        return
    for name in dict.fromkeys((*before, *after)):
        yield from edits_between(before.get(name, MISSING), after.get(name, MISSING), (*place, name))


def laid_over(edits: Sequence[Edit], live: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """What is live with the edits made to it. Raises ConflictError where somebody else changed the same member."""
    result: dict[str, Any] = copy.deepcopy(dict(live))
    for edit in edits:
        parent = result
        for token in edit.place[:-1]:
            inner = parent.get(token, MISSING)
            if inner is MISSING and edit.after is not MISSING:
                inner = parent[token] = {}
            if not isinstance(inner, dict):
                raise _collision(edit, subject)
            parent = inner
        found = parent.get(edit.place[-1], MISSING)
        if found != edit.before and found != edit.after:
            raise _collision(edit, subject)
        if edit.after is MISSING:
            parent.pop(edit.place[-1], None)
        else:
            parent[edit.place[-1]] = copy.deepcopy(edit.after)
    return result


def check(book: RuleBook, key: Key, seen: Mapping[str, Any], item: Mapping[str, Any], edits: Sequence[Edit]) -> None:
    """Raises UsageError, or :class:`NotSupportedError`, for an edit that no write of this kind can make."""
    if mismatch(book.kind, key, {**seen, **item}):
        raise NotSupportedError(f"{key}: its name and where it stands are no members to change", fix="create another")
    told, named = live_spec(book, seen), top_level(book.kind.schema)
    for edit in edits:
        reached = list(edits_between(told, live_spec(book, laid_over([edit], seen, str(key)))))
        rules = {inner.place: book.at(pattern_of(inner.place)) for inner in reached}
        ours = [place for place, rule in rules.items() if not rule.read_only]
        if rules and not ours:
            raise UsageError(f"{key}: `{edit.path}` belongs to the platform, which sets it itself", fix="leave it")
        if not any(named is None or place[0] in named for place in ours):
            raise UsageError(f"{key}: `{edit.path}` is not part of what a {book.kind.name} may say", fix="leave it")
        if any(rules[place].immutable for place in ours):
            what = f"{key}: `{edit.path}` cannot be changed in place"
            raise NotSupportedError(what, fix="delete the object and create it anew")


def body_of_save(book: RuleBook, operation: Operation, seen: Mapping[str, Any], item: Mapping[str, Any]) -> Any:
    """The body of the update that turns what was read into ``item``."""
    kind = book.kind
    edits = list(edits_between(live_spec(book, seen), live_spec(book, item)))
    only = changed(kind, {join_pointer(edit.place) for edit in edits}, None) if kind.update is not None else None
    body = compose_update(book, {}, None, item, mark=None, named=top_level(kind.schema), only=only)
    if operation.sends != "whole":
        for edit in edits:
            if edit.after is MISSING and (operation.sends == "merge" or len(edit.place) == 1):
                _put_null(body, edit.place)
    return body


def vias_of(book: RuleBook, seen: Mapping[str, Any], item: Mapping[str, Any]) -> dict[Place, Any]:
    """The edited leaves that have endpoints of their own, with their new value."""
    edits = edits_between(live_spec(book, seen), live_spec(book, item))
    return {edit.place: edit.after for edit in edits if edit.place in book.vias}


def may_hide(book: RuleBook, spec: Mapping[str, Any]) -> list[str]:
    """Pointers of what the platform may hold and does not show, and ``spec`` does not say either.

    A write of the whole object would erase it. Where a definition knows the mask that an answer shows, only a mask says
    that something is there.
    """
    rules = [(place, rule) for place, rule in book.with_word("write_only", "mask") if rule.via is None]
    named = {token for place, _ in rules for token in place}
    hidden, said = {}, set()
    for place, rule in rules:
        holder = _holder(place)
        values = [value for value in _reached(spec, place, named, leaf=True) if value is not None]
        masked = [value for value in values if is_masked(value)]
        if len(values) > len(masked):
            said.add(holder)
        elif masked or (rule.mask is None and any(isinstance(each, Mapping) for each in _reached(spec, holder, named))):
            hidden[join_pointer(place)] = holder
    return [pointer for pointer, holder in hidden.items() if holder not in said]


def may_erase(book: RuleBook, live: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Pointers of what a document would erase without speaking of it, by a write of the whole object.

    A document that says the part in which a hidden member stands has said all of that part, unless a mask shows that
    something is there.
    """
    rules = [(place, rule) for place, rule in book.with_word("write_only", "mask") if rule.via is None]
    named = {token for place, _ in rules for token in place}
    erased = []
    for place, rule in rules:
        shown = [value for value in _reached(live, place, named, leaf=True) if value is not None]
        if rule.mask is not None:
            hides, speaks = any(map(is_masked, shown)), any(True for _ in _reached(said, place, named, leaf=True))
        else:
            holder = _holder(place)
            hides = not shown and any(isinstance(each, Mapping) for each in _reached(live, holder, named))
            speaks = any(True for _ in _reached(said, holder, named))
        if hides and not speaks:
            erased.append(join_pointer(place))
    return erased


def _holder(place: Place) -> Place:
    """The mapping in which the member, or the mapping of members, stands."""
    return place[:-2] if place[-1] == "*" else place[:-1]


def _reached(value: Any, place: Place, named: set[str], *, leaf: bool = False) -> Iterator[Any]:
    """What a pattern reaches. But at the end of a ``leaf``, ``*`` does not mean a member that a rule calls by name."""
    if not place:
        yield value
    elif isinstance(value, Mapping):
        anything = leaf and len(place) == 1
        names = [name for name in value if anything or name not in named] if place[0] == "*" else [place[0]]
        for name in names:
            if name in value:
                yield from _reached(value[name], place[1:], named, leaf=leaf)
    elif isinstance(value, list) and place[0] == "*":
        for member in value:
            yield from _reached(member, place[1:], named, leaf=leaf)


def _put_null(body: dict[str, Any], place: Place) -> None:
    for token in place[:-1]:
        inner = body.get(token)
        body[token] = body = dict(inner) if isinstance(inner, Mapping) else {}
    body[place[-1]] = None


def _collision(edit: Edit, subject: str) -> ConflictError:
    return ConflictError(f"{subject}: somebody else changed `{edit.path}` meanwhile; nothing was sent")


def supports_save(kind: Kind) -> Operation:
    """The write behind ``save``. Raises :class:`NotSupportedError`."""
    operation = kind.update or kind.apply
    if operation is None:
        raise NotSupportedError.of(kind, "update")
    return operation
