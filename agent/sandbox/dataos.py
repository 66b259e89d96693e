"""An emulator of the DataOS REST API, written by hand from its API page.

Printed on the page, and served as printed: `/v1/resources` (list, get, create, update, delete, logs), Bearer tokens,
the error envelope, both rate limits, their headers and the 429 body. A user name and a password, which the page shows
for the SDK only and without a path, are taken as HTTP Basic with a token as the password (a guess). Where the page is
silent a comment says *guess*.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any

from agent.sandbox.dataos_answers import (
    limit_headers,
    no_such_path,
    not_found,
    page_answer,
    read_page,
    refusal_for,
    refused,
    throttled,
)
from agent.sandbox.dataos_bodies import INSTANCE_TYPES, check_document, invalid, one_workspace, read_body
from agent.sandbox.dataos_documents import Document, accepted
from agent.sandbox.dataos_face import Face, check_access, check_scope
from agent.sandbox.dataos_secrets import sanitized
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.storage import Key
from agent.sandbox.switches import Switches
from agent.sandbox.world import Author, Token


class DataOS(Face):
    name = "dataos"
    rows = "/data"
    total = "/meta/total"
    position = "offset"

    def answer(self, request: Request) -> Answer:
        headers: tuple[tuple[str, str], ...] = ()
        try:
            token = self._authenticate(request)
            if self._world.limits:
                standing = self._world.limiter.spend(token.value, self._world.clock.now())
                headers = limit_headers(standing)
                if not standing.allowed:
                    return replace(throttled(standing.retry_after), headers=headers)
            check_scope(token, request.method)
            self.state.let_go()
            answer = self._routed(request, token)
        except Refusal as refusal:
            answer = refused(refusal)
        return replace(answer, headers=headers) if headers else answer

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        if status == 429:
            return throttled(seconds)
        if status == 404 and len(request.segments) == 4:
            return refused(not_found(request.segments[2], request.segments[3], request.parameter("workspace")))
        return refused(refusal_for(status))

    def write_log(
        self, type: str, name: str, message: str, *, workspace: str | None = None, level: str = "INFO"
    ) -> None:
        """Add a line to a resource's log, now."""
        self.state.logs.write(self.state.key(type, name, workspace), level, message)

    def switches(self) -> Switches:
        return self._world.switches

    def shown(self, document: Document, at: float) -> dict[str, Any]:
        return _without_secrets(document, at) if self._world.switches.hide_secrets else document.shown(at)

    def check_free(self, document: Document) -> None:
        # The page says nothing of resources that depend on each other.
        if self._world.switches.refuse_dependents:
            self.state.check_free(document)

    # Requests

    def _authenticate(self, request: Request) -> Token:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._token(_password(value))
        return self._token(value.strip() if scheme.lower() == "bearer" else "")

    def _routed(self, request: Request, token: Token) -> Answer:
        segments = request.segments
        family = segments[1] if len(segments) > 1 and segments[0] == "v1" else ""
        author = Author(request.agent, method=request.method, request=request.number)
        if family == "workspaces" and len(segments) <= 3:
            return self.state.workspaces.answer(request, author)
        if family == "webhooks" and len(segments) <= 3:
            return self.state.subscriptions.answer(request)
        if family != "resources" or len(segments) not in (2, 4, 5):
            raise no_such_path(request)
        if len(segments) == 2:
            if request.method == "GET":
                return self._answer_list(request, token)
            if request.method == "POST":
                return self._answer_create(request, token, author)
            raise refusal_for(405)
        key = self.state.key(segments[2], segments[3], request.parameter("workspace"))
        if len(segments) == 5:
            if segments[4] != "logs":
                raise no_such_path(request)
            if request.method != "GET":
                raise refusal_for(405)
            check_access(token, key)
            return self.state.logs.answer(request, self.state.present(key))
        if request.method == "GET":
            check_access(token, key)
            return self._answer_get(request, key)
        if request.method == "PUT":
            return self._answer_update(request, key, token, author)
        if request.method == "DELETE":
            check_access(token, key)
            present = self.state.changeable(key)
            self.check_free(present)
            self.state.delete(present, author)
            resource = {"name": key[3], "type": key[1]}
            return json_answer(200, {"message": "Resource deleted successfully", "resource": resource})
        raise refusal_for(405)

    def _answer_list(self, request: Request, token: Token) -> Answer:
        limit, offset = read_page(request, self._world.switches.limit_max)
        type_name, workspace = request.parameter("type") or None, request.parameter("workspace") or None
        if type_name in INSTANCE_TYPES:
            workspace = None
        if token.workspaces is not None and type_name not in INSTANCE_TYPES and workspace not in token.workspaces:
            raise refusal_for(403)
        now = self._world.clock.now() - request.lag
        if request.lag:
            documents, total = self.state.shelves.page_as_of((type_name, workspace), limit, offset, now)
        else:
            documents, total = self.state.shelves.page((type_name, workspace), limit, offset)
        return page_answer([document.row(now) for document in documents], total, limit, offset)

    def _answer_get(self, request: Request, key: Key) -> Answer:
        at = self._world.clock.now() - request.lag
        document = self.state.shelves.get_as_of(key, at) if request.lag else self.state.shelves.get(key)
        if document is None:
            raise not_found(key[1], key[3], key[2] or None)
        if self._world.switches.hide_secrets:
            return json_answer(200, self.shown(document, at))
        return Answer(status=200, body=document.encoded(at))

    def _answer_create(self, request: Request, token: Token, author: Author) -> Answer:
        body = read_body(request)
        check_document(body, strict_names=self._world.switches.strict_names)
        workspace = one_workspace(body, request)
        key = self.state.key(body["type"], body["name"], workspace)
        check_access(token, key)
        made = self.state.create(key, body, token.owner, author, self.switches())
        return json_answer(201, {"message": "Resource created successfully", "resource": accepted(made)})

    def _answer_update(self, request: Request, key: Key, token: Token, author: Author) -> Answer:
        # Guesses: the page prints no answer to PUT, and no workspace in its path; one may stand in the body.
        body = read_body(request)
        check_document(body, strict_names=self._world.switches.strict_names)
        if (body["type"], body["name"]) != (key[1], key[3]):
            raise invalid("'type' and 'name' must be those of the path", field="name")
        key = self.state.key(key[1], key[3], one_workspace(body, request))
        check_access(token, key)
        made = self.state.update(self.state.changeable(key), body, token.owner, author, self.switches())
        return json_answer(200, {"message": "Resource updated successfully", "resource": accepted(made)})


def _password(credentials: str) -> str:
    """Of HTTP Basic (RFC 7617), "" where it cannot be read."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _without_secrets(document: Document, at: float) -> dict[str, Any]:
    shown = document.shown(at)
    return {**shown, "spec": sanitized(shown["spec"])}
