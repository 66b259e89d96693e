"""`/v1/workspaces` and `/v1/webhooks` of the emulated DataOS.

Both are guesses: the page prints them as SDK calls only (`workspaces.list/create/delete`, `webhooks.create`) and gives
no REST path. Paths and envelopes follow the style of `/v1/resources`. Called by :mod:`agent.sandbox.dataos`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.dataos_answers import not_found, page_answer, read_page, refusal_for
from agent.sandbox.dataos_bodies import check_name, invalid, read_body
from agent.sandbox.messages import Answer, Refusal, Request, json_answer, json_bytes
from agent.sandbox.storage import Key
from agent.sandbox.world import Author, World

DEFAULT_WORKSPACE = "public"
EVENTS = ("resource.created", "resource.updated", "resource.deleted")
"""The page names the first two."""


class Workspaces:
    """`empty` deletes, or refuses to delete, what a workspace holds."""

    def __init__(self, world: World, platform: str, empty: Callable[[str, Author], None]) -> None:
        self._world = world
        self._platform = platform
        self._empty = empty
        self._records = {key: record for key, record in world.records.items() if key[:2] == (platform, "workspace")}
        if not self.exists(DEFAULT_WORKSPACE):
            record = self._record(DEFAULT_WORKSPACE, "Default workspace")
            world.keep(self._key(DEFAULT_WORKSPACE), record)
            self._records[self._key(DEFAULT_WORKSPACE)] = record

    def exists(self, name: str) -> bool:
        return self._key(name) in self._records

    def record(self, name: str) -> Mapping[str, Any] | None:
        return self._records.get(self._key(name))

    def answer(self, request: Request, author: Author) -> Answer:
        """Request below `/v1/workspaces`."""
        name = request.segments[2] if len(request.segments) == 3 else None
        if name is None:
            if request.method == "GET":
                return _listed(request, self._records, self._world.switches.limit_max)
            if request.method == "POST":
                return self._create(request, author)
            raise refusal_for(405)
        record = self._records.get(self._key(name))
        if request.method not in ("GET", "DELETE"):
            raise refusal_for(405)
        if record is None:
            raise not_found("workspace", name, None)
        if request.method == "GET":
            return json_answer(200, record)
        if name == DEFAULT_WORKSPACE:
            raise Refusal(403, "FORBIDDEN", "The default workspace cannot be deleted", {"name": name})
        self._empty(name, author)
        del self._records[self._key(name)]
        self._world.commit(self._key(name), None, author, before=record, after=None)
        return json_answer(200, {"message": "Workspace deleted successfully", "workspace": {"name": name}})

    def _create(self, request: Request, author: Author) -> Answer:
        body = read_body(request)
        name, description = body.get("name"), body.get("description")
        if not isinstance(name, str):
            raise invalid("'name' is required", field="name")
        check_name("workspace", name, strict=self._world.switches.strict_names)
        if description is not None and not isinstance(description, str):
            raise invalid("'description' must be text", field="description")
        if self.exists(name):
            raise Refusal(
                409,
                "RESOURCE_ALREADY_EXISTS",
                f"Workspace '{name}' already exists",
                {"type": "workspace", "name": name},
            )
        record = self._record(name, description)
        self._records[self._key(name)] = record
        self._world.commit(self._key(name), record, author, before=None, after=record)
        return json_answer(201, {"message": "Workspace created successfully", "workspace": record})

    def _record(self, name: str, description: str | None) -> dict[str, Any]:
        said = {} if description is None else {"description": description}
        return {"name": name, **said, "created": moment(self._world.clock.now())}

    def _key(self, name: str) -> Key:
        return (self._platform, "workspace", "", name)


class Subscriptions:
    def __init__(self, world: World, platform: str) -> None:
        self._world = world
        self._platform = platform
        self._records = {key: record for key, record in world.records.items() if key[:2] == (platform, "webhook")}

    def answer(self, request: Request) -> Answer:
        """Request below `/v1/webhooks`."""
        if len(request.segments) == 2:
            if request.method == "GET":
                return _listed(request, self._records, self._world.switches.limit_max)
            if request.method == "POST":
                return self._create(read_body(request))
            raise refusal_for(405)
        identity = request.segments[2]
        key = (self._platform, "webhook", "", identity)
        if request.method != "DELETE":
            raise refusal_for(405)
        if key not in self._records:
            raise not_found("webhook", identity, None)
        del self._records[key]
        self._world.keep(key, None)
        return json_answer(200, {"message": "Webhook deleted successfully", "webhook": {"id": identity}})

    def tell(self, event: str, resource: Mapping[str, Any]) -> None:
        """Post the page's payload to every subscriber of this event and type."""
        payload = {"event": event, "timestamp": moment(self._world.clock.now()), "resource": resource}
        for record in self._records.values():
            if event in record["events"] and (not record["resources"] or resource["type"] in record["resources"]):
                self._world.webhooks.post(record["url"], payload)

    def _create(self, body: Mapping[str, Any]) -> Answer:
        url, events, resources = body.get("url"), body.get("events"), body.get("resources", [])
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise invalid("'url' must be an http or https address", field="url")
        if not isinstance(events, list) or not events or any(event not in EVENTS for event in events):
            raise invalid(f"'events' must be some of {', '.join(EVENTS)}", field="events")
        if not isinstance(resources, list) or not all(isinstance(each, str) for each in resources):
            raise invalid("'resources' must be a list of types", field="resources")
        identity = f"wh_{self._world.random.getrandbits(48):012x}"
        record = {"id": identity, "url": url, "events": events, "resources": resources}
        key = (self._platform, "webhook", "", identity)
        self._records[key] = record
        self._world.keep(key, record)
        return json_answer(201, {"message": "Webhook created successfully", "webhook": record})


def _listed(request: Request, records: Mapping[Key, Mapping[str, Any]], limit_max: int) -> Answer:
    limit, offset = read_page(request, limit_max)
    rows = [json_bytes(record) for record in records.values()]
    return page_answer(rows[offset : offset + limit], len(rows), limit, offset)
