"""GitHub: comments of a pull request and commit statuses (docs.github.com, REST and GraphQL).

Comments are listed by GraphQL, because only that tells who the credential is for every kind of token: the token of a
job is no user, and ``GET /user`` refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from agent.notify.client import Client
from agent.notify.forge import PAGES_MAX, Comment, ForgeError, Place, State, Status, Transient, too_many
from agent.report.escape import clean

API = "https://api.github.com"
_COMMENT = "write comments (permissions: pull-requests: write)"
_STATUS = "write commit statuses (permissions: statuses: write)"
_READ = "read the repository (permissions: contents: read)"
_STATES: dict[str, State] = {"success": "success", "failure": "failure", "error": "failure", "pending": "pending"}
_COMMENTS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid
      comments(first: 100, after: $after) {
        nodes { databaseId url body author { login } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def headers(token: str) -> dict[str, str]:
    """What every request carries."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


class GitHub:
    """One commit, and perhaps one pull request, of one repository."""

    def __init__(self, client: Client, place: Place, graphql: str = "") -> None:
        self._client = client
        self._place = place
        self._graphql = graphql or graphql_of(client.api)
        self._repository = f"/repos/{quote(place.project)}"

    async def find_pull(self) -> int | None:
        if self._place.head is None:
            return None
        repository, branch = self._place.head
        query: dict[str, str | int] = {
            "state": "open",
            "head": f"{repository.partition('/')[0]}:{branch}",
            "per_page": 100,
        }
        found = await self._client.ask("GET", f"{self._repository}/pulls", query=query, rights=_READ)
        for pull in found if isinstance(found, list) else ():
            head = _member(pull, "head")
            if head.get("sha") == self._place.commit and _member(head, "repo").get("full_name") == repository:
                return int(pull["number"])
        return None

    async def comments(self) -> tuple[list[Comment], str | None]:
        owner, _, name = self._place.project.partition("/")
        variables: dict[str, Any] = {"owner": owner, "name": name, "number": self._place.pull, "after": None}
        ours: list[Comment] = []
        for _ in range(PAGES_MAX):
            data = await self._query(_COMMENTS, variables)
            viewer = str(_member(data, "viewer").get("login", ""))
            pull = _member(_member(data, "repository"), "pullRequest")
            if not pull:
                raise ForgeError(
                    f"{clean(self._place.project)} has no pull request {self._place.pull} that the token may see",
                    code="forge-forbidden",
                    fix=f"give the token the right to {_COMMENT}",
                )
            page = _member(pull, "comments")
            for node in page.get("nodes") or ():
                # GraphQL calls an app `name`, and itself `name[bot]`.
                if viewer and _member(node, "author").get("login") in (viewer, viewer.removesuffix("[bot]")):
                    ours.append(Comment(str(node["databaseId"]), str(node["body"]), str(node.get("url", ""))))
            info = _member(page, "pageInfo")
            if not info.get("hasNextPage"):
                return ours, pull.get("headRefOid")
            variables["after"] = info.get("endCursor")
        raise too_many("comments")

    async def create(self, body: str) -> str:
        path = f"{self._repository}/issues/{self._place.pull}/comments"
        made = await self._client.ask("POST", path, body={"body": body}, rights=_COMMENT)
        return str(_member({"made": made}, "made").get("html_url", ""))

    async def update(self, comment: Comment, body: str) -> None:
        path = f"{self._repository}/issues/comments/{quote(comment.id, safe='')}"
        await self._client.ask("PATCH", path, body={"body": body}, rights=_COMMENT)

    async def statuses(self) -> dict[str, Status]:
        path = f"{self._repository}/commits/{quote(self._place.commit, safe='')}/status"
        found: dict[str, Status] = {}
        async for one in self._client.rows(path, "statuses", rights=_STATUS, within="statuses"):
            state = _STATES.get(one.get("state", ""), "pending")
            found[one["context"]] = Status(one["context"], state, one.get("description") or "")
        return found

    async def set_status(self, status: Status) -> None:
        path = f"{self._repository}/statuses/{quote(self._place.commit, safe='')}"
        body = {"state": status.state, "context": status.name, "description": status.description}
        if self._place.link:
            body["target_url"] = self._place.link
        await self._client.ask("POST", path, body=body, rights=_STATUS)

    async def _query(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._client.ask(
            "POST", self._graphql, body={"query": text, "variables": variables}, rights=_COMMENT
        )
        data = _member({"answer": answer}, "answer")
        errors = data.get("errors")
        if errors and not _member(_member(data, "data"), "repository").get("pullRequest"):
            kind, told = str(errors[0].get("type", "")), clean(str(errors[0].get("message", "")), 200)
            if kind in ("RATE_LIMITED", "SERVICE_UNAVAILABLE"):
                raise Transient(f"GraphQL: {told}")
            fix = f"give the token the right to {_COMMENT}"
            raise ForgeError(f"GraphQL: {told}", code="forge-forbidden", fix=fix)
        return _member(data, "data")


def graphql_of(api: str) -> str:
    """Where GraphQL is beside REST: ``/graphql``, on a server of one's own ``/api/graphql`` beside ``/api/v3``."""
    return f"{api.removesuffix('/v3')}/graphql"


def _member(value: Any, name: str) -> dict[str, Any]:
    """A member that should be an object, else an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
