"""GitHub and GitLab as far as `notify` speaks to them, over a real socket, written from their API documents.

One pull request (`acme/lake`, number 7; GitLab's project 42) with its comments and the statuses of its commits. What a
token may do is a set of words; what goes wrong is a list of rules. Nothing of the agent is imported.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

HEAD = "4f2c1ab" + "0" * 33
TOKEN = "canary-forge-token-71c4"
GITHUB_RIGHTS = frozenset({"read", "comment", "status"})
BODY_MAX = 65_536  # characters of a comment on GitHub


@dataclass
class Fault:
    """The next ``times`` requests of this method to a path that matches go wrong.

    ``landed`` lets the request do its work first, and the answer is lost or another: so are answers lost in life.
    """

    method: str
    path: str
    status: int = 0  # 0: the connection is closed without a word
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    landed: bool = False


@dataclass
class Note:
    """A comment."""

    id: int
    author: str
    body: str


class State:
    """What the forge holds."""

    def __init__(self) -> None:
        self.login = "github-actions"  # GraphQL says so of the author, and `github-actions[bot]` of the viewer
        self.rights: set[str] = set(GITHUB_RIGHTS)
        self.head = HEAD
        self.fork = "mallory/lake"
        self.branch = "patch-1"
        self.notes: list[Note] = []
        self.statuses: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.page_size = 100

    def add_note(self, author: str, body: str) -> Note:
        note = Note(1000 + len(self.notes), author, body)
        self.notes.append(note)
        return note

    def fault_for(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


Answer = tuple[int, Any]
DENIED: Answer = (403, {"message": "Resource not accessible by integration"})


def github(state: State, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
    """docs.github.com/rest: issue comments, commit statuses, pulls; and the one query of GraphQL."""
    if (method, path) == ("POST", "/graphql"):
        return _graphql(state, body["variables"])
    if method == "POST" and path == "/repos/acme/lake/issues/7/comments":
        if "comment" not in state.rights:
            return DENIED
        if len(body["body"]) > BODY_MAX:
            return 422, {"message": "Validation Failed"}
        note = state.add_note(state.login, body["body"])
        return 201, {"id": note.id, "html_url": f"https://github.com/acme/lake/pull/7#issuecomment-{note.id}"}
    if method == "PATCH" and (found := re.fullmatch(r"/repos/acme/lake/issues/comments/(\d+)", path)):
        if "comment" not in state.rights:
            return DENIED
        note = next(one for one in state.notes if one.id == int(found[1]))
        note.body = body["body"]
        return 200, {"id": note.id}
    if method == "GET" and (found := re.fullmatch(r"/repos/acme/lake/commits/([0-9a-f]+)/status", path)):
        latest = {one["context"]: one for one in state.statuses if one["sha"] == found[1]}
        return 200, {"state": "pending", "statuses": _page(state, list(latest.values()), query)}
    if method == "POST" and (found := re.fullmatch(r"/repos/acme/lake/statuses/([0-9a-f]+)", path)):
        if "status" not in state.rights:
            return DENIED
        if len(body["description"]) > 140 or body["state"] not in ("error", "failure", "pending", "success"):
            return 422, {"message": "Validation Failed"}
        state.statuses.append(body | {"sha": found[1]})
        return 201, {"id": len(state.statuses)}
    if method == "GET" and path == "/repos/acme/lake/pulls":
        ours = query.get("head") == f"{state.fork.partition('/')[0]}:{state.branch}" and query.get("state") == "open"
        pull = {"number": 7, "head": {"sha": state.head, "repo": {"full_name": state.fork}}}
        return 200, [pull] if ours else []
    return 404, {"message": "Not Found"}


def _graphql(state: State, variables: dict[str, Any]) -> Answer:
    if (variables["owner"], variables["name"], variables["number"]) != ("acme", "lake", 7):
        told = "Could not resolve to a PullRequest with the number of 8."
        return 200, {
            "data": {"viewer": {"login": "x"}, "repository": {"pullRequest": None}},
            "errors": [{"type": "NOT_FOUND", "path": ["repository", "pullRequest"], "message": told}],
        }
    start = int(variables.get("after") or 0)
    shown = state.notes[start : start + state.page_size]
    nodes = [
        {
            "databaseId": note.id,
            "url": f"https://github.com/acme/lake/pull/7#issuecomment-{note.id}",
            "body": note.body.replace("\n", "\r\n") if note.author == state.login else note.body,
            "author": {"login": note.author} if note.author else None,  # an account that is gone
        }
        for note in shown
    ]
    end = start + len(shown)
    page = {"hasNextPage": end < len(state.notes), "endCursor": str(end)}
    pull = {"headRefOid": state.head, "comments": {"nodes": nodes, "pageInfo": page}}
    return 200, {"data": {"viewer": {"login": f"{state.login}[bot]"}, "repository": {"pullRequest": pull}}}


def gitlab(state: State, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
    """docs.gitlab.com/api: notes, commits' statuses, merge requests."""
    request = "/projects/42/merge_requests/7"
    if (method, path) == ("GET", "/user"):
        return 200, {"id": 5, "username": state.login}
    if (method, path) == ("GET", request):
        return 200, {"iid": 7, "sha": state.head, "state": "opened"}
    if (method, path) == ("GET", f"{request}/notes"):
        notes = [
            {
                "id": note.id,
                "body": note.body,
                "system": False,
                "author": {"id": 5 if note.author == state.login else 6},
            }
            for note in state.notes
        ]
        return 200, _page(state, notes, query)
    if (method, path) == ("POST", f"{request}/notes"):
        if "comment" not in state.rights:
            return 403, {"message": "403 Forbidden"}
        return 201, {"id": state.add_note(state.login, body["body"]).id}
    if method == "PUT" and (found := re.fullmatch(rf"{request}/notes/(\d+)", path)):
        note = next(one for one in state.notes if one.id == int(found[1]))
        note.body = body["body"]
        return 200, {"id": note.id}
    if method == "GET" and re.fullmatch(r"/projects/(42|group/lake)/repository/commits/[0-9a-f]+/statuses", path):
        shown = [
            {"name": one["name"], "status": one["state"], "description": one["description"]} for one in state.statuses
        ]
        return 200, _page(state, shown, query)
    if method == "GET" and re.fullmatch(r"/projects/42/repository/commits/[0-9a-f]+/merge_requests", path):
        return 200, [{"iid": 7, "sha": state.head, "state": "opened"}]
    if method == "POST" and (found := re.fullmatch(r"/projects/42/statuses/([0-9a-f]+)", path)):
        if "status" not in state.rights:
            return 403, {"message": "403 Forbidden"}
        before = next((one for one in state.statuses if one["name"] == body["name"]), None)
        if before is not None and before["state"] == body["state"] == "pending":
            return 400, {"message": "Cannot transition status via :enqueue from :pending (Reason(s): …)"}
        if before is not None:
            before.update(body)
        else:
            state.statuses.append(body | {"sha": found[1]})
        return 201, {"id": 1, "status": body["state"]}
    return 404, {"message": "404 Not found"}


