"""An emulator of the DataOS REST API, written by hand from its API page.

Printed on the page, and served as printed: `/v1/resources` (list, get, create, update, delete, logs), Bearer tokens,
the error envelope, both rate limits, their headers and the 429 body. Login with a user name and a password is left out,
for the page shows it for the SDK only and prints no path. Where the page is silent a comment says *guess*.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from agent.sandbox.dataos_bodies import INSTANCE_TYPES, check_document, check_type, invalid, one_workspace, read_body
from agent.sandbox.dataos_documents import Document, accepted, complete, merged, names_another
from agent.sandbox.dataos_logs import Logs
from agent.sandbox.dataos_shelves import Shelves
from agent.sandbox.dataos_workspaces import DEFAULT_WORKSPACE, Subscriptions, Workspaces
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.storage import Key
from agent.sandbox.world import Author, Token, World

_RESERVED = ("workspace", "webhook")
"""Types that are no resources: they have endpoints of their own."""


class DataOS:
    name = "dataos"
    rows = "/data"
    total = "/meta/total"
    position = "offset"

    def __init__(self, world: World) -> None:
        self._world = world
        self._shelves = Shelves(
            Document(key=key, **record)
            for key, record in world.records.items()
            if key[0] == self.name and key[1] not in _RESERVED
        )
        self._leaving: set[Key] = {each.key for each in self._shelves.matching((None, None)) if each.gone_at}
        self._logs = Logs(world, self._shelves.get)
        self._workspaces = Workspaces(world, self.name, self._empty_workspace)
        self._subscriptions = Subscriptions(world, self.name)

    def answer(self, request: Request) -> Answer:
        headers: tuple[tuple[str, str], ...] = ()
        try:
            token = self._authenticate(request)
            if self._world.limits:
                standing = self._world.limiter.spend(token.value, self._world.clock.now())
                headers = limit_headers(standing)
                if not standing.allowed:
                    return replace(throttled(standing.retry_after), headers=headers)
            if ("read" if request.method == "GET" else "write") not in token.scopes:
                raise refusal_for(403)
            if self._leaving:
                self._let_go()
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
        self._logs.write(self._key(type, name, workspace), level, message)

    def resources(self) -> list[Mapping[str, Any]]:
        return [document.shown(self._world.clock.now()) for document in self._shelves.matching((None, None))]

    # A person clicks: the same checks and commits, no token, no limits, no faults.

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        self._let_go()
        check_document(document, strict_names=self._world.switches.strict_names)
        made = self._create(document, document.get("workspace"), person, Author(person, person=True, method="POST"))
        return made.shown(self._world.clock.now())

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        present = self._changeable(self._key(type, name, workspace))
        document = merged(present.written, change)
        check_document(document, strict_names=self._world.switches.strict_names)
        made = self._update(present, document, person, Author(person, person=True, method="PUT"))
        return made.shown(self._world.clock.now())

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        self._delete(self._changeable(self._key(type, name, workspace)), Author(person, person=True, method="DELETE"))

    # Requests

    def _authenticate(self, request: Request) -> Token:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._world.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None or (token.expires is not None and self._world.clock.now() >= token.expires):
            raise refusal_for(401)
        return token

    def _routed(self, request: Request, token: Token) -> Answer:
        segments = request.segments
        family = segments[1] if len(segments) > 1 and segments[0] == "v1" else ""
        author = Author(request.agent, method=request.method, request=request.number)
        if family == "workspaces" and len(segments) <= 3:
            return self._workspaces.answer(request, author)
        if family == "webhooks" and len(segments) <= 3:
            return self._subscriptions.answer(request)
        if family != "resources" or len(segments) not in (2, 4, 5):
            raise no_such_path(request)
        if len(segments) == 2:
            if request.method == "GET":
                return self._answer_list(request, token)
            if request.method == "POST":
                return self._answer_create(request, token, author)
            raise refusal_for(405)
        key = self._key(segments[2], segments[3], request.parameter("workspace"))
        if len(segments) == 5:
            if segments[4] != "logs":
                raise no_such_path(request)
            if request.method != "GET":
                raise refusal_for(405)
            _check_access(token, key)
            return self._logs.answer(request, self._present(key))
        if request.method == "GET":
            _check_access(token, key)
            return self._answer_get(request, key)
        if request.method == "PUT":
            return self._answer_update(request, key, token, author)
        if request.method == "DELETE":
            _check_access(token, key)
            self._delete(self._changeable(key), author)
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
            documents, total = self._shelves.page_as_of((type_name, workspace), limit, offset, now)
        else:
            documents, total = self._shelves.page((type_name, workspace), limit, offset)
        return page_answer([document.row(now) for document in documents], total, limit, offset)

    def _answer_get(self, request: Request, key: Key) -> Answer:
        at = self._world.clock.now() - request.lag
        document = self._shelves.get_as_of(key, at) if request.lag else self._shelves.get(key)
        if document is None:
            raise not_found(key[1], key[3], key[2] or None)
        return Answer(status=200, body=document.encoded(at))

    def _answer_create(self, request: Request, token: Token, author: Author) -> Answer:
        body = read_body(request)
        check_document(body, strict_names=self._world.switches.strict_names)
        workspace = one_workspace(body, request)
        _check_access(token, self._key(body["type"], body["name"], workspace))
        made = self._create(body, workspace, token.owner, author)
        return json_answer(201, {"message": "Resource created successfully", "resource": accepted(made)})

    def _answer_update(self, request: Request, key: Key, token: Token, author: Author) -> Answer:
        # Guesses: the page prints no answer to PUT, and no workspace in its path; one may stand in the body.
        body = read_body(request)
        check_document(body, strict_names=self._world.switches.strict_names)
        if (body["type"], body["name"]) != (key[1], key[3]):
            raise invalid("'type' and 'name' must be those of the path", field="name")
        key = self._key(key[1], key[3], one_workspace(body, request))
        _check_access(token, key)
        made = self._update(self._changeable(key), body, token.owner, author)
        return json_answer(200, {"message": "Resource updated successfully", "resource": accepted(made)})

    # Changes

    def _create(self, body: Mapping[str, Any], workspace: str | None, owner: str, author: Author) -> Document:
        key = self._key(body["type"], body["name"], workspace)
        details = {"type": key[1], "name": key[3], **({"workspace": key[2]} if key[2] else {})}
        if key[1] in _RESERVED:
            raise invalid(f"'{key[1]}' is not a type of resource", field="type")
        if key[2] and self._world.switches.workspaces_must_exist and not self._workspaces.exists(key[2]):
            raise invalid(f"Workspace '{key[2]}' does not exist", field="workspace")
        if self._shelves.get(key) is not None:
            message = f"{key[1].capitalize()} '{key[3]}' already exists"
            raise Refusal(409, "RESOURCE_ALREADY_EXISTS", message, details)
        return self._write(key, complete(body, key[2] or None, owner, self._world.switches), None, author)

    def _update(self, present: Document, body: Mapping[str, Any], owner: str, author: Author) -> Document:
        written = complete(body, present.workspace, owner, self._world.switches)
        return self._write(present.key, written, present, author)

    def _write(self, key: Key, written: dict[str, Any], before: Document | None, author: Author) -> Document:
        now, switches = self._world.clock.now(), self._world.switches
        fails = key[3] in switches.fail_names or (
            switches.fail_share > 0 and self._world.random.random() < switches.fail_share
        )
        made = Document(
            key=key,
            written=written,
            created=now if before is None else before.created,
            changed=now,
            ready_at=now + switches.ready_after,
            outcome=switches.failed_status if fails else "active",
        )
        self._commit(key, made, before, author, "resource.created" if before is None else "resource.updated")
        return made

    def _delete(self, present: Document, author: Author) -> None:
        switches = self._world.switches
        if switches.refuse_dependents:
            for other in self._shelves.matching((None, None)):
                if other.key != present.key and names_another(other, present):
                    parts = (other.type, other.written["version"], other.name, other.workspace)
                    message = f"cannot delete resource, it is a dependency of '{':'.join(filter(None, parts))}'"
                    raise Refusal(409, "RESOURCE_IN_USE", message, {"type": present.type, "name": present.name})
        left: Document | None = None
        if switches.delete_delay > 0:
            left = replace(present, gone_at=self._world.clock.now() + switches.delete_delay)
            self._leaving.add(present.key)
        self._commit(present.key, left, present, author, "resource.deleted")

    def _commit(self, key: Key, document: Document | None, before: Document | None, author: Author, event: str) -> None:
        now = self._world.clock.now()
        shown = None if document is None else document.shown(now)
        previous = None if before is None else before.shown(now)
        self._shelves.put(key, document, now)
        if document is None:
            self._logs.forget(key)
        record = None if document is None else document.record()
        self._world.commit(key, record, author, before=previous, after=None if event == "resource.deleted" else shown)
        told = shown or {**(previous or {}), "status": "deleted"}
        members = ("type", "name", "workspace", "status")
        self._subscriptions.tell(event, {member: told[member] for member in members if member in told})

    def _let_go(self) -> None:
        """Remove what was deleted a while ago; its commit was the delete."""
        now = self._world.clock.now()
        for key in [*self._leaving]:
            document = self._shelves.get(key)
            if document is None or document.gone_at is None:
                self._leaving.discard(key)
            elif now >= document.gone_at:
                self._leaving.discard(key)
                self._shelves.put(key, None, now)
                self._world.keep(key, None)

    def _empty_workspace(self, name: str, author: Author) -> None:
        """A workspace takes with it what it holds (a guess), or is refused while it holds anything."""
        held = self._shelves.matching((None, name))
        if held and self._world.switches.refuse_dependents:
            raise Refusal(409, "WORKSPACE_NOT_EMPTY", f"Workspace '{name}' holds {len(held)} resources", {"name": name})
        for document in held:
            if document.gone_at is None:
                self._delete(document, author)

    def _present(self, key: Key) -> Document:
        document = self._shelves.get(key)
        if document is None:
            raise not_found(key[1], key[3], key[2] or None)
        return document

    def _changeable(self, key: Key) -> Document:
        self._let_go()
        document = self._present(key)
        if document.gone_at is not None:
            details = {"type": key[1], "name": key[3]}
            raise Refusal(409, "RESOURCE_BEING_DELETED", f"{key[1].capitalize()} '{key[3]}' is being deleted", details)
        return document

    def _key(self, type_name: str, name: str, workspace: str | None) -> Key:
        """Instance-level types have no workspace; for the others an absent one is `public` (a guess)."""
        check_type(type_name)
        return (self.name, type_name, "" if type_name in INSTANCE_TYPES else workspace or DEFAULT_WORKSPACE, name)


def _check_access(token: Token, key: Key) -> None:
    if token.workspaces is not None and key[2] and key[2] not in token.workspaces:
        raise refusal_for(403)
