"""An emulator of the Datalinx AI REST API, written by hand from its API overview.

Printed on the page, and served as printed: the base `/api`, the login, both credentials, `X-Workspace`, the three
envelopes, the statuses, paging, limits with their headers, the payload of a webhook. The page prints three paths; the
others follow its categories and say in :mod:`agent.sandbox.datalinx_kinds` where they come from.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.sandbox.datalinx_access import FIRST_USER, Access
from agent.sandbox.datalinx_answers import (
    failure,
    invalid,
    limit_headers,
    not_found,
    page_answer,
    read_body,
    refusal_for,
    success,
)
from agent.sandbox.datalinx_collections import Collections
from agent.sandbox.datalinx_kinds import KINDS, Kind, Route, matching
from agent.sandbox.datalinx_limits import TIERS, OrganizationLimit
from agent.sandbox.datalinx_openapi import openapi_document
from agent.sandbox.datalinx_pipelines import Runs
from agent.sandbox.merge_patch import merged
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, Token, World

_WORKSPACE, _PIPELINE, _ACCOUNT = KINDS["workspace"], KINDS["pipeline"], KINDS["service-account"]
_PERMISSIONS = ("org.admin", "workspace.admin", "workspace.read", "workspace.write")
"""The first one is named by the vendor's other pages, the others are a guess."""


