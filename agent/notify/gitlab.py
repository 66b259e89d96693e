"""GitLab: notes of a merge request and commit statuses (docs.gitlab.com, REST API v4).

The token of a job may do neither, so a project's access token is wanted.
"""

from __future__ import annotations

from urllib.parse import quote

from agent.notify.client import Client
from agent.notify.forge import Comment, ForgeError, Place, State, Status
from agent.report.escape import clean

API = "https://gitlab.com/api/v4"
_COMMENT = "write notes (scope api, role Reporter or higher)"
_STATUS = "set commit statuses (scope api, role Developer or higher)"
_STATES: dict[str, State] = {
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
    "pending": "pending",
    "running": "pending",
    "created": "pending",
}
_WORDS = {"success": "success", "failure": "failed", "pending": "pending"}


def headers(token: str) -> dict[str, str]:
    """What every request carries."""
    return {"PRIVATE-TOKEN": token, "Accept": "application/json"}


class GitLab:
    """One commit, and perhaps one merge request, of one project."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self._request = f"/projects/{quote(place.project, safe='')}/merge_requests/{place.pull}"
        self._project = f"/projects/{quote(place.status_project or place.project, safe='')}"

    async def find_pull(self) -> int | None:
        path = f"{self._project}/repository/commits/{quote(self._place.commit, safe='')}/merge_requests"
        found = await self._client.ask("GET", path, query={"state": "opened"}, rights=_COMMENT)
        for request in found if isinstance(found, list) else ():
            if request.get("sha") == self._place.commit and request.get("state") == "opened":
                return int(request["iid"])
        return None

    async def comments(self) -> tuple[list[Comment], str | None]:
        user = await self._client.ask("GET", "/user", rights=_COMMENT)
        me = user.get("id") if isinstance(user, dict) else None
        request = await self._client.ask("GET", self._request, rights=_COMMENT)
        ours: list[Comment] = []
        oldest_first = {"order_by": "created_at", "sort": "asc"}
        async for note in self._client.rows(f"{self._request}/notes", "notes", query=oldest_first, rights=_COMMENT):
            if me is not None and note["author"]["id"] == me and not note.get("system"):
                ours.append(Comment(str(note["id"]), str(note["body"])))
        return ours, request.get("sha") if isinstance(request, dict) else None

    async def create(self, body: str) -> str:
        await self._client.ask("POST", f"{self._request}/notes", body={"body": body}, rights=_COMMENT)
        return ""

    async def update(self, comment: Comment, body: str) -> None:
        path = f"{self._request}/notes/{quote(comment.id, safe='')}"
        await self._client.ask("PUT", path, body={"body": body}, rights=_COMMENT)

    async def statuses(self) -> dict[str, Status]:
        path = f"{self._project}/repository/commits/{quote(self._place.commit, safe='')}/statuses"
        found: dict[str, Status] = {}
        async for one in self._client.rows(path, "statuses", rights=_STATUS):
            state = _STATES.get(one["status"], "pending")
            found[one["name"]] = Status(one["name"], state, one.get("description") or "")
        return found

    async def set_status(self, status: Status) -> None:
        path = f"{self._project}/statuses/{quote(self._place.commit, safe='')}"
        body = {"state": _WORDS[status.state], "name": status.name, "description": status.description}
        body |= {"target_url": self._place.link} if self._place.link else {}
        body |= {"pipeline_id": self._place.pipeline} if self._place.pipeline else {}
        answer = await self._client.ask("POST", path, body=body, rights=_STATUS, accept=frozenset({400}))
        message = answer.get("message") if isinstance(answer, dict) and "id" not in answer else None
        # GitLab refuses a state that the status has already: "Cannot transition status via :enqueue from :pending".
        if message is not None and f"from :{body['state']}" not in str(message):
            raise ForgeError(f"the commit status {clean(status.name)} was refused: {clean(str(message), 200)}")
