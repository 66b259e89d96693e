"""Dashboards and rules of the emulated Dataloop: documents exported and imported whole, by name.

The page prints GET and PUT of one. Lists, DELETE, and for rules POST, PATCH and `criteria` are what the vendor's client
sends. What a rule comes back with, and was never sent, is also known from there: ids of its actions, and five members
and another spelling of the scope of its criteria. Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import (
    Call,
    document_answer,
    read_document,
    read_fields,
    refusal_for,
    required,
)
from agent.sandbox.messages import Answer, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author

Document = Mapping[str, Any]


class Documents:
    """Of one type, `dashboard` or `rule`."""

    def __init__(self, shelf: Shelf, type_name: str) -> None:
        self._shelf = shelf
        self._type = type_name

    def answer(self, call: Call) -> Answer:
        request, method = call.request, call.request.method
        if len(call.way) == 1:
            if method == "GET":
                return json_answer(200, [*self._shelf.all(self._type, call.scope, request.lag).values()])
            if method == "POST" and self._type == "rule":
                return self._create(call)
            raise refusal_for(405)
        if len(call.way) == 3 and call.way[2] == "criteria" and self._type == "rule" and method == "GET":
            return json_answer(200, self.find(call.scope, call.way[1], request.lag)["criteria"])
        if len(call.way) != 2:
            raise refusal_for(404)
        if method == "GET":
            return document_answer(request, self.find(call.scope, call.way[1], request.lag))
        if method == "PUT":
            return json_answer(200, self.put(call.scope, call.way[1], read_document(request), call.author))
        if method == "PATCH" and self._type == "rule":
            before = self.find(call.scope, call.way[1])
            return json_answer(200, self.put(call.scope, call.way[1], {**before, **read_fields(request)}, call.author))
        if method == "DELETE":
            self.delete(call.scope, call.way[1], call.author)
            return Answer(status=204)
        raise refusal_for(405)

    def find(self, scope: str, name: str, lag: float = 0.0) -> Document:
        """By name or by id."""
        documents = self._shelf.all(self._type, scope, lag)
        by_id = (each for each in documents.values() if each["id"] == name)
        found = documents.get(name) or next(by_id, None)
        if found is None:
            raise refusal_for(404, f"{self._type} not found")
        return found

    def put(self, scope: str, name: str, body: Mapping[str, Any], author: Author) -> Document:
        """Set the whole document. The name and the id are not the body's: the path wins, and an id never changes
        (guesses)."""
        documents = self._shelf.all(self._type, scope)
        name = next((each["name"] for each in documents.values() if each["id"] == name), name)
        before = documents.get(name)
        identity = before["id"] if before is not None else self._new_id()
        after = {**body, "id": identity, "name": name}
        if self._type == "rule":
            after = complete_rule(after, before or {}, self._new_id)
        self._shelf.commit(self._type, scope, name, after, author, before=before, after=after)
        return after

    def delete(self, scope: str, name: str, author: Author) -> None:
        before = self.find(scope, name)
        self._shelf.commit(self._type, scope, before["name"], None, author, before=before, after=None)

    def _create(self, call: Call) -> Answer:
        """A rule by its name, or whole. One that exists stays as it is, for the vendor's client always posts first."""
        is_yaml = "yaml" in call.request.headers.get("content-type", "").lower()
        fields = read_document(call.request) if is_yaml else read_fields(call.request)
        name = required(fields, "name")
        present = self._shelf.get("rule", call.scope, name)
        return json_answer(200, present if present is not None else self.put(call.scope, name, fields, call.author))

    def _new_id(self) -> str:
        return self._shelf.unique().hex()[:24]


def complete_rule(rule: Mapping[str, Any], before: Document, new_id: Callable[[], str]) -> dict[str, Any]:
    """The rule as the server keeps it. Ids that it gave stay with their place in the list (a guess)."""
    mute = rule.get("mute", False)
    completed = {**rule, "mute": mute.lower() == "true" if isinstance(mute, str) else bool(mute)}
    for word in ("actions", "criteria"):
        members = rule.get(word) or []
        if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
            raise refusal_for(422, f"{word} must be a list of mappings")
        earlier = [each["id"] for each in before.get(word, [])]
        completed[word] = []
        for place, member in enumerate(members):
            identity = member.get("id") or (earlier[place] if place < len(earlier) else new_id())
            made = {"id": identity} if word == "actions" else _criterion_defaults(rule["id"], identity)
            completed[word].append({**made, **_with_scopes(member)})
    return completed


def _criterion_defaults(rule: str, identity: str) -> dict[str, Any]:
    return {"id": identity, "data_type": "number", "rule": rule, "state": "ok", "sources": []}


def _with_scopes(member: Mapping[str, Any]) -> dict[str, Any]:
    """`scope: {tag: x}` comes back as `scopes: [{type: tag, id: x}]`."""
    seen = {word: value for word, value in member.items() if word != "scope"}
    scope = member.get("scope")
    if isinstance(scope, Mapping):
        seen["scopes"] = [{"type": kind, "id": name} for kind, name in scope.items()]
    elif scope is not None:
        raise refusal_for(422, "scope must be a mapping")
    return seen
