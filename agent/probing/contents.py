"""What bodies tell of a definition: expressions that find nothing, members and states that nobody wrote down. Pure.

Used by ``doctor`` and ``probe`` on what lists and reads brought. Members are told by name alone: values are people's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.definitions.barren import barren
from agent.definitions.expressions import Expression
from agent.definitions.marks import owner_of
from agent.definitions.platform import Kind, Platform
from agent.definitions.schema_words import Said
from agent.json_schema import Schema

_WORDS = re.compile(r"'([^']*)'|`\"?([^`\"]*)\"?`")
_STATE_MAX = 40


def fruitless(platform: Platform, kind: Kind, what: str, body: Any) -> list[str]:
    """Words of the definition whose expression finds nothing in an answer to ``what`` (``list``, ``get``).

    An empty list tells nothing of its rows.
    """
    found = list(barren(platform, f"{kind.name}.{what}", body))
    if what == "list" and any(one.words == ("list", "items") for one in found):
        return []
    return list(dict.fromkeys(".".join(one.words) for one in found))


def strange_states(kind: Kind, items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Words of state that no condition of the kind names, as ``status=suspended``.

    Only members that hold a short text and that a condition compares with a text are states.
    """
    conditions = [each for each in (kind.ready, kind.failed, kind.gone) if each is not None]
    known = {word for condition in conditions for word in _texts(condition)}
    members = {name for condition in conditions if any(_texts(condition)) for name in condition.first}
    seen = {
        f"{name}={item[name]}"
        for item in items
        for name in members
        if isinstance(item.get(name), str) and len(item[name]) <= _STATE_MAX and item[name] not in known
    }
    return sorted(seen)


def unknown_members(kind: Kind, items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Members of live objects that neither the schema nor any rule of the kind speaks of."""
    if kind.schema is None:
        return []
    said = Said(Schema(kind.schema, kind.schema_path))
    if not said.is_closed:
        return []
    spoken = _spoken(kind) | {word.word for word in kind.scope} | set(kind.with_)
    return sorted(
        {name for item in items for name in item if name not in spoken and not said.may_hold(name) and name.isascii()}
    )


def never_seen(kind: Kind, items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Members that the definition reads of each object, and that no object had."""
    held = list(items)
    read = {name for expression in (kind.key, kind.id) if expression is not None for name in expression.first}
    return sorted(name for name in read if held and not any(name in item for item in held))


def bare_secrets(kind: Kind, items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Leaves that the definition says are masked, and that were answered as something else."""
    found = set()
    for rule in kind.fields:
        if rule.mask is None:
            continue
        for item in items:
            value = _at(item, (rule.read or rule.pointer).split("/")[1:])
            if isinstance(value, str) and value and re.search(rule.mask, value) is None:
                found.add(rule.pointer)
    return sorted(found)


def are_marked(kind: Kind, items: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a mark of ours is on any of them."""
    return any(owner_of(kind, item) is not None for item in items)


def _spoken(kind: Kind) -> set[str]:
    expressions = [each for each in (kind.key, kind.id, kind.ready, kind.failed, kind.gone) if each is not None]
    told = {name for expression in expressions for name in expression.first}
    for rule in kind.fields:
        for pointer in (rule.pointer, rule.read, rule.write):
            if pointer:
                told.add(pointer.split("/")[1])
    return told


def _texts(condition: Expression) -> Iterator[str]:
    for quoted, literal in _WORDS.findall(condition.source):
        if quoted or literal:
            yield quoted or literal


def _at(value: Any, words: Iterable[str]) -> Any:
    for word in words:
        value = value.get(word) if isinstance(value, Mapping) else None
    return value
