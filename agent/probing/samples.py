"""Answers as samples of a definition: few rows, no secret, nobody's address. Pure.

Used by ``doctor --record`` and ``probe``. What is kept is form: members and types, which expressions are tried on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.definitions.expressions import Expression
from agent.definitions.platform import Kind
from agent.model.secret_names import replaced

HIDDEN = "(secret)"
ROWS_MAX = 3
TEXT_MAX = 200
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def redacted(kind: Kind, body: Any, scrub: Callable[[str], str], items: Expression | None = None) -> Any:
    """The body with secrets hidden, by the definition, by name and by value; mail addresses made up; long texts cut.

    Of a list, found by ``items``, the first rows stay.
    """
    shorter = _shortened(body, items)
    named = replaced(shorter, lambda place, leaf: HIDDEN)
    return _cleaned(_declared(kind, named), scrub)


def _shortened(body: Any, items: Expression | None) -> Any:
    rows = body if items is None else items.search(body)
    if not isinstance(rows, list) or len(rows) <= ROWS_MAX:
        return body
    if rows is body:
        return rows[:ROWS_MAX]
    kept = {id(row) for row in rows[:ROWS_MAX]}
    gone = {id(row) for row in rows} - kept
    return _without(body, gone)


def _without(value: Any, gone: set[int]) -> Any:
    """The value without those elements of its lists; an expression that made new rows leaves all of them."""
    if isinstance(value, Mapping):
        return {name: _without(member, gone) for name, member in value.items()}
    if isinstance(value, list):
        return [_without(each, gone) for each in value if id(each) not in gone]
    return value


def _declared(kind: Kind, value: Any) -> Any:
    """What the definition calls secret, wherever a member of that name stands."""
    names = {
        word
        for rule in kind.fields
        if rule.secret
        for pointer in (rule.pointer, rule.read, rule.write)
        if pointer
        for word in pointer.split("/")[-1:]
        if word != "*"
    }
    return _hidden(value, names) if names else value


def _hidden(value: Any, names: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if name in names and not isinstance(member, Mapping | list) else _hidden(member, names)
            for name, member in value.items()
        }
    return [_hidden(each, names) for each in value] if isinstance(value, list) else value


def _cleaned(value: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        text = _ADDRESS.sub("someone@example.com", scrub(value))
        return text if len(text) <= TEXT_MAX else text[:TEXT_MAX]
    if isinstance(value, Mapping):
        return {scrub(str(name)): _cleaned(member, scrub) for name, member in value.items()}
    return [_cleaned(each, scrub) for each in value] if isinstance(value, list) else value
