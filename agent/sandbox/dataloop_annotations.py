"""Annotations of the emulated Dataloop, in streams that exist while something is in them.

Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import Call, read_fields, refusal_for, required, stamp
from agent.sandbox.messages import Answer, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author, World

Annotation = Mapping[str, Any]


class Annotations:
    def __init__(self, world: World, shelf: Shelf) -> None:
        self._world = world
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        method, lag = call.request.method, call.request.lag
        if len(call.way) == 1:
            if method == "GET":
                present = self._shelf.all("annotation", call.scope, lag).values()
                return json_answer(200, [*dict.fromkeys(each["stream"] for each in present)])
        elif len(call.way) == 2:
            if method == "GET":
                return json_answer(200, self._stream(call, lag)[::-1])
            if method == "POST":
                return json_answer(200, self.create(call.scope, call.way[1], read_fields(call.request), call.author))
            if method == "DELETE":
                return self._delete_stream(call)
        elif len(call.way) == 3:
            return self._one(call)
        else:
            raise refusal_for(404)
        raise refusal_for(405)

    def create(self, scope: str, stream: str, fields: Mapping[str, Any], author: Author) -> Annotation:
        made = {
            "id": self._shelf.unique().hex()[:24],
            "stream": stream,
            "name": required(fields, "name"),
            "description": _text(fields, "description", ""),
            "start_time": _text(fields, "start_time", stamp(self._world.clock.now())),
        }
        self._shelf.commit("annotation", scope, made["id"], made, author, before=None, after=made)
        return made

    def change(self, scope: str, before: Annotation, fields: Mapping[str, Any], author: Author) -> Annotation:
        """What is not sent stays, as in the page's example."""
        after = {
            **before,
            **{word: _text(fields, word, before[word]) for word in ("name", "description", "start_time")},
        }
        self._shelf.commit("annotation", scope, before["id"], after, author, before=before, after=after)
        return after

    def _one(self, call: Call) -> Answer:
        found = self._shelf.get("annotation", call.scope, call.way[2], call.request.lag)
        if found is None or found["stream"] != call.way[1]:
            raise refusal_for(404, "annotation not found")
        if call.request.method == "GET":
            return json_answer(200, found)
        if call.request.method == "PUT":
            return json_answer(200, self.change(call.scope, found, read_fields(call.request), call.author))
        if call.request.method == "DELETE":
            self._shelf.commit("annotation", call.scope, found["id"], None, call.author, before=found, after=None)
            return Answer(status=204)
        raise refusal_for(405)

    def _delete_stream(self, call: Call) -> Answer:
        present = self._stream(call, 0.0)
        if not present:
            raise refusal_for(404, "stream not found")
        for each in present:
            self._shelf.commit("annotation", call.scope, each["id"], None, call.author, before=each, after=None)
        return Answer(status=204)

    def _stream(self, call: Call, lag: float) -> list[Annotation]:
        """Oldest first. A stream that nothing is in is empty, not missing (a guess)."""
        return [
            each for each in self._shelf.all("annotation", call.scope, lag).values() if each["stream"] == call.way[1]
        ]


def _text(fields: Mapping[str, Any], word: str, default: str) -> str:
    value = fields.get(word)
    if value is None:
        return default
    if not isinstance(value, str):
        raise refusal_for(422, f"{word} must be text")
    return value
