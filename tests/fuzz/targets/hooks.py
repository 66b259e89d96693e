"""Webhooks: what a body points at, and who gets what answer at the door."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import structlog

from agent.config.model import SourceConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.reconcile.events import WORD_MAX, NotAnEvent, read_event
from agent.reconcile.inbox import Inbox
from agent.reconcile.pushes import Pushes
from agent.server.app import create_app
from agent.server.hooks import hook_routes
from agent.server.keys import Secrets
from agent.server.proofs import FORGE, PLATFORM
from agent.server.receivers import Receiver
from tests.fuzz.seeds import files
from tests.fuzz.target import Draw, Target, pieces

SECRET = "the-word-of-this-hook"
EVENTFUL = ("dataos", "datalinx")


class StoppedClock:
    def now(self) -> float:
        return 1_700_000_000.0

    def monotonic(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@cache
def _platforms() -> tuple[Platform, ...]:
    return tuple(load_platform(name) for name in EVENTFUL)


def run_events(data: bytes) -> None:
    draw = Draw(data)
    platform, body = draw.pick(_platforms()), draw.rest()
    inbox = Inbox(platform, {"workspace": "public"}, StoppedClock())
    word = inbox.receive(body)
    try:
        pointer = read_event(body, platform)
    except NotAnEvent as error:
        assert word == "malformed" and len(str(error)) < 200
        return
    assert word == ("ignored" if pointer is None else "accepted")
    if pointer is not None:
        assert pointer.kind in platform.kinds
        assert all(0 < len(text) <= WORD_MAX for text in (pointer.name, pointer.id) if text is not None)
        assert pointer.name is not None or pointer.id is not None


def run_hooks(data: bytes) -> None:
    structlog.configure(processors=[_nothing])
    draw = Draw(data)
    taken: list[bytes] = []

    def take(body: bytes, event: str) -> str:
        taken.append(body)
        return "accepted"

    receivers = [
        Receiver(name, take, Secrets(lambda: SECRET, StoppedClock()), StoppedClock(), manner)
        for name, manner in (("platform/main", PLATFORM), ("git/source", FORGE))
    ]
    app = create_app(hook_routes(receivers), is_host=lambda name: name in ("localhost", ""))
    method, signs, path = draw.pick(("POST", "GET", "PUT", "TRACE")), draw.integer(3), draw.bytes()
    headers = [tuple(line.partition(b": ")[::2]) for line in draw.bytes().split(b"\n") if line]
    parts = pieces(draw.rest(), 700)
    if signs == 1:  # what a mutation would hardly ever come upon
        digest = hmac.new(SECRET.encode(), b"".join(parts), hashlib.sha256).hexdigest()
        headers.append((b"x-hub-signature-256", b"sha256=" + digest.encode()))
    status, body = asyncio.run(_asked(app, method, path, [(name.lower(), value) for name, value in headers], parts))
    assert status in (202, 400, 401, 404, 405, 413, 415, 429) and body == b"", (status, body)
    proven = signs == 1 or SECRET.encode() in path or any(SECRET.encode() in value for _, value in headers)
    assert not taken or (proven and taken == [b"".join(parts)] and status == 202)


def run_pushes(data: bytes) -> None:
    draw = Draw(data)
    source = SourceConfig(url="https://git.example.com/team/platform.git", branch=draw.pick((None, "main", "\u00e9")))
    event, body = draw.bytes().decode("latin-1"), draw.rest()
    woken: list[None] = []

    async def received() -> str:
        pushes = Pushes(source, StoppedClock(), lambda: woken.append(None))
        word = pushes.receive(body, event)
        await asyncio.sleep(0.001)
        assert pushes.counts == {word: 1}
        return word

    word = asyncio.run(received())
    assert word in ("accepted", "ignored", "malformed")
    assert bool(woken) is (word == "accepted")
    if word == "accepted":
        assert isinstance(json.loads(body), dict)


async def _asked(app: Any, method: str, path: bytes, headers: list[Any], parts: list[bytes]) -> tuple[int, bytes]:
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8080),
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def _nothing(_logger: object, _name: str, event: object) -> str:
    raise structlog.DropEvent


def event_seeds() -> Iterable[bytes]:
    for number, name in enumerate(EVENTFUL):
        for text in files(
            f"schemas/{name}/examples/events/*.json", f"schemas/{name}/examples/**/*event*.json", count=12
        ):
            yield bytes((number,)) + text
    yield b'\0{"event": "resource.updated", "data": {"type": "workflow", "name": "daily", "workspace": "public"}}'
    yield b'\1{"event": "pipeline.failed", "data": {"pipeline_id": "pl_1", "workspace_id": "ws_1"}}'


def hook_seeds() -> Iterable[bytes]:
    path, kind = b"/hooks/platform/main\0", b"content-type: application/json"
    yield b"\0\1" + path + kind + b'\0{"a": 1}'
    yield b"\0\0" + path.replace(b"\0", b"/" + SECRET.encode() + b"\0") + kind + b"\0{}"
    yield b"\0\0" + path + kind + b"\nauthorization: Bearer " + SECRET.encode() + b"\nhost: localhost:80\0{}"
    yield b"\1\0" + path + kind + b"\nhost: [::1]:99\nx-hub-signature-256: sha256=" + b"0" * 64 + b"\0{}"

    git = b"/hooks/git/source\0" + kind
    yield b"\0\1" + git + b'\nx-github-event: push\0{"ref": "refs/heads/main"}'
    yield b"\0\0" + git + b"\nx-gitlab-token: " + SECRET.encode() + b'\nx-gitlab-event: Push Hook\0{"ref": 5}'
    yield b"\0\0" + git + b"\nwebhook-id: m\nwebhook-timestamp: 1\nwebhook-signature: v1," + b"A" * 43 + b"=\0{}"


def push_seeds() -> Iterable[bytes]:
    yield b'\1push\0{"ref": "refs/heads/main", "repository": {"full_name": "team/platform"}}'
    yield b'\0Push Hook\0{"ref": "refs/heads/x", "project": {"path_with_namespace": "team/platform"}}'
    yield b'\1system hook\0{"object_kind": "push", "ref": "refs/heads/main"}'
    yield b"\0\0{}"


PUSH_WORDS = (b'"ref": ', b"refs/tags/", b"null", b"[", b"{", b'"default_branch": "main"', b"\xff", b"ping\0")
WORDS = (b"/hooks/platform/", b"main", b"content-type: application/json\n", b"content-length: ", b"host: localhost\n")
WORDS += (
    b"x-hub-signature-256: sha256=",
    b"authorization: Bearer ",
    b"authorization: Basic ",
    b"99999999999999999999",
    b"%2f",
    b"/hooks/git/source",
    b"x-gitlab-token: ",
    b"webhook-signature: v1,",
    b"x-hub-signature: sha256=",
)
WORDS += (b"content-encoding: gzip\n", b"application/cloudevents+json", b"\xe9", SECRET.encode(), b"\xd9\xa3")
TARGETS = (
    Target(
        "events",
        run_events,
        event_seeds,
        (b'"data": ', b'"name": ', b'"type": ', b'"workspace": ', b"null", b"[]", b'""'),
    ),
    Target("hooks", run_hooks, hook_seeds, WORDS),
    Target("pushes", run_pushes, push_seeds, PUSH_WORDS),
)