class Datalinx:
    name = "datalinx"
    rows = "/data"
    total = "/pagination/total_items"
    position = "page"

    def __init__(self, world: World) -> None:
        self._world = world
        shelf = Shelf(world, self.name)
        self._collections = Collections(world, shelf)
        self._access = Access(world, shelf, self._collections)
        self._runs = Runs(world, shelf, self._collections)
        self._limit = OrganizationLimit()
        self._collections.found(KINDS["organization"], "my-organization")
        self._collections.found(KINDS["user"], FIRST_USER)

    def answer(self, request: Request) -> Answer:
        headers: tuple[tuple[str, str], ...] = ()
        self._runs.tell()
        try:
            route, words = self._route(request)
            token = None if route.does in ("login", "openapi") else self._access.authenticate(request)
            if self._world.limits:
                standing = self._limit.spend(self._tier(), self._world.clock.now())
                headers = limit_headers(standing)
                if not standing.allowed:
                    raise refusal_for(429)
            answer = self._unlocked(route, request) if token is None else self._routed(route, words, request, token)
        except Refusal as refusal:
            answer = failure(refusal, 200 if self._world.switches.failures_as_200 else None)
        return replace(answer, headers=headers) if headers else answer

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        found = matching(_below(request))
        if status == 404 and found and found[0][0].kind is not None:
            return failure(not_found(found[0][0].kind))
        return failure(refusal_for(status))

    def resources(self) -> list[Mapping[str, Any]]:
        """With the word `type`, and `workspace` where there is one, which reads do not show."""
        workspaces = [record["name"] for record in self._collections.all(_WORKSPACE, "")]
        return [
            {"type": kind.type, **({"workspace": scope} if scope else {}), **self._shown(kind, record)}
            for kind in KINDS.values()
            for scope in (workspaces if kind.scoped else [""])
            for record in self._collections.all(kind, scope)
        ]

    # A person clicks: the same checks and commits, no token, no limits, no faults.

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        sent, author = dict(document), Author(person, person=True, method="POST")
        kind, scope = self._place(sent.pop("type", ""), sent.pop("workspace", None))
        return self._create(kind, scope, sent, author)

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        kind, scope = self._place(type, workspace)
        record = self._named(kind, scope, name)
        body = merged(record["body"], change)
        author = Author(person, person=True, method="PUT")
        return self._shown(kind, self._collections.update(kind, scope, record, body, author))

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        kind, scope = self._place(type, workspace)
        self._delete(kind, scope, self._named(kind, scope, name), Author(person, person=True, method="DELETE"))

    def _place(self, type_name: str, workspace: str | None) -> tuple[Kind, str]:
        if type_name not in KINDS:
            raise invalid(f"there is no type '{type_name}'")
        kind = KINDS[type_name]
        if not kind.scoped:
            return kind, ""
        return kind, str(self._named(_WORKSPACE, "", workspace or "")["name"])

    def _named(self, kind: Kind, scope: str, name: str) -> Record:
        record = self._collections.named(kind, scope, name)
        if record is None:
            raise not_found(kind)
        return record

    # Requests

    def _route(self, request: Request) -> tuple[Route, tuple[str, ...]]:
        found = matching(_below(request))
        for route, words in found:
            if route.method == request.method:
                return route, words
        raise refusal_for(405 if found else 404)

    def _tier(self) -> str:
        tier = self._world.switches.tier
        return tier if tier in TIERS else "pro"

    def _unlocked(self, route: Route, request: Request) -> Answer:
        if route.does == "openapi":
            return json_answer(200, openapi_document())
        return self._access.login(read_body(request))

    def _routed(self, route: Route, words: tuple[str, ...], request: Request, token: Token) -> Answer:
        if request.method != "GET" and "write" not in token.scopes:
            raise refusal_for(403)
        if route.does == "permissions":
            return success(list(_PERMISSIONS))
        if route.kind is None:
            read_body(request)
            return success({"columns": [], "rows": []})
        scope = self._scope(route.kind, request, token)
        author = Author(request.agent, method=request.method, request=request.number)
        if not words:
            return self._answer_all(route, scope, request, token, author)
        lag = request.lag if request.method == "GET" else 0.0
        record = self._collections.find(route.kind, scope, words[0], lag)
        if route.kind is _WORKSPACE and not _may(token, record["name"]):
            raise refusal_for(403)
        if route.does == "get":
            return success(self._shown(route.kind, record))
        if route.does == "update":
            made = self._collections.update(route.kind, scope, record, read_body(request), author)
            return success(self._shown(route.kind, made))
        if route.does == "delete":
            self._delete(route.kind, scope, record, author)
            return success({"id": record["id"], "name": record["name"]})
        return self._answer_special(route, words, request, scope, record, author)

    def _answer_all(self, route: Route, scope: str, request: Request, token: Token, author: Author) -> Answer:
        kind = route.kind or _WORKSPACE
        if route.does == "create":
            body = read_body(request)
            if kind is _WORKSPACE and not _may(token, str(body.get("name"))):
                raise refusal_for(403)
            return success(self._create(kind, scope, body, author), route.status)
        rows = self._collections.all(kind, scope, request.lag)
        if kind is _WORKSPACE:
            rows = [row for row in rows if _may(token, row["name"])]
        size_max = self._world.switches.limit_max
        if kind.type == "mapping" and (request.parameter("include_workspace") or "").lower() in ("true", "1"):
            return page_answer(request, rows, lambda row: {**self._shown(kind, row), "workspace": scope}, size_max)
        return page_answer(request, rows, lambda row: self._shown(kind, row), size_max)

    def _answer_special(
        self, route: Route, words: tuple[str, ...], request: Request, scope: str, record: Record, author: Author
    ) -> Answer:
        if route.does == "run":
            sent = read_body(request) if request.body else {}
            return success(self._runs.start(record, scope, sent, author), route.status)
        if route.does == "runs":
            runs = self._runs.all(record, request.lag)
            return page_answer(request, runs, self._runs.shown, self._world.switches.limit_max)
        if route.does == "get_run":
            return success(self._runs.shown(self._runs.find(record, words[1], request.lag)))
        if route.does == "key_info":
            return success(self._access.key_info(record))
        if route.does == "rotate_key":
            return success(self._access.rotate(record))
        if route.does == "tables":
            return success([record["name"]])
        return success({"table_name": record["name"], "dbt_code": f"{{{{ config(alias='{record['name']}') }}}}"})

    def _scope(self, kind: Kind, request: Request, token: Token) -> str:
        """The workspace of the header, where the kind lives in one."""
        if not kind.scoped:
            return ""
        name = request.headers.get("x-workspace")
        if not name:
            raise Refusal(400, "WORKSPACE_REQUIRED", "Header X-Workspace is required")
        if not _may(token, name):
            raise refusal_for(403)
        if self._collections.named(_WORKSPACE, "", name) is None:
            raise not_found(_WORKSPACE)
        return name

    def _shown(self, kind: Kind, record: Record) -> dict[str, Any]:
        return self._access.shown(record) if kind is _ACCOUNT else self._collections.shown(record)

    def _create(self, kind: Kind, scope: str, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        if kind is _ACCOUNT:
            return self._access.create(sent, author)
        return self._shown(kind, self._collections.create(kind, scope, sent, author))

    def _delete(self, kind: Kind, scope: str, record: Record, author: Author) -> None:
        if kind is _ACCOUNT:
            self._access.delete(record, author)
            return
        pipelines = [record] if kind is _PIPELINE else []
        if kind is _WORKSPACE:
            pipelines = self._collections.all(_PIPELINE, record["name"])
        self._collections.delete(kind, scope, record, author)
        for pipeline in pipelines:
            self._runs.forget(pipeline)


def _below(request: Request) -> tuple[str, ...]:
    """The segments below `/api`. The vendor's other pages print the prefix twice, so twice is once."""
    segments = request.segments
    if segments[:1] != ("api",):
        return ()
    return segments[2:] if segments[1:2] == ("api",) else segments[1:]


def _may(token: Token, workspace: str) -> bool:
    return token.workspaces is None or workspace in token.workspaces
