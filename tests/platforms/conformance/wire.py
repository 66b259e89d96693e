"""What lies between the agent and an emulator: it keeps every request, and lets a scene step in around one.

It also carries the requests of a person, who sends what the agent would have sent, without the agent's mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from agent import yaml_io
from agent.definitions.platform import Mark
from agent.plan.rules import split_pointer
from agent.sandbox import Commit, ConnectionLost, World
from tests.simulation.in_process import InProcess

READS = frozenset({"GET", "HEAD"})
PERSON = "a person at the console"


@dataclass(frozen=True)
class Sent:
    """A request as it went over the wire, and the changes that it made; ``status`` 0 where the answer was lost."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    content: bytes
    status: int
    commits: Sequence[Commit]

    @property
    def path(self) -> str:
        return httpx.URL(self.url).raw_path.decode().partition("?")[0]

    @property
    def makes(self) -> str:
        """The type of the object that it made, "" where it made none."""
        return next((commit.type for commit in self.commits if commit.before is None), "")


class Wire(httpx.AsyncBaseTransport):
    """``before`` sees a request before the emulator does and may answer it; ``after`` may change an answer or raise."""

    def __init__(self, app: Any, world: World) -> None:
        self._inner = InProcess(app)
        self._world = world
        self.sent: list[Sent] = []
        self.before: Callable[[httpx.Request], Awaitable[httpx.Response | None]] | None = None
        self.after: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        instead = await self.before(request) if self.before is not None else None
        seen = len(self._world.commits)
        content = await request.aread()
        if instead is not None:
            headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
            self.sent.append(Sent(request.method, str(request.url), headers, content, instead.status_code, ()))
            return instead
        status = 0
        try:
            response = await self._inner.handle_async_request(request)
            status = response.status_code
        except ConnectionLost as lost:
            raise httpx.ReadError(str(lost), request=request) from lost
        finally:
            headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
            made = tuple(self._world.commits[seen:])
            self.sent.append(Sent(request.method, str(request.url), headers, content, status, made))
        return self.after(request, response) if self.after is not None else response

    def delays(self, call: Sent) -> Callable[[], Awaitable[None]]:
        """The next request like this one is lost to its sender and still under way; what is returned lets it arrive."""
        held: list[httpx.Request] = []

        async def before(request: httpx.Request) -> httpx.Response | None:
            if held or not is_same_call(request, call):
                return None
            content = await request.aread()
            held.append(httpx.Request(request.method, request.url, headers=request.headers, content=content))
            raise httpx.ReadError("the connection was lost", request=request)

        async def arrives() -> None:
            seen = len(self._world.commits)
            response = await self._inner.handle_async_request(held[0])
            made = tuple(self._world.commits[seen:])
            self.sent.append(Sent(call.method, call.url, call.headers, call.content, response.status_code, made))

        self.before = before
        return arrives

    async def replay(self, sent: Sent, content: bytes) -> int:
        """A person sends the same request with another body; returns the status."""
        kept = [(name, value) for name, value in sent.headers if name.lower() not in ("user-agent", "content-length")]
        request = httpx.Request(sent.method, sent.url, headers=[*kept, ("User-Agent", PERSON)], content=content)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        return response.status_code


def body_of(sent: Sent) -> Any:
    """The body as a value: JSON, or YAML where the content type says so."""
    content_type = dict(sent.headers).get("content-type", "")
    return yaml_io.load(sent.content).documents[0].value if "yaml" in content_type else json.loads(sent.content)


def with_mark(sent: Sent, mark: Mark | None, text: str | None, instead: str) -> bytes:
    """The body with another mark, or (None) without one; a mark that is no list's leaves ``instead`` in its place."""
    if mark is None:
        return sent.content
    body = body_of(sent)
    *way, last = split_pointer(mark.pointer)
    parent = body
    for step in way:
        parent = parent[step]
    if mark.in_list:
        others = [value for value in parent[last] if not re.fullmatch(mark.pattern, value)]
        parent[last] = others + ([] if text is None else [text])
    else:
        parent[last] = instead if text is None else text
    is_yaml = "yaml" in dict(sent.headers).get("content-type", "")
    return yaml_io.dump(body).encode() if is_yaml else json.dumps(body).encode()


def is_same_call(request: httpx.Request, sent: Sent) -> bool:
    return request.method == sent.method and request.url.raw_path.decode().partition("?")[0] == sent.path


def as_success(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """A gateway that makes a 200 of every write: only the body still tells that the call failed."""
    if response.status_code >= 400 and request.method not in READS:
        response.status_code = 200
    return response
