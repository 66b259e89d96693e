"""What a program holds: objects with the members that the platform answered, lines of a log, and lists of objects.

Members are attributes, as the API page prints them: ``workflow.status``, ``workflow.spec["workflow"]``. A value that is
a secret, by the definition or by its name, is a :class:`Secret`: it prints as ``***`` and ``reveal()`` yields it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from agent.client.reading import Seen
from agent.client.session import Session
from agent.live.logs import LogLine
from agent.live.rows import health_of
from agent.model.secret_names import is_masked, replaced
from agent.plan.normalize import rewrite
from agent.plan.rules import Place, RuleBook
from agent.secrets import Secret

Element = TypeVar("Element")


@dataclass(frozen=True, slots=True)
class Log:
    """One line of a log; what the platform does not tell is "". Safe to print: no control characters, no secrets."""

    timestamp: str
    level: str
    message: str
    source: str = ""

    @classmethod
    def of(cls, line: LogLine) -> Log:
        return cls(line.time, line.level, line.text, line.source)


class ResourceList(list[Element]):
    """Objects of a list. Not ``complete``: there may be more, and ``why`` says why."""

    complete: bool = True
    why: str = ""


class Item:
    """An object of the platform: its members are attributes, and ``item["…"]`` reads those with other names.

    ``name`` is there even where an answer left it out. ``kind``, ``key``, ``scope`` and ``health`` are of datakeel,
    unless the platform has members that are called so: those win, and ``key`` is always ``item.key``.
    """

    _session: Session
    _seen: Seen
    _members: dict[str, Any]

    def __init__(self, session: Session, seen: Seen) -> None:
        object.__setattr__(self, "_session", session)
        self._take(seen)

    def _take(self, seen: Seen) -> None:
        object.__setattr__(self, "_seen", seen)
        book = self._session.book(seen.key)
        object.__setattr__(self, "_members", covered(book, seen.item, self._session.redactor.add))

    @property
    def key(self) -> str:
        """``Workflow/analytics/daily-etl``: kind, scope and name."""
        return self._seen.key.path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._members:
            return self._members[name]
        seen = self._seen
        own: dict[str, Callable[[], Any]] = {
            "name": lambda: seen.key.name,
            "id": lambda: seen.id,
            "kind": lambda: seen.kind.name,
            "scope": lambda: dict(seen.key.scope),
            "health": lambda: health_of(seen.kind, seen.item),
        }
        if name in own:
            return own[name]()
        placed = dict(seen.key.scope)
        if name in placed:
            return placed[name]
        hint = "" if seen.whole else "; refresh() reads the whole object"
        raise AttributeError(f"{seen.key} was answered without `{name}`{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name == "key":
            raise AttributeError(f"{name} is not a member of the object")
        self._members[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._members:
            raise AttributeError(name)
        del self._members[name]

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._members[name] = value

    def __delitem__(self, name: str) -> None:
        del self._members[name]

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._members})

    def to_dict(self) -> dict[str, Any]:
        """A copy of the members; secrets in it still print as ``***``."""
        return copy.deepcopy(self._members)

    def __repr__(self) -> str:
        status = self._members.get("status")
        told = f" status={status}" if isinstance(status, str) else ""
        return f"<{self.key}{told}>"


def covered(book: RuleBook, item: Mapping[str, Any], learn: Callable[[Secret], None]) -> dict[str, Any]:
    """A copy of what the platform answered with each secret as one that does not print; ``learn`` is told of each."""

    def cover(leaf: Any) -> Any:
        if not isinstance(leaf, str) or isinstance(leaf, Secret) or not leaf or is_masked(leaf):
            return leaf
        secret = Secret(leaf)
        learn(secret)
        return secret

    members: dict[str, Any] = _plain(item)
    for place, rule in book.with_word("secret"):
        if rule.secret:
            for live in places_in_answers(book, place):
                rewrite(members, live, lambda leaf: _each(leaf, cover))
    named: dict[str, Any] = replaced(members, lambda place, leaf: cover(leaf))
    return named


def places_in_answers(book: RuleBook, place: Place) -> Iterator[Place]:
    """Where a place of ``spec`` stands in the platform's own object: where a ``read`` says, else the same."""
    moved = False
    for move in book.reads:
        head = move.spec[:-1] if move.spec[-1:] == ("*",) else move.spec
        if place[: len(head)] == head and len(place) > len(head) - (move.spec != head):
            moved = True
            other = move.other[:-1] if move.other[-1:] == ("*",) else move.other
            yield other + place[len(head) :]
    if not moved or not any(move.spec == ("*",) for move in book.reads):
        yield place


def _plain(value: Any) -> Any:
    """A copy with fractions as programs have them, but for one that a float would change."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, Decimal) and Decimal(repr(float(value))) == value:
        return float(value)
    return value


def _each(leaf: Any, cover: Callable[[Any], Any]) -> Any:
    """A list of secrets is one secret after the other."""
    if isinstance(leaf, list):
        return [_each(each, cover) for each in leaf]
    if isinstance(leaf, dict):
        return {name: _each(each, cover) for name, each in leaf.items()}
    return cover(leaf)
