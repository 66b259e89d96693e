"""An emulator of Poros, the resource service that the vendor's own clients speak to: the other face of DataOS.

No API page of it is public. Known, and served so: the paths below `/poros/api/v1` by which clients read, create,
validate, resolve and delete, the reports below `/collated/api/v1`, both credentials (`apikey: …`, and a Bearer token),
which type lives on which level, what the server does to tags, owner and secrets, and the sentence that refuses to
delete what another resource depends on. Guesses, for no client shows them: the update by PUT, every write outside of a
workspace, and, but for the 404 of a runtime that is not there yet and for 200 and 204, every status. What is made
through one face is read through the other.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.sandbox import dataos_poros_answers as answers
from agent.sandbox.dataos_answers import no_such_path, not_found, refusal_for
from agent.sandbox.dataos_bodies import INSTANCE_TYPES, check_document, check_name, check_type, invalid, read_body
from agent.sandbox.dataos_documents import Document
from agent.sandbox.dataos_face import Face, check_access, check_scope
from agent.sandbox.dataos_poros_reports import Reports
from agent.sandbox.dataos_poros_runtime import runtime_details
from agent.sandbox.dataos_poros_stacks import resolved
from agent.sandbox.dataos_state import PLATFORM
from agent.sandbox.messages import JSON_TYPE, Answer, Refusal, Request, json_answer
from agent.sandbox.storage import Key
from agent.sandbox.switches import Switches
from agent.sandbox.world import Author, Token

_BASE = ("poros", "api", "v1")
_REPORTS = ("collated", "api", "v1", "reports", "resources")


class DataOSPoros(Face):
    name = "dataos-poros"
    rows = ""
    total = ""
    position = ""

    def answer(self, request: Request) -> Answer:
        """No limit of calls is known, so there is none."""
        try:
            token = self._authenticate(request)
            check_scope(token, request.method)
            self.state.let_go()
            return self._routed(request, token)
        except Refusal as refusal:
            return answers.refused(refusal)

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        return answers.refused(refusal_for(status), seconds)

    def switches(self) -> Switches:
        """Tags of the server's own, and the caller as owner whatever the manifest says: always so here."""
        return replace(self._world.switches, server_tags=True, force_owner=True)

    def shown(self, document: Document, at: float) -> dict[str, Any]:
        return answers.resource(document, at)

    def check_free(self, document: Document) -> None:
        """In the vendor's words for an instance; those for a workspace follow another refusal, which says `resource`
        alone. That its status is 400 is guessed from "Invalid Parameter"."""
        try:
            self.state.check_free(document)
        except Refusal as refusal:
            level = "resource" if document.workspace else "instance resource"
            message = f"Invalid Parameter - failure deleting {level} : {refusal.message}"
            raise Refusal(400, refusal.code, message) from refusal

    # Requests

    def _authenticate(self, request: Request) -> Token:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return self._token(request.headers.get("apikey") or (value.strip() if scheme.lower() == "bearer" else ""))

    def _routed(self, request: Request, token: Token) -> Answer:
        segments = request.segments
        if segments[:-1] == _REPORTS:
            _only(request, "GET")
            return Reports(self.state, self._world.clock.now() - request.lag).answer(request, token)
        if segments[:3] != _BASE:
            raise no_such_path(request)
        match segments[3:]:
            case ("resolve",):
                _only(request, "GET")
                return resolved(request.parameter("stack"), self.state.shelves.matching(("stack", None)))
            case ("workspaces", workspace):
                _only(request, "GET")
                return self._answer_workspace(workspace, token)
            case ("workspaces", workspace, "resources", *rest):
                self._check_workspace(workspace)
                return self._answer_resources(request, token, workspace, rest)
            case ("resources", *rest):
                return self._answer_resources(request, token, "", rest)
        raise no_such_path(request)

    def _answer_resources(self, request: Request, token: Token, workspace: str, rest: Sequence[str]) -> Answer:
        """Below `…/resources`, in a workspace or, with an empty one, outside of any."""
        match rest:
            case []:
                _only(request, "POST")
                return self._answer_create(request, token, workspace)
            case ["validate"] if request.method == "POST":
                self._readable_body(request, token, workspace)
                return json_answer(200, {})
            case [type_name]:
                _only(request, "GET")
                return self._answer_list(request, token, type_name, workspace)
            case [type_name, name]:
                return self._answer_one(request, token, _key(type_name, name, workspace))
            case [type_name, name, "runtime"]:
                _only(request, "GET")
                key = _key(type_name, name, workspace)
                check_access(token, key)
                return self._answer_runtime(request, key)
        raise no_such_path(request)

    def _answer_workspace(self, name: str, token: Token) -> Answer:
        self._check_workspace(name)
        if token.workspaces is not None and name not in token.workspaces:
            raise refusal_for(403)
        return json_answer(200, answers.workspace(name, self.state.workspaces.record(name) or {}))

    def _answer_list(self, request: Request, token: Token, type_name: str, workspace: str) -> Answer:
        """One array, as the client's documentation says; without pages, for none are known."""
        check_access(token, _key(type_name, "", workspace))
        at = self._world.clock.now() - request.lag
        wanted = (type_name, workspace)
        shelves = self.state.shelves
        documents = shelves.matching_as_of(wanted, at) if request.lag else shelves.matching(wanted)
        return json_answer(200, [answers.row(document, at) for document in documents])

    def _answer_one(self, request: Request, token: Token, key: Key) -> Answer:
        check_access(token, key)
        author = Author(request.agent, method=request.method, request=request.number)
        if request.method == "GET":
            at = self._world.clock.now() - request.lag
            return json_answer(200, answers.resource(self._seen(request, key), at))
        if request.method == "PUT":
            body, named = self._readable_body(request, token, key[2])
            if named != key:
                raise invalid("'type' and 'name' must be those of the path", field="name")
            made = self.state.update(self.state.changeable(key), body, token.owner, author, self.switches())
            return json_answer(200, self.shown(made, self._world.clock.now()))
        _only(request, "DELETE")
        present = self.state.changeable(key)
        self.check_free(present)
        self.state.delete(present, author)
        return Answer(status=204)

    def _answer_create(self, request: Request, token: Token, workspace: str) -> Answer:
        body, key = self._readable_body(request, token, workspace)
        author = Author(request.agent, method=request.method, request=request.number)
        made = self.state.create(key, body, token.owner, author, self.switches())
        return json_answer(201, self.shown(made, self._world.clock.now()))

    def _answer_runtime(self, request: Request, key: Key) -> Answer:
        details = runtime_details(self._seen(request, key), self._world.clock.now() - request.lag)
        if details is None:
            raise Refusal(404, "RUNTIME_NOT_FOUND", f"Runtime of '{key[3]}' not found")
        return json_answer(200, details)

    def _seen(self, request: Request, key: Key) -> Document:
        at = self._world.clock.now() - request.lag
        document = self.state.shelves.get_as_of(key, at) if request.lag else self.state.shelves.get(key)
        if document is None:
            raise not_found(key[1], key[3], key[2] or None)
        return document

    def _readable_body(self, request: Request, token: Token, workspace: str) -> tuple[dict[str, Any], Key]:
        """A manifest that may be written there, and its key."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON_TYPE:
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type must be {JSON_TYPE}")
        body = read_body(request)
        check_document(body, strict_names=self._world.switches.strict_names)
        key = _key(body["type"], body["name"], workspace)
        if workspace and body.get("workspace") not in (None, workspace):
            raise invalid("'workspace' must be that of the path", field="workspace")
        check_access(token, key)
        self.state.check_creatable(key)
        return body, key

    def _check_workspace(self, name: str) -> None:
        check_name("workspace", name, strict=self._world.switches.strict_names, field="workspace")
        if self._world.switches.workspaces_must_exist and self.state.workspaces.record(name) is None:
            raise not_found("workspace", name, None)


def _key(type_name: str, name: str, workspace: str) -> Key:
    """Refusal 400 for a type on the wrong level."""
    check_type(type_name)
    if workspace and type_name in INSTANCE_TYPES:
        raise invalid(f"'{type_name}' is an instance resource: it lives in no workspace", field="type")
    if not workspace and type_name not in INSTANCE_TYPES:
        raise invalid(f"'{type_name}' is a workspace resource: it lives in a workspace", field="type")
    return (PLATFORM, type_name, workspace, name)


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise refusal_for(405)
