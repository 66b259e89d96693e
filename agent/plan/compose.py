"""The body of a write: what git says laid over what is live, so that a PUT erases nothing nobody has an opinion on.

Pure; called by ``apply/executor`` right before a request. The body is in the platform's own form (``write``,
``encode``, ``values``), still with ``{secretRef: …}`` in place of secrets: they are read at the HTTP call only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from agent.definitions.marks import is_mark
from agent.definitions.platform import Kind, Mark
from agent.model.secret_names import is_masked, is_secret_name
from agent.plan.elements import identifying
from agent.plan.normalize import body_of, live_spec
from agent.plan.rules import Place, RuleBook, covers, pattern_of, split_pointer

MISSING: Any = object()
"""No value at all, which is not null."""


def compose_create(book: RuleBook, desired: Mapping[str, Any], mark: str | None) -> dict[str, Any]:
    """The body of a create. ``desired`` holds references and files as they travel; secrets are still references."""
    return body_of(book, _marked(book.kind, dict(without_vias(book, desired)), mark))


def compose_update(
    book: RuleBook,
    desired: Mapping[str, Any],
    applied: Mapping[str, Any] | None,
    live: Mapping[str, Any],
    *,
    mark: str | None,
    keep: Collection[str] = (),
    named: Collection[str] | None = None,
    only: Collection[str] | None = None,
    alone: bool = False,
) -> dict[str, Any]:
    """A whole body; with ``only``, no more than the top-level members that hold one of these pointers.

    ``keep`` are pointers whose live value stays (ignored, create-only, drift that is only reported).

    ``alone``: an object that changes hands loses the mark of its former owner.

    ``named`` are the top-level members that the schema names: a member of the server's own is never sent back. None
    when the schema is open.
    """
    seen = live_spec(book, live)
    base = _returnable(book, {name: value for name, value in seen.items() if named is None or name in named}, ())
    kept = {split_pointer(pointer) for pointer in keep}
    whole = _laid_over(book, desired, {} if applied is None else applied, base, (), kept)
    marked = _marked(book.kind, dict(without_vias(book, whole)), mark, alone=alone)
    if only is not None:
        members = {split_pointer(pointer)[0] for pointer in only if pointer}
        marked = {name: value for name, value in marked.items() if name in members}
    return body_of(book, marked)


def without_vias(book: RuleBook, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec less the leaves that have endpoints of their own: those are never part of a body."""
    return placed(spec, dict.fromkeys(book.vias, MISSING)) if book.vias else spec


def placed(spec: Mapping[str, Any], values: Mapping[Place, Any]) -> Mapping[str, Any]:
    """A copy of a spec with other values at some places, or without them."""
    changed = dict(spec)
    for place, value in values.items():
        if value is MISSING and value_at(changed, place) is MISSING:
            continue
        parent = changed
        for token in place[:-1]:
            parent[token] = parent = dict(parent.get(token) or {})
        if value is MISSING:
            del parent[place[-1]]
        else:
            parent[place[-1]] = value
    return changed


def value_at(spec: Any, place: Place) -> Any:
    """The value at a place, or :data:`MISSING`."""
    for token in place:
        if not isinstance(spec, Mapping) or token not in spec:
            return MISSING
        spec = spec[token]
    return spec


def mark_text(mark: Mark, target: str, uid: str, name: str, content: str = "") -> str:
    """The mark that says *ours*, as the platform's definition words it."""
    return str(mark.text.render({"target": target, "uid": uid, "name": name, "content": content}))


def can_unmark(book: RuleBook) -> bool:
    """Whether our mark can be taken off by a write that changes nothing else: not where one replaces what it hides."""
    kind = book.kind
    operation = kind.update or kind.apply
    if operation is None or kind.mark is None or not kind.mark.in_list:
        return False
    return operation.sends != "whole" or not any(book.with_word("write_only", "secret", "mask"))


def compose_unmarked(
    book: RuleBook, live: Mapping[str, Any], mark: str, *, named: Collection[str] | None, only: Collection[str] | None
) -> dict[str, Any]:
    """The body that leaves an object as it is, less our mark (:func:`can_unmark`)."""
    assert book.kind.mark is not None
    place = split_pointer(book.kind.mark.pointer)
    values = value_at(live_spec(book, live), place)
    left = [value for value in values if value != mark] if isinstance(values, list) else []
    body = compose_update(book, {}, None, live, mark=None, named=named)
    body = dict(placed(body, {place: left}))
    if only is not None:
        members = {split_pointer(pointer)[0] for pointer in only if pointer}
        body = {name: value for name, value in body.items() if name in members}
    return body


