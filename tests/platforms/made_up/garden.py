"""A garden with a REST API: the emulator of the made-up platform ``definitions/garden``, for the words of the
vocabulary that no real platform needs. It imports nothing of the engine.

``Garden`` is an ASGI application. It keeps every request, refuses what is not as it must be (region, credential,
revision, condition), and answers in its own way: other letter case, other spelling of numbers, times and durations.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, unquote

from agent.sandbox.merge_patch import merged
from tests.platforms.made_up.spelling import in_its_own_way
from tests.platforms.made_up.yard import NotHere, Yard

TICKET_SECONDS = 600.0


@dataclass(frozen=True)
class Asked:
    """One request, as the garden saw it."""

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class Reply:
    status: int = 200
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: tuple[str, bytes] | None = None


class Garden:
    """Its beds, plants, seeds, sensors, notes and photos; `now` is its clock."""

    def __init__(self, now: Any) -> None:
        self.now = now
        self.asked: list[Asked] = []
        self.beds: dict[str, dict[str, Any]] = {}
        self.seeds: dict[str, dict[str, Any]] = {}
        self.tools: dict[str, dict[str, Any]] = {}
        self.plants: dict[str, dict[str, Any]] = {}
        self.sensors: dict[str, dict[str, Any]] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.answered: dict[str, Reply] = {}
        self.tickets: dict[str, float] = {}
        self.loses = ""
        """The answer to a path with this ending is lost, after the request took effect."""
        self.loses_if: Callable[[str], bool] = lambda path: False
        """The same, for what it says of a path."""
        self.refuses = ""
        """A DELETE of a path with this ending is refused."""
        self.strict = False
        """The header X-Region is asked for with `GET /me` too."""
        self.conditional = False
        """Plants change only on condition that they are as the caller saw them."""
        self.yard = Yard()
        self._numbers = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        path = scope["raw_path"].decode().partition("?")[0]
        try:
            reply = self._answer(scope["method"], path, query, headers, body)
        except Refused as refused:
            reply = Reply(refused.status, {"error": {"code": refused.code, "text": refused.text}})
        self.asked.append(Asked(self.now(), scope["method"], path, query, headers, body, reply.status))
        if self.loses_if(path) or (self.loses and path.endswith(self.loses)):
            raise ConnectionResetError("the answer was lost")
        value = b"" if reply.value is None else json.dumps(reply.value).encode()
        kind, content = reply.raw or ("application/json", value)
        sent = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        sent.append((b"content-type", kind.encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    def _answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        region, api, *way = [unquote(step) for step in path.split("/")[1:]]
        if (region, api) != ("north", "api"):
            raise Refused(404, "NO_SUCH_PLACE", "there is no such place")
        if way == ["tickets"] and method == "POST":
            return self._ticket(parse_qs(body.decode()))
        if headers.get("x-region") != "north" and (way != ["me"] or self.strict):
            raise Refused(400, "REGION", "the header X-Region is missing")
        self._admit(query, headers)
        if self.refuses and method == "DELETE" and path.endswith(self.refuses):
            raise Refused(403, "NOT_NOW", "come back later")
        if way == ["me"]:
            return Reply(value={"name": "gardener"})
        match [method, *way]:
            case ["GET", "beds"]:
                return self._beds(query)
            case ["GET", "seeds"]:
                return self._seeds(query)
            case ["POST", ("beds" | "seeds") as shelf]:
                return self._add(self.beds if shelf == "beds" else self.seeds, json.loads(body), headers, shelf)
            case ["DELETE", ("beds" | "seeds") as shelf, name]:
                return self._drop(self.beds if shelf == "beds" else self.seeds, name)
            case [_, "beds", bed, "plants", *rest]:
                return self._plant(method, bed, rest, query, headers, body)
            case ["POST", "tools"]:
                return self._add(self.tools, json.loads(body), headers, "tools")
            case [_, "tools", name]:
                return self._tool(method, name, body)
            case [_, "sensors", name]:
                return self._sensor(method, name, body)
            case [_, ("notes" | "photos") as shelf, name]:
                return self._file(method, shelf, name, headers, body)
            case [_, ("gates" | "paths" | "fences" | "steps" | "drawings" | "barrels"), *_]:
                try:
                    return Reply(*self.yard.answer(method, way, body))
                except NotHere as refused:
                    raise Refused(refused.status, refused.code, refused.text) from refused
        raise Refused(404, "NO_SUCH_PATH", "there is no such path")

    # Who asks

    def _ticket(self, form: Mapping[str, list[str]]) -> Reply:
        if form.get("user") != ["flora"] or form.get("key") != ["k1"]:
            raise Refused(401, "LOGIN", "no such user")
        self._numbers += 1
        value, ends = f"t{self._numbers}", self.now() + TICKET_SECONDS
        self.tickets[value] = ends
        return Reply(value={"ticket": {"value": value, "ends": datetime.fromtimestamp(ends, UTC).isoformat()}})

    def _admit(self, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
        cookies = dict(pair.strip().partition("=")[::2] for pair in headers.get("cookie", "").split(";"))
        basic = "Basic " + base64.b64encode(b"clerk:p:w").decode()
        if self.now() < self.tickets.get(cookies.get("ticket", ""), 0.0):
            return
        if headers.get("authorization") == basic or query.get("access_key") == "a&k":
            return
        raise Refused(401, "WHO", "who are you?")

    # Beds and seeds

    def _add(self, shelf: dict[str, dict[str, Any]], sent: Any, headers: Mapping[str, str], name: str) -> Reply:
        if name == "beds" and headers.get("x-reason") != "wanted by main":
            raise Refused(400, "REASON", "the header X-Reason is missing")
        if sent["name"] in shelf:
            raise Refused(409, "THERE", "it is there")
        if set(sent) != {"name"}:
            raise Refused(422, "MORE", "a name, and nothing else")
        shelf[sent["name"]] = {"name": sent["name"]}
        return Reply(201, shelf[sent["name"]])

    def _drop(self, shelf: dict[str, dict[str, Any]], name: str) -> Reply:
        if shelf.pop(name, None) is None:
            raise Refused(404, "GONE", "there is no such thing")
        return Reply(204)

    def _beds(self, query: Mapping[str, str]) -> Reply:
        """One a page; the next one is told by a header."""
        names = [*self.beds]
        at = int(query.get("from", "0"))
        more = {"Link": f'</north/api/beds?from={at + 1}>; rel="next"'} if at + 1 < len(names) else {}
        return Reply(value={"beds": [self.beds[name] for name in names[at : at + 1]]}, headers=more)

    def _seeds(self, query: Mapping[str, str]) -> Reply:
        names, size, page = [*self.seeds], int(query["per"]), int(query["page"])
        rows = [self.seeds[name] for name in names[page * size : (page + 1) * size]]
        return Reply(value={"seeds": rows, "page": {"count": -(-len(names) // size)}})

    # Plants

    def _plant(
        self, method: str, bed: str, rest: list[str], query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if bed not in self.beds:
            raise Refused(404, "NO_BED", "there is no such bed")
        if not rest:
            if method == "POST":
                return self._plants_new(bed, headers, body)
            mine = [plant for plant in self.plants.values() if plant["bed"] == bed]
            at = next((place for place, plant in enumerate(mine) if plant["uuid"] == query.get("after")), -1) + 1
            rows = mine[at : at + int(query["limit"])]
            more = at + len(rows) < len(mine)
            shown = [{word: plant[word] for word in ("label", "uuid", "revision")} for plant in rows]
            return Reply(value={"plants": shown, "cursor": {"after": rows[-1]["uuid"] if more else None, "more": more}})
        plant = self.plants.get(rest[0])
        if plant is None:
            raise Refused(404, "NO_PLANT", "there is no such plant")
        etag = f'"r{plant["revision"]}"'
        if rest[1:] == ["water"] and method == "POST":
            self.plants[rest[0]] = {**plant, "wet": True, "litres": body.decode()}
            return Reply(202, {"started": True})
        if method == "GET":
            if headers.get("x-deep") != "true":
                raise Refused(400, "DEEP", "the header X-Deep is missing")
            return Reply(value=plant, headers={"ETag": etag})
        if method == "DELETE":
            del self.plants[rest[0]]
            return Reply(204)
        if headers.get("if-match") is None and self.conditional:
            raise Refused(428, "CONDITION", "the header If-Match is missing")
        if headers.get("if-match", etag) != etag:
            raise Refused(412, "CHANGED", "somebody changed it")
        change = json.loads(body)
        if change.pop("revision", None) != plant["revision"]:
            raise Refused(409, "REVISION", "the revision is missing or old")
        self.plants[rest[0]] = {**merged(plant, change), "revision": plant["revision"] + 1}
        return Reply(value=self.plants[rest[0]])

    def _plants_new(self, bed: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """A key that was used before is answered as before, and nothing is done."""
        key = headers.get("idempotency-key")
        if key is None:
            raise Refused(400, "KEY", "the header Idempotency-Key is missing")
        if key in self.answered:
            return self.answered[key]
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part.get_payload()
            for part in message_from_bytes(head + body).get_payload()
        }
        if parts.get("planted[by]") != "main":
            raise Refused(400, "PLANTED", "it is not said who planted it")
        self._numbers += 1
        uuid = f"p{self._numbers}"
        made = {"uuid": uuid, "bed": bed, "revision": 1, "wet": False}
        self.plants[uuid] = made | {name: parts[name] for name in ("label", "species", "notes") if name in parts}
        self.answered[key] = Reply(201, self.plants[uuid])
        return self.answered[key]

    # Tools: a create takes the name and nothing else

    def _tool(self, method: str, name: str, body: bytes) -> Reply:
        if name not in self.tools:
            raise Refused(404, "NO_TOOL", "there is no such tool")
        if method == "DELETE":
            return self._drop(self.tools, name)
        if method == "PUT":
            self.tools[name] = {**json.loads(body), "name": name}
        return Reply(value=self.tools[name])

    # Sensors

    def _sensor(self, method: str, name: str, body: bytes) -> Reply:
        if method == "PUT":
            self.sensors[name] = {**json.loads(body), "name": name}
        if name not in self.sensors:
            raise Refused(404, "NO_SENSOR", "there is no such sensor")
        if method == "DELETE":
            del self.sensors[name]
            return Reply(204)
        return Reply(value=in_its_own_way(self.sensors[name]))

    # Notes and photos

    def _file(self, method: str, shelf: str, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        kind = "text/plain" if shelf == "notes" else "application/octet-stream"
        if method == "PUT":
            if headers.get("content-type", "").partition(";")[0] != kind:
                raise Refused(415, "TYPE", f"send {kind}")
            self.files[shelf, name] = body
        if (shelf, name) not in self.files:
            raise Refused(404, "NO_FILE", "there is no such file")
        if method == "DELETE":
            del self.files[shelf, name]
            return Reply(204)
        return Reply(raw=(kind, self.files[shelf, name]))