def _page(state: State, every: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = min(int(query.get("per_page", "20")), state.page_size), int(query.get("page", "1"))
    return every[(page - 1) * size : page * size]


def variables(forge: str, api: str, event: object) -> dict[str, str]:
    """What a job of this forge finds in its environment, with a token that may do everything."""
    if forge == "github":
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": api,
            "GITHUB_REPOSITORY": "acme/lake",
            "GITHUB_SHA": "f" * 40,
            "GITHUB_RUN_ID": "99",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_BASE_REF": "main",
            "GITHUB_TOKEN": TOKEN,
        }
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_API_V4_URL": api,
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": HEAD,
        "CI_PIPELINE_ID": "314",
        "CI_JOB_URL": "https://gitlab.com/group/lake/-/jobs/99",
        "GITLAB_TOKEN": TOKEN,
    }


@contextmanager
def served(state: State, face: Callable[..., Answer], prefix: str = "") -> Iterator[str]:
    """The address of the API for as long as it is used."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _do(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path.removeprefix(prefix))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append(f"{self.command} {path}")
            state.headers.append(dict(self.headers))
            given = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
            fault = state.fault_for(self.command, path)
            status, body, headers = 401, {"message": "Bad credentials"}, {}
            if (fault is None or fault.landed) and given == TOKEN:
                status, body = face(state, self.command, path, query, json.loads(raw) if raw else None)
            if fault is not None:
                if not fault.status:
                    self.close_connection = True
                    return
                status, body, headers = fault.status, fault.body, fault.headers
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = _do

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