def _marked(kind: Kind, body: dict[str, Any], mark: str | None, *, alone: bool = False) -> dict[str, Any]:
    if mark is None or kind.mark is None:
        return body
    place = split_pointer(kind.mark.pointer)
    parent = body
    for token in place[:-1]:
        parent[token] = parent = dict(parent.get(token) or {})
    if kind.mark.in_list:
        values = list(parent.get(place[-1]) or [])
        if alone:
            values = [value for value in values if value == mark or not is_mark(kind.mark, value)]
        parent[place[-1]] = values if mark in values else [*values, mark]
    else:
        parent[place[-1]] = mark
    return body


def _laid_over(book: RuleBook, desired: Any, applied: Any, live: Any, place: Place, kept: set[Place]) -> Any:
    if kept and covers(kept, place):
        return live if live is not MISSING else desired
    if isinstance(desired, Mapping) and "secretRef" not in desired and isinstance(live, Mapping):
        before = applied if isinstance(applied, Mapping) else {}
        merged = dict(live)
        for name, value in desired.items():
            merged[name] = _laid_over(
                book, value, before.get(name, MISSING), live.get(name, MISSING), (*place, name), kept
            )
        for name, ours in before.items():
            if name not in desired and name in merged and not covers(kept, (*place, name)):
                merged[name] = _left(book, ours, merged[name], (*place, name))
        return merged
    if isinstance(desired, list) and isinstance(live, list):
        return _lists(book, desired, applied if isinstance(applied, list) else [], live, place, kept)
    return desired


def _lists(
    book: RuleBook, desired: list[Any], applied: list[Any], live: list[Any], place: Place, kept: set[Place]
) -> list[Any]:
    """Elements that correspond keep what nobody wrote; others are taken from git as they stand."""
    rule = book.at(pattern_of(place))
    if rule.list == "set":
        extra = [value for value in live if value not in desired and value not in applied]
        return [*desired, *extra] if rule.own == "listed" else list(desired)
    names = rule.list if isinstance(rule.list, tuple) else identifying(desired, live)
    if names is None:
        return [
            _laid_over(book, value, MISSING, live[index], (*place, str(index)), kept)
            if index < len(live) and _covers(live[index], value)
            else value
            for index, value in enumerate(desired)
        ]
    there = {tuple(str(value.get(name)) for name in names): value for value in live if isinstance(value, Mapping)}
    ours = {tuple(str(value.get(name)) for name in names): value for value in applied if isinstance(value, Mapping)}
    merged = []
    wanted = set()
    for index, value in enumerate(desired):
        key = tuple(str(value.get(name)) for name in names)
        wanted.add(key)
        before = ours.get(key, MISSING)
        merged.append(_laid_over(book, value, before, there.get(key, MISSING), (*place, str(index)), kept))
    if isinstance(rule.list, tuple) and rule.own == "listed":
        merged += [value for key, value in there.items() if key not in wanted and key not in ours]
    return merged


def _covers(live: Any, desired: Any) -> bool:
    """Every written leaf is live already: the element is the same one, and its unwritten members may be copied."""
    if isinstance(desired, Mapping):
        return isinstance(live, Mapping) and all(
            name in live and _covers(live[name], value) for name, value in desired.items()
        )
    return bool(live == desired)


def _left(book: RuleBook, ours: Any, live: Any, place: Place) -> Any:
    """What becomes of a leaf that left git: its declared default, a set less what git owned of it, else it stays."""
    rule = book.at(pattern_of(place))
    if rule.has_default:
        return rule.default
    if rule.list == "set" and rule.own == "listed" and isinstance(live, list) and isinstance(ours, list):
        return [value for value in live if value not in ours]
    return live


def _returnable(book: RuleBook, live: Any, place: Place) -> Any:
    """What was read, less all that must not go back, however deep it stands in what git does not write."""
    if isinstance(live, Mapping):
        return {
            name: _returnable(book, value, (*place, name))
            for name, value in live.items()
            if not _is_servers(book, (*place, name), value)
        }
    return [_returnable(book, value, (*place, "*")) for value in live] if isinstance(live, list) else live


def _is_servers(book: RuleBook, place: Place, value: Any) -> bool:
    """Read-only, unreadable or masked: must never be sent back as if it were a value."""
    rule = book.at(pattern_of(place))
    if rule.read_only or rule.write_only or rule.via is not None:
        return True
    if rule.mask is not None and isinstance(value, str):
        return re.search(rule.mask, value) is not None
    return is_masked(value) and is_secret_name(place[-1])
