"""What passes between the front door and a platform: a request read to its end, and the answer to it.

Written by :mod:`agent.sandbox.app`, read by every platform file and by the faults. A platform answers without awaiting:
a request either has its whole effect or none, whatever happens to the connection. Nothing here does input or output.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is as sent (percent signs kept); `segments` are decoded, below the platform's prefix."""

    number: int
    time: float
    method: str
    path: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    lag: float = 0.0
    """Seconds by which a read is behind the writes."""

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    @property
    def agent(self) -> str:
        return self.headers.get("user-agent", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `lines` streams after the head, with status 101 as the texts of a WebSocket; the other additions
    are set by faults only."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON_TYPE
    lines: AsyncGenerator[bytes, None] | None = None
    cut_at: int | None = None
    """Bytes of the body after which the connection is lost."""
    drip: tuple[int, float] | None = None
    """Bytes a piece, and seconds before each."""


class Refusal(Exception):
    """A platform declines a request, in its own words."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


class ConnectionLost(Exception):
    """The client gets no whole answer. In process it reaches the transport, which reports a read error; a real server
    closes the socket instead. `committed` says whether the request had its effect: the client cannot know it."""

    def __init__(self, *, committed: bool) -> None:
        super().__init__("connection lost after the commit" if committed else "connection lost before the commit")
        self.committed = committed


class Platform(Protocol):
    """One emulated API."""

    name: str
    rows: str
    """Pointer to the rows of a list answer; several, with blanks between, where lists differ. Empty: bare lists."""
    total: str
    """Pointer to the number of all rows; empty where the API tells none."""
    position: str
    """Query parameter that says where a page starts."""

    def answer(self, request: Request) -> Answer:
        """The whole effect and the answer, at once."""
        ...

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        """This platform's own words for a status, for a fault to use."""
        ...

    def resources(self) -> list[Mapping[str, Any]]:
        """What is there now, as reads show it."""
        ...

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]: ...

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]: ...

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None: ...


def json_bytes(value: Any) -> bytes:
    """JSON as the emulated servers write it. ValueError for what JSON cannot say (NaN, lone surrogates)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def json_answer(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status=status, body=json_bytes(value), headers=headers)


def split_path(path: str) -> tuple[str, ...]:
    """Decoded segments of a raw path. Empty ones stay, so that `/a//b` and `/a/` are not `/a/b` and `/a`."""
    segments = path.split("/")[1:]
    if "%" in path:
        return tuple(unquote(segment) for segment in segments)
    return tuple(segments)


def split_query(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
