"""Namespaces of the emulated DataOps.live: groups, and one for each user who ever came with a token.

The page prints `GET /namespaces` with its two parameters and the first members of a row; `/groups` and the other
members are GitLab's. A namespace is known by its full path. Called by the other `dataops_live` files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.sandbox.dataops_live_answers import instant, invalid, not_allowed, not_found, page_answer
from agent.sandbox.dataops_live_fields import GROUP, defaults, error, need, read_attributes
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, Token, World

PATH = re.compile(r"[a-zA-Z0-9_.][a-zA-Z0-9_\-.]*", re.ASCII)
WEB = "https://app.dataops.live"
_KINDS = ("group", "user")


class Namespaces:
    """`empty` deletes what a group holds."""

    def __init__(self, world: World, shelf: Shelf, numbers: Numbers, empty: Callable[[str, Author], None]) -> None:
        self._world = world
        self._shelf = shelf
        self._numbers = numbers
        self._empty = empty

    # Those who come

    def user_of(self, token: Token) -> Record:
        """The caller's own namespace; made at the first call."""
        path = re.sub(r"[^a-zA-Z0-9_\-.]", "-", token.owner) or "user"
        record = self._shelf.get("user", "", path)
        if record is None:
            now = self._world.clock.now()
            record = {"id": self._numbers.next(), "full_path": path, "name": token.owner, "created": now}
            self._shelf.keep("user", "", path, record)
        return record

    # Looking

    def all(self, token: Token | None = None, lag: float = 0.0) -> list[tuple[str, Record]]:
        """Kind and record of those that the token may see, in the order of their ids."""
        found = [(kind, record) for kind in _KINDS for record in self._shelf.all(kind, "", lag).values()]
        return sorted((each for each in found if may_see(token, each[1]["full_path"])), key=lambda each: each[1]["id"])

    def find(self, reference: str, token: Token | None = None, lag: float = 0.0) -> tuple[str, Record] | None:
        """By id or by full path, in any case."""
        for kind in _KINDS:
            record = self._shelf.get(kind, "", reference, lag)
            if record is not None:
                return (kind, record) if may_see(token, record["full_path"]) else None
        lower = reference.lower()
        for kind, record in self.all(token, lag):
            if str(record["id"]) == reference or record["full_path"].lower() == lower:
                return kind, record
        return None

    def shown(self, full_path: str) -> dict[str, Any]:
        """What a row of `GET /namespaces` has, which is what a project shows of its namespace."""
        found = self.find(full_path)
        return {} if found is None else self._row(found)

    def _row(self, found: tuple[str, Record]) -> dict[str, Any]:
        kind, record = found
        path = record["full_path"]
        return {
            "id": record["id"],
            "name": record["name"],
            "path": path.rpartition("/")[2],
            "kind": kind,
            "full_path": path,
            "parent_id": self._parent_id(path),
            "avatar_url": None,
            "web_url": f"{WEB}/{'groups/' if kind == 'group' else ''}{path}",
        }

    def group(self, record: Record) -> dict[str, Any]:
        path = record["full_path"]
        parents = [self._shelf.get("group", "", path[:at]) for at, letter in enumerate(path) if letter == "/"]
        return {
            "id": record["id"],
            "web_url": f"{WEB}/groups/{path}",
            **record["attributes"],
            "full_name": " / ".join([each["name"] for each in parents if each] + [record["name"]]),
            "full_path": path,
            "parent_id": self._parent_id(path),
            "created_at": instant(record["created"]),
            "avatar_url": None,
            "shared_with_groups": [],
            "archived": False,
        }

    def _parent_id(self, path: str) -> int | None:
        parent = self._shelf.get("group", "", path.rpartition("/")[0])
        return None if parent is None else parent["id"]

    # Requests

    def answer(self, request: Request, rest: tuple[str, ...], token: Token) -> Answer:
        """Below `/namespaces`: to be read only."""
        if request.method != "GET" or len(rest) > 1:
            raise not_allowed()
        if rest:
            found = self.find(rest[0], token, request.lag)
            if found is None:
                raise not_found("Namespace")
            return json_answer(200, self._row(found))
        search = (request.parameter("search") or "").lower()
        rows = [
            each
            for each in self.all(token, request.lag)
            if search in each[1]["full_path"].lower() or search in each[1]["name"].lower()
        ]
        return page_answer(request, rows, self._row)

    def answer_groups(
        self, request: Request, rest: tuple[str, ...], sent: Mapping[str, Any], token: Token, author: Author
    ) -> Answer:
        """`/groups` and `/groups/{id}`."""
        if not rest:
            if request.method == "POST":
                return json_answer(201, self.create(sent, token, author))
            if request.method != "GET":
                raise not_allowed()
            groups = [record for kind, record in self.all(token, request.lag) if kind == "group"]
            return page_answer(request, groups, self.group)
        record = self.present(rest[0], token, request.lag if request.method == "GET" else 0.0)
        if request.method == "GET":
            return json_answer(200, self.group(record))
        if request.method == "PUT":
            return json_answer(200, self.update(record, sent, author))
        if request.method == "DELETE":
            self.delete(record, author)
            return json_answer(202, {"message": "202 Accepted"})
        raise not_allowed()

    def present(self, reference: str, token: Token | None, lag: float = 0.0) -> Record:
        found = self.find(reference, token, lag)
        if found is None or found[0] != "group":
            raise not_found("Group")
        return found[1]

    # Changes

    def create(self, sent: Mapping[str, Any], token: Token | None, author: Author) -> dict[str, Any]:
        need(sent, ("name", "path"))
        attributes = {**defaults(GROUP), **read_attributes(GROUP, sent)}
        path = attributes["path"]
        if not PATH.fullmatch(path) or path.endswith((".git", ".atom", ".")):
            raise invalid(path="can contain only letters, digits, '_', '-' and '.'")
        if sent.get("parent_id") is not None:
            path = f"{self.present(str(sent['parent_id']), token)['full_path']}/{path}"
        if not may_see(token, path):
            raise Refusal(403, "message", "403 Forbidden")
        if self.find(path) is not None:
            raise Refusal(400, "message", 'Failed to save group {:path=>["has already been taken"]}')
        now = self._world.clock.now()
        record = {
            "id": self._numbers.next(),
            "full_path": path,
            "name": attributes["name"],
            "created": now,
            "attributes": attributes,
        }
        shown = self.group(record)
        self._shelf.commit("group", "", path, record, author, before=None, after=shown)
        return shown

    def update(self, record: Record, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        changes = read_attributes(GROUP, sent)
        if not changes:
            raise error(f"{', '.join(GROUP)} are missing, at least one parameter must be provided")
        if changes.get("path", record["attributes"]["path"]) != record["attributes"]["path"]:
            raise invalid(path="cannot be changed here")  # GitLab can; the sandbox would have to move all projects
        before = self.group(record)
        attributes = {**record["attributes"], **changes}
        made = {**record, "name": attributes["name"], "attributes": attributes}
        shown = self.group(made)
        self._shelf.commit("group", "", record["full_path"], made, author, before=before, after=shown)
        return shown

    def delete(self, record: Record, author: Author) -> None:
        """With its subgroups and projects."""
        path = record["full_path"]
        for kind, other in reversed(self.all()):
            if kind == "group" and other["full_path"].startswith(f"{path}/"):
                self.delete(other, author)
        self._empty(path, author)
        self._shelf.commit("group", "", path, None, author, before=self.group(record), after=None)


def may_see(token: Token | None, full_path: str) -> bool:
    """A project or group token sees its own namespaces only; elsewhere is as good as nowhere."""
    if token is None or token.workspaces is None:
        return True
    return any(full_path == each or full_path.startswith(f"{each}/") for each in token.workspaces)
