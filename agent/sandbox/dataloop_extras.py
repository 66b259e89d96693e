"""What the vendor's command line calls besides the page: templates, packs, the user and its tokens.

Only the paths and a few bodies are known. Each is a list of named mappings that can be made, set and deleted; what is
pushed into a template is accepted and forgotten. Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import Call, read_document, read_fields, refusal_for, required
from agent.sandbox.messages import Answer, json_answer
from agent.sandbox.shelf import Shelf


class NamedLists:
    """`type_name` says what is in the list; the first `prefix` segments of a way lead to it."""

    def __init__(self, shelf: Shelf, type_name: str, prefix: int) -> None:
        self._shelf = shelf
        self._type = type_name
        self._prefix = prefix

    def answer(self, call: Call) -> Answer:
        method, rest = call.request.method, call.way[self._prefix :]
        scope = "/".join((call.scope, *call.way[: self._prefix]))
        if not rest:
            if method == "GET":
                return json_answer(200, [*self._shelf.all(self._type, scope, call.request.lag).values()])
            if method == "POST":
                return json_answer(200, self._put(call, scope, read_fields(call.request)))
            raise refusal_for(405)
        if method == "PUT" and len(rest) == 1:
            return json_answer(200, self._put(call, scope, {**read_document(call.request), "name": rest[0]}))
        if method in ("PUT", "POST"):
            return json_answer(200, {"name": rest[-1]})
        before = self._shelf.get(self._type, scope, rest[-1], call.request.lag)
        if before is None:
            raise refusal_for(404, f"{self._type} not found")
        if method == "GET":
            return json_answer(200, before)
        if method == "DELETE":
            self._shelf.commit(self._type, scope, rest[-1], None, call.author, before=before, after=None)
            return Answer(status=204)
        raise refusal_for(405)

    def _put(self, call: Call, scope: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        name = required(fields, "name")
        before = self._shelf.get(self._type, scope, name)
        after = {**(before or {}), **fields}
        self._shelf.commit(self._type, scope, name, after, call.author, before=before, after=after)
        return after
