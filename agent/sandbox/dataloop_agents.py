"""Agents of the emulated Dataloop, and the tags that they and the links have.

The page lists, gets and deletes agents. A host registers by a ping, and its tags are set and removed by calls that the
vendor's clients show. Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import Call, read_fields, refusal_for, stamp, texts
from agent.sandbox.dataloop_plugins import org_id
from agent.sandbox.messages import Answer, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author, World

ALL = "all"
"""The tag that every account has."""

_ROW = (
    *("id", "name", "hostname", "mac", "created", "modified", "tags", "osName", "heartbeat", "presence_state"),
    *("status", "container_name", "mode"),
)
_SENT = {"os_name": "osName", "container": "container_name", "tag_names": "tags"}
Agent = Mapping[str, Any]


class Agents:
    def __init__(self, world: World, shelf: Shelf) -> None:
        self._world = world
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        request, method = call.request, call.request.method
        agents = self._shelf.all("agent", call.scope, request.lag)
        if len(call.way) == 1:
            if method == "GET":
                return json_answer(200, [{word: each[word] for word in _ROW} for each in agents.values()])
            raise refusal_for(405)
        identity, verb = call.way[1], "/".join(call.way[2:])
        if verb == "ping" and method == "POST":
            return json_answer(200, {"id": self.ping(call.scope, identity, read_fields(request), call.author)["id"]})
        agent = agents.get(identity)
        if agent is None or verb not in ("", "tags"):
            raise refusal_for(404, "agent not found" if agent is None else "")
        if verb == "tags":
            return self._retag(call, agent)
        if method == "GET":
            return json_answer(200, agent)
        if method == "DELETE":
            self._shelf.commit("agent", call.scope, identity, None, call.author, before=agent, after=None)
            return Answer(status=204)
        raise refusal_for(405)

    def ping(self, scope: str, identity: str, fields: Mapping[str, Any], author: Author) -> Agent:
        """A host tells of itself. The first time registers it; later ones without news only move its heartbeat."""
        before = self._shelf.get("agent", scope, identity)
        now = stamp(self._world.clock.now())
        said = {_SENT.get(word, word): value for word, value in fields.items() if value not in (None, "")}
        said = {word: value for word, value in said.items() if word not in ("id", "fingerprint", "type", "workspace")}
        if "tags" in said:
            said["tags"] = texts(said["tags"])
        present = before if before is not None else self._first(scope, identity, said, now)
        after = {**present, **said, "id": identity, "heartbeat": said.get("heartbeat", now)}
        if before is not None and {**after, "heartbeat": before["heartbeat"]} == before:
            self._shelf.keep("agent", scope, identity, after)
        else:
            after["modified"] = said.get("modified", now)
            self._shelf.commit("agent", scope, identity, after, author, before=before, after=after)
        return after

    def _first(self, scope: str, identity: str, said: Mapping[str, Any], now: str) -> dict[str, Any]:
        name = said.get("name") or identity
        return {
            "id": identity,
            "name": name,
            "hostname": name,
            "mac": "",
            "interfaces": [],
            "created": now,
            "modified": now,
            "org": org_id(scope),
            "tags": [ALL],
            "osName": "Linux",
            "heartbeat": now,
            "presence_state": "online",
            "status": "REGISTERED",
            "running_plugin_names": ["base"],
            "process_summary": [],
            "container_name": "Linux",
            "mode": "DEFAULT",
        }

    def _retag(self, call: Call, agent: Agent) -> Answer:
        """PUT adds `names`, DELETE removes `tags`."""
        fields = read_fields(call.request)
        if call.request.method == "PUT":
            tags = [*dict.fromkeys([*agent["tags"], *texts(fields.get("names"))])]
        elif call.request.method == "DELETE":
            tags = [tag for tag in agent["tags"] if tag not in texts(fields.get("tags"))]
        else:
            raise refusal_for(405)
        after = {**agent, "tags": tags, "modified": stamp(self._world.clock.now())}
        self._shelf.commit("agent", call.scope, agent["id"], after, call.author, before=agent, after=after)
        return json_answer(200, after) if call.request.method == "PUT" else Answer(status=204)


class Tags:
    """A tag is there while an agent or a link has it; `all` always is."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        tags = self._tags(call.scope, call.request.lag)
        if len(call.way) == 1 and call.request.method == "GET":
            return json_answer(200, [{"name": tag} for tag in tags])
        if len(call.way) == 2 and call.request.method == "DELETE":
            if call.way[1] not in tags:
                raise refusal_for(404, "tag not found")
            if call.way[1] == ALL:
                raise refusal_for(422, "the tag all cannot be deleted")
            self._drop(call.scope, call.way[1], call.author)
            return Answer(status=204)
        raise refusal_for(405 if len(call.way) < 3 else 404)

    def _tags(self, scope: str, lag: float) -> list[str]:
        holders = [*self._shelf.all("agent", scope, lag).values(), *self._shelf.all("link", scope, lag).values()]
        return [*dict.fromkeys([ALL, *(tag for holder in holders for tag in holder["tags"])])]

    def _drop(self, scope: str, tag: str, author: Author) -> None:
        for type_name in ("agent", "link"):
            for name, before in [*self._shelf.all(type_name, scope).items()]:
                if tag in before["tags"]:
                    after = {**before, "tags": [each for each in before["tags"] if each != tag]}
                    self._shelf.commit(type_name, scope, name, after, author, before=before, after=after)
