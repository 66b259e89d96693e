"""An emulator of the DataOps.live REST API, which is a GitLab v4, written by hand from its API page.

Printed on the page, and served as printed: the base, the header `private-token`, GET and POST of projects, GET of
namespaces, `page` and `per_page`, JSON and forms, the body of a 401. PUT, DELETE and everything else below a project is
GitLab's, as the vendor's clients were seen to use it. The page states no limits, so there are none.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataops_live_answers import (
    instant,
    no_such_path,
    not_allowed,
    not_found,
    origin,
    page_answer,
    refusal_for,
    refused,
    throttled,
)
from agent.sandbox.dataops_live_bodies import read_parameters
from agent.sandbox.dataops_live_fields import PARTS, error
from agent.sandbox.dataops_live_parts import Parts
from agent.sandbox.dataops_live_projects import Projects
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, Token, World

_PREFIX = ("api", "v4")
_SIMPLE = (
    *("id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at"),
    *("default_branch", "tag_list", "topics", "ssh_url_to_repo", "http_url_to_repo", "web_url", "readme_url"),
    *("forks_count", "avatar_url", "star_count", "last_activity_at", "namespace"),
)
_NAMES = ("name", "path")
_ORDERS = ("id", *_NAMES, "created_at", "updated_at", "last_activity_at")
_PART_TYPES = {part.type: part for part in PARTS.values()}


class DataOpsLive:
    name = "dataops-live"
    rows = ""
    total = ""
    """A header tells it, no member."""
    position = "page"

    def __init__(self, world: World) -> None:
        self._world = world
        shelf = Shelf(world, self.name)
        numbers = Numbers(shelf)
        self._parts = Parts(world, shelf, numbers)
        self._projects = Projects(world, shelf, numbers, self._parts.forget)
        self._namespaces = self._projects.namespaces

    def answer(self, request: Request) -> Answer:
        try:
            self._projects.let_go()
            return self._routed(request)
        except Refusal as refusal:
            return refused(refusal)

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        if status == 429:
            return throttled(seconds, self._world.clock.now())
        if status == 404 and len(request.segments) == 4:
            return refused(not_found(request.segments[2].removesuffix("s").capitalize()))
        return refused(refusal_for(status))

    def resources(self) -> list[Mapping[str, Any]]:
        return [self._projects.shown(record) for record in self._projects.all()]

    # A person clicks: the same checks and commits, no token, no limits, no faults. `workspace` is the namespace of a
    # project, the full path of the project that a part belongs to, and nothing for a group.

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        sent, author = dict(document), Author(person, person=True, method="POST")
        type_name, workspace = sent.pop("type", "project"), sent.pop("workspace", None)
        if type_name == "group":
            if workspace is not None:
                sent["parent_id"] = workspace
            return self._namespaces.create(sent, None, author)
        if type_name in _PART_TYPES:
            project = self._projects.find(workspace or "")
            return self._parts.create(_PART_TYPES[type_name], project, sent, author)
        found = self._namespaces.find(workspace or "")
        if type_name != "project" or found is None:
            raise error(f"there is no type {type_name!r}, or no namespace {workspace!r}")
        return self._projects.create({**sent, "namespace_id": found[1]["id"]}, None, author, found[1])

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        """`archived` may stand among the changes of a project."""
        author = Author(person, person=True, method="PUT")
        if type == "group":
            return self._namespaces.update(self._namespaces.present(name, None), change, author)
        if type in _PART_TYPES:
            part, project = _PART_TYPES[type], self._projects.find(workspace or "")
            return self._parts.update(part, project["id"], self._parts.find(part, project["id"], name), change, author)
        project, sent = self._projects.find(f"{workspace}/{name}"), dict(change)
        archived = sent.pop("archived", None)
        if archived is not None:
            shown = self._projects.archive(project, bool(archived), author)
            if not sent:
                return shown
            project = self._projects.find(f"{workspace}/{name}")
        return self._projects.update(project, sent, author)

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        author = Author(person, person=True, method="DELETE")
        if type == "group":
            self._namespaces.delete(self._namespaces.present(name, None), author)
        elif type in _PART_TYPES:
            part, project = _PART_TYPES[type], self._projects.find(workspace or "")
            self._parts.delete(part, project["id"], self._parts.find(part, project["id"], name), author)
        else:
            self._projects.delete(self._projects.find(f"{workspace}/{name}"), author, {})

    # Requests

    def _token(self, request: Request) -> Token | None:
        """From `private-token`; a Bearer header beside it is not looked at, alone it is no credential (the page names
        none, and a client sends both)."""
        value = request.headers.get("private-token")
        if value is None:
            return None
        token = self._world.tokens.get(value)
        if token is None or (token.expires is not None and self._world.clock.now() >= token.expires):
            raise refusal_for(401)
        return token

    def _routed(self, request: Request) -> Answer:
        rest = request.segments[2:]
        if request.segments[:2] != _PREFIX or not rest:
            raise no_such_path()
        token = self._token(request)
        author = Author(request.agent, method=request.method, request=request.number)
        if rest[0] == "projects" and rest[2:] == ("trigger", "pipeline"):
            if request.method != "POST":
                raise not_allowed()
            return self._parts.trigger(self._projects.find(rest[1]), read_parameters(request), author)
        if token is None:
            if request.method == "GET" and rest == ("projects",):
                # The page's first example asks without a token and gets an empty list.
                return page_answer(request, [], dict)
            raise refusal_for(401)
        if request.method != "GET" and "write" not in token.scopes:
            raise Refusal(403, "error", "insufficient_scope")
        sent = {} if request.method == "GET" else read_parameters(request)
        owner = self._namespaces.user_of(token)
        if rest[0] == "projects":
            return self._answer_projects(request, rest[1:], sent, token, author, owner)
        if rest[0] == "namespaces":
            return self._namespaces.answer(request, rest[1:], token)
        if rest[0] == "groups" and len(rest) <= 2:
            return self._namespaces.answer_groups(request, rest[1:], sent, token, author)
        if request.method == "GET" and rest == ("groups", *rest[1:2], "projects"):
            path = self._namespaces.present(rest[1], token, request.lag)["full_path"]
            return self._answer_list(request, token, path)
        if request.method == "GET" and rest == ("user",):
            return json_answer(200, _user(owner, origin(request)))
        if request.method == "GET" and rest == ("version",):
            return json_answer(200, {"version": "18.2.1-ee", "revision": "0000000", "enterprise": True})
        raise no_such_path()

    def _answer_projects(
        self,
        request: Request,
        rest: tuple[str, ...],
        sent: Mapping[str, Any],
        token: Token,
        author: Author,
        owner: Record,
    ) -> Answer:
        """`rest` is what follows `/projects`."""
        if not rest:
            if request.method == "GET":
                return self._answer_list(request, token, None)
            if request.method == "POST":
                return json_answer(201, self._projects.create(sent, token, author, owner))
            raise not_allowed()
        project = self._projects.find(rest[0], token, request.lag if request.method == "GET" else 0.0)
        if len(rest) > 1:
            return self._answer_below(request, project, rest[1:], sent, token, author, owner)
        if request.method == "GET":
            return json_answer(200, self._projects.shown(project))
        if request.method == "PUT":
            return json_answer(200, self._projects.update(project, sent, author))
        if request.method == "DELETE":
            self._projects.delete(project, author, sent)
            return json_answer(202, {"message": "202 Accepted"})
        raise not_allowed()

    def _answer_below(
        self,
        request: Request,
        project: Record,
        rest: tuple[str, ...],
        sent: Mapping[str, Any],
        token: Token,
        author: Author,
        owner: Record,
    ) -> Answer:
        if rest[1:] or rest[0] not in ("archive", "unarchive", "restore", "fork"):
            return self._parts.answer(request, project, rest, sent, author)
        if request.method != "POST":
            raise not_allowed()
        if rest[0] == "fork":
            return json_answer(201, self._projects.fork(project, sent, token, author, owner))
        if rest[0] == "restore":
            return json_answer(201, self._projects.restore(project, author))
        return json_answer(201, self._projects.archive(project, rest[0] == "archive", author))

    def _answer_list(self, request: Request, token: Token, namespace: str | None) -> Answer:
        """Newest first, as GitLab does. Everything here is the caller's, so `membership` changes nothing."""
        records = self._projects.all(token, request.lag)
        if namespace is not None:
            records = [record for record in records if record["namespace"] == namespace]
        records = _wanted(request, records)
        by, direction = request.parameter("order_by") or "created_at", request.parameter("sort") or "desc"
        if by not in _ORDERS or direction not in ("asc", "desc"):
            raise error(f"{'sort' if by in _ORDERS else 'order_by'} does not have a valid value")
        if by in _NAMES:
            records.sort(key=lambda record: record["attributes"][by].lower())
        elif by in ("updated_at", "last_activity_at"):
            records.sort(key=lambda record: record["changed"])
        if direction == "desc":
            records.reverse()
        if (request.parameter("simple") or "").lower() in ("true", "1"):
            return page_answer(request, records, lambda each: _simple(self._projects.shown(each)))
        return page_answer(request, records, self._projects.shown)


def _wanted(request: Request, records: list[Record]) -> list[Record]:
    """Those that suit the query."""
    search, archived = (request.parameter("search") or "").lower(), (request.parameter("archived") or "").lower()
    visibility = request.parameter("visibility")
    topics = {topic for topic in (request.parameter("topic") or "").split(",") if topic}
    if search:
        records = [each for each in records if any(search in each["attributes"][word].lower() for word in _NAMES)]
    if archived:
        records = [each for each in records if each["archived"] == (archived in ("true", "1"))]
    if visibility:
        records = [each for each in records if each["attributes"]["visibility"] == visibility]
    return [each for each in records if topics <= set(each["attributes"]["topics"])] if topics else records


def _simple(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in _SIMPLE}


def _user(owner: Record, address: str) -> dict[str, Any]:
    path = owner["full_path"]
    return {
        "id": owner["id"],
        "username": path,
        "name": owner["name"],
        "state": "active",
        "is_admin": False,
        "avatar_url": None,
        "web_url": f"{address}/{path}",
        "created_at": instant(owner["created"]),
    }
