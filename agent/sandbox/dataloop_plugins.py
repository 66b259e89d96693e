"""Plugins of the emulated Dataloop, and the links that bind them to tags.

The page's list of plugins shows the rows of links, by a copy error; the vendor's client needs `name` and `extension` in
them. Rows have the members of both. Called by :mod:`agent.sandbox.dataloop`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataloop_bodies import Call, read_content, read_fields, refusal_for, required, texts
from agent.sandbox.messages import Answer, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author

_TEXTS = ("extension", "description", "params", "shellArgs", "type", "pack")


def org_id(scope: str) -> str:
    return hashlib.sha1(scope.partition("/")[0].encode()).hexdigest()[:24]  # noqa: S324 - an id, guards nothing


class Plugins:
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        request, method = call.request, call.request.method
        if len(call.way) > 2:
            raise refusal_for(404)
        if len(call.way) == 1:
            if method == "GET":
                plugins = self._shelf.all("plugin", call.scope, request.lag).values()
                return json_answer(200, [self._row(call, plugin) for plugin in plugins])
            if method == "POST":
                fields = read_fields(request)
                return json_answer(200, self.create(call.scope, fields, call.author))
            raise refusal_for(405)
        if method == "GET":
            return json_answer(200, self.find(call.scope, call.way[1], request.lag))
        if method in ("PATCH", "PUT"):
            return json_answer(200, self.change(call.scope, call.way[1], read_fields(request), call.author))
        if method == "DELETE":
            self.delete(call.scope, call.way[1], call.author)
            return Answer(status=204)
        raise refusal_for(405)

    def find(self, scope: str, name: str, lag: float = 0.0) -> Mapping[str, Any]:
        """By name or by id."""
        plugins = self._shelf.all("plugin", scope, lag)
        found = plugins.get(name) or next((each for each in plugins.values() if each["id"] == name), None)
        if found is None:
            raise refusal_for(404, "plugin not found")
        return found

    def create(self, scope: str, fields: Mapping[str, Any], author: Author) -> Mapping[str, Any]:
        name = required(fields, "name")
        if self._shelf.get("plugin", scope, name) is not None:
            raise refusal_for(422, "plugin already exists")
        if fields.get("content") is None:
            raise refusal_for(422, "content is required")
        first = {
            "content": "",
            "id": self._shelf.unique().hex()[:24],
            "name": name,
            "extension": "",
            "description": "",
            "interval": 30,
            "hash": "",
            "encoding": "base64",
            "params": "",
            "org": org_id(scope),
            "shellArgs": "",
            "type": "INPROCESS",
            "pack": name,
        }
        return self._put(scope, name, _changed(first, fields), None, author)

    def change(self, scope: str, name: str, fields: Mapping[str, Any], author: Author) -> Mapping[str, Any]:
        """What is not sent stays. A name is not changed (a guess: the vendor's client sends the same again)."""
        before = self.find(scope, name)
        return self._put(scope, before["name"], _changed(before, fields), before, author)

    def delete(self, scope: str, name: str, author: Author) -> None:
        before = self.find(scope, name)
        self._shelf.commit("plugin", scope, before["name"], None, author, before=before, after=None)

    def _put(
        self, scope: str, name: str, after: Mapping[str, Any], before: Mapping[str, Any] | None, author: Author
    ) -> Mapping[str, Any]:
        self._shelf.commit("plugin", scope, name, after, author, before=before, after=after)
        return after

    def _row(self, call: Call, plugin: Mapping[str, Any]) -> dict[str, Any]:
        links = self._shelf.all("link", call.scope, call.request.lag).values()
        tags = sorted({tag for link in links if link["plugin"] == plugin["name"] for tag in link["tags"]})
        seen = {word: value for word, value in plugin.items() if word != "content"}
        return {**seen, "plugin": plugin["name"], "tags": tags}


class Links:
    """The page lists them; the vendor's clients also make, read, change and delete them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def answer(self, call: Call) -> Answer:
        request, method = call.request, call.request.method
        links = self._shelf.all("link", call.scope, request.lag)
        if len(call.way) > 2:
            raise refusal_for(404)
        if len(call.way) == 1:
            if method == "GET":
                return json_answer(200, [*links.values()])
            if method == "POST":
                return json_answer(200, self.create(call.scope, read_fields(request), call.author))
            raise refusal_for(405)
        before = links.get(call.way[1])
        if before is None:
            raise refusal_for(404, "link not found")
        if method == "GET":
            return json_answer(200, before)
        if method in ("PUT", "PATCH"):
            return json_answer(200, self._put(call.scope, before, {**before, **read_fields(request)}, call.author))
        if method == "DELETE":
            self._shelf.commit("link", call.scope, before["id"], None, call.author, before=before, after=None)
            return Answer(status=204)
        raise refusal_for(405)

    def create(self, scope: str, fields: Mapping[str, Any], author: Author) -> Mapping[str, Any]:
        identity = fields.get("id") or self._shelf.unique().hex()[:24]
        return self._put(scope, None, {**fields, "id": identity}, author)

    def _put(
        self, scope: str, before: Mapping[str, Any] | None, fields: Mapping[str, Any], author: Author
    ) -> Mapping[str, Any]:
        after = {
            "org": org_id(scope),
            "plugin": required(fields, "plugin"),
            "id": fields["id"],
            "tags": texts(fields.get("tags")),
        }
        self._shelf.commit("link", scope, after["id"], after, author, before=before, after=after)
        return after


def _changed(plugin: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(plugin)
    content = read_content(fields)
    if content is not None:
        after["content"] = base64.b64encode(content).decode()
        after["hash"] = hashlib.sha1(content).hexdigest()  # noqa: S324 - forty digits, as on the page
    for word in _TEXTS:
        if fields.get(word) is not None:
            if not isinstance(fields[word], str):
                raise refusal_for(422, f"{word} must be text")
            after[word] = fields[word]
    interval = fields.get("interval")
    if interval is not None:
        if isinstance(interval, bool) or not str(interval).isdecimal() or int(interval) < 1:
            raise refusal_for(422, "interval must be a number of seconds")
        after["interval"] = int(interval)
    return after
