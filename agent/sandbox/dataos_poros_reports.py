"""`/collated/api/v1/reports/resources/{status|runtime}`: what the vendor's Monitors read.

The Monitor pages print the address, `id=TYPE:VERSION:NAME[:WORKSPACE]`, the answer `{"value": "active"}`, the words
(`deleted` among them), and for the name `%` a list of `completed` and `phase`, shown for `runtime` only. Guesses: an
absent workspace is `public`, a deleted resource is told for an hour, and the list of statuses. Called by
:mod:`agent.sandbox.dataos_poros`.
"""

from __future__ import annotations

from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.dataos_answers import no_such_path, not_found
from agent.sandbox.dataos_bodies import invalid
from agent.sandbox.dataos_documents import Document
from agent.sandbox.dataos_face import check_access
from agent.sandbox.dataos_poros_runtime import finished_runs, runtime, status
from agent.sandbox.dataos_state import State
from agent.sandbox.messages import Answer, Request, json_answer
from agent.sandbox.storage import Key
from agent.sandbox.world import Token

_ANY = "%"


class Reports:
    """Reports as of one moment."""

    def __init__(self, state: State, at: float) -> None:
        self._state = state
        self._at = at

    def answer(self, request: Request, token: Token) -> Answer:
        what = request.segments[-1]
        if what not in ("status", "runtime"):
            raise no_such_path(request)
        parts = (request.parameter("id") or "").split(":")
        if len(parts) not in (3, 4) or not all(parts):
            raise invalid("'id' must be type:version:name[:workspace]", field="id")
        type_name, version, name, *rest = parts
        key = self._state.key(type_name, name, rest[0] if rest else None)
        check_access(token, key)
        value = self._of_all(what, key, version) if name == _ANY else self._of_one(what, key, version)
        return json_answer(200, {"value": value})

    def _of_one(self, what: str, key: Key, version: str) -> str:
        document = self._state.shelves.get_as_of(key, self._at)
        if document is None and what == "status" and self._state.shelves.remembers(key):
            return "deleted"
        if document is None or document.written["version"] != version:
            raise not_found(key[1], key[3], key[2] or None)
        return status(document, self._at) if what == "status" else runtime(document, self._at)

    def _of_all(self, what: str, key: Key, version: str) -> list[dict[str, Any]]:
        there = self._state.shelves.matching_as_of((key[1], key[2]), self._at)
        documents = [each for each in there if each.written["version"] == version]
        if what == "runtime":
            return finished_runs(documents, self._at)
        return [self._standing(each) for each in documents]

    def _standing(self, document: Document) -> dict[str, Any]:
        return {"completed": moment(document.changed), "phase": status(document, self._at)}
