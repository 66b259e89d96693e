"""Records of the emulated Datalinx AI: create, read, replace, delete, alike for every kind.

Guesses, for the page prints no more than a workspace's body and three of its members: names are unique within a kind
and its workspace and cannot be changed; a second one is a 422; PUT replaces; members named like secrets are masked on
read, and a mask that comes back changes nothing. Called by :mod:`agent.sandbox.datalinx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.datalinx_answers import invalid, not_found
from agent.sandbox.datalinx_kinds import KINDS, Kind
from agent.sandbox.messages import Refusal
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, World

MASK = "********"
SECRET_WORDS = frozenset(
    {"password", "secret", "token", "api_key", "private_key", "access_key", "secret_key", "client_secret"}
)
_SERVER_SET = frozenset({"id", "created_at", "updated_at"})
_SCOPED = [kind for kind in KINDS.values() if kind.scoped]


class Collections:
    def __init__(self, world: World, shelf: Shelf) -> None:
        self._world = world
        self._shelf = shelf
        self._numbers = Numbers(shelf)
        self._names: dict[tuple[str, str, str], str] = {}
        """Name by type, workspace and id; kept after a delete, for stale reads."""
        for kind in KINDS.values():
            for scope in [""] if not kind.scoped else shelf.scopes(kind.type):
                for record in shelf.all(kind.type, scope).values():
                    self._names[kind.type, scope, record["id"]] = record["name"]

    # Looking

    def all(self, kind: Kind, scope: str, lag: float = 0.0) -> list[Record]:
        return list(self._shelf.all(kind.type, scope, lag).values())

    def named(self, kind: Kind, scope: str, name: str, lag: float = 0.0) -> Record | None:
        return self._shelf.get(kind.type, scope, name, lag)

    def find(self, kind: Kind, scope: str, reference: str, lag: float = 0.0) -> Record:
        """By id; a mapping by the name of its table as well."""
        record = self._shelf.get(kind.type, scope, self._names.get((kind.type, scope, reference), ""), lag)
        if record is not None and record["id"] != reference:
            record = None
        if record is None and kind.type == "mapping":
            record = self._shelf.get(kind.type, scope, reference, lag)
        if record is None:
            raise not_found(kind)
        return record

    def shown(self, record: Record) -> dict[str, Any]:
        return {
            "id": record["id"],
            "name": record["name"],
            **_masked(record["body"]),
            "created_at": moment(record["created"]),
            "updated_at": moment(record["changed"]),
        }

    # Changes

    def create(self, kind: Kind, scope: str, sent: Mapping[str, Any], author: Author) -> Record:
        record = self._made(kind, scope, sent)
        self._shelf.commit(kind.type, scope, record["name"], record, author, before=None, after=self.shown(record))
        return record

    def found(self, kind: Kind, name: str) -> None:
        """Put what is there from the beginning, unless there is something of the kind."""
        if not self.all(kind, ""):
            self._shelf.keep(kind.type, "", name, self._made(kind, "", {"name": name}))

    def update(self, kind: Kind, scope: str, present: Record, sent: Mapping[str, Any], author: Author) -> Record:
        name = present["name"]
        for word in kind.names if kind.names_agree else ("name",):
            if sent.get(word) not in (None, name):
                raise invalid(f"'{word}' cannot be changed")
        body = _unmasked(self._completed(kind, name, sent), present["body"])
        record = {**present, "body": body, "changed": self._world.clock.now()}
        before, after = self.shown(present), self.shown(record)
        self._shelf.commit(kind.type, scope, name, record, author, before=before, after=after)
        return record

    def delete(self, kind: Kind, scope: str, record: Record, author: Author) -> None:
        """A workspace takes with it what it holds, unless the switch `refuse_dependents` says that it cannot go."""
        refuses = self._world.switches.refuse_dependents
        if kind.type == "workspace":
            for held_kind in _SCOPED:
                for held in self.all(held_kind, record["name"]):
                    if refuses:
                        raise Refusal(422, "WORKSPACE_NOT_EMPTY", f"Workspace '{record['name']}' is not empty")
                    self._remove(held_kind, record["name"], held, author)
        elif refuses and kind.scoped:
            for other_kind in _SCOPED:
                for other in self.all(other_kind, scope):
                    if other["body"].get(kind.type) in (record["id"], record["name"]):
                        words = f"{kind.title} '{record['name']}' is used by {other_kind.type} '{other['name']}'"
                        raise Refusal(422, kind.code("IN_USE"), words)
        self._remove(kind, scope, record, author)

    def _made(self, kind: Kind, scope: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        name = _name(kind, sent)
        if self._shelf.get(kind.type, scope, name) is not None:
            raise Refusal(422, kind.code("ALREADY_EXISTS"), f"{kind.title} '{name}' already exists")
        body, now = self._completed(kind, name, sent), self._world.clock.now()
        identity = f"{kind.prefix}_{self._numbers.next()}"
        self._names[kind.type, scope, identity] = name
        return {"id": identity, "name": name, "body": body, "created": now, "changed": now}

    def _remove(self, kind: Kind, scope: str, record: Record, author: Author) -> None:
        self._shelf.commit(kind.type, scope, record["name"], None, author, before=self.shown(record), after=None)

    def _completed(self, kind: Kind, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        """What was sent, less what only the server sets, plus what it adds."""
        if not isinstance(sent.get("config", {}), Mapping):
            raise invalid("'config' must be an object")
        body = {word: value for word, value in sent.items() if word not in _SERVER_SET and word != "name"}
        for word in kind.names[1:]:
            if body.get(word) is None:
                body[word] = name
        return _filled(body, self._world.switches.section_defaults.get(kind.type, {}))


def _name(kind: Kind, sent: Mapping[str, Any]) -> str:
    """The first word that gives one."""
    given = {word: sent[word] for word in kind.names if sent.get(word) is not None}
    if not given:
        raise invalid(f"'{kind.names[-1]}' is required")
    word, name = next(iter(given.items()))
    if not isinstance(name, str) or not 0 < len(name) <= 255 or not name.isprintable() or name.strip() != name:
        raise invalid(f"'{word}' must be a name of 1 to 255 characters")
    if kind.names_agree and any(other != name for other in given.values()):
        raise invalid(f"{' and '.join(given)} must be the same")
    return name


def _filled(body: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(body)
    for word, value in defaults.items():
        if word not in filled:
            filled[word] = value
        elif isinstance(filled[word], Mapping) and isinstance(value, Mapping):
            filled[word] = _filled(filled[word], value)
    return filled


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            word: MASK if word in SECRET_WORDS and isinstance(member, str) and member else _masked(member)
            for word, member in value.items()
        }
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _unmasked(value: Any, present: Any) -> Any:
    """A mask in the place of a secret that is there stands for it."""
    if not isinstance(value, Mapping) or not isinstance(present, Mapping):
        return value
    return {
        word: present[word]
        if word in SECRET_WORDS and member == MASK and word in present
        else _unmasked(member, present.get(word))
        for word, member in value.items()
    }
