"""Names in addresses: whatever a name, a scope word, an id or a link holds, a call stays in its folder and origin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from agent.clock import SystemClock
from agent.definitions.expressions import UnsafePath
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import AgentError, ConfigError, Refused
from agent.live.budget import Budget
from agent.live.connection import Connection, Origin, parse_server
from agent.live.rendering import Unbuildable
from agent.live.requests import Around, Prepared, Requests
from agent.live.transport import Transport
from agent.model.identity import Key
from tests.fuzz.target import Draw, Target

PREFIX = "/base"
ORIGIN = Origin("https", "api.example.com", 443, PREFIX)
NAMES = ("dataos", "gitlab", "datalinx", "dataloop", "datachain-studio")
OPERATIONS = ("get", "list", "create", "update", "delete")


class Nowhere(httpx.AsyncBaseTransport):
    """No call leaves this target."""


@cache
def _platforms() -> tuple[Platform, ...]:
    return tuple(load_platform(name) for name in NAMES)


@cache
def _transport() -> Transport:
    async def made() -> Transport:
        budget = Budget((), 0.0, SystemClock(), None, "token")
        return Transport(Connection("target"), ORIGIN, budget, may_write=True, wire=Nowhere())

    return asyncio.run(made())


def run(data: bytes) -> None:
    draw = Draw(data)
    platform = draw.pick(_platforms())
    kind = draw.pick(tuple(platform.kinds.values()))
    operation_name = draw.pick(OPERATIONS)
    # Halves of surrogate pairs are refused at every door: of manifests, answers, events, variables and arguments.
    name, first, second, server_id, link = (draw.bytes().decode("utf-8", "replace") for _ in range(5))
    scope = tuple((word.word, text) for word, text in zip(kind.scope, (first, second, first), strict=False))
    key = Key("target", kind.name, scope, name)
    connection = Connection("target", settings=dict.fromkeys(platform.settings, first))
    try:
        requests = Requests(platform, connection, PREFIX, secrets={})
    except UnsafePath:
        return
    operation = getattr(kind, operation_name)
    if operation is None:
        return
    around = Around(parents={word.word: {"id": second, "name": first} for word in kind.scope}, live={"id": server_id})
    try:
        if operation_name == "get":
            prepared = requests.reading_of(kind, operation, key, server_id)
        elif operation_name == "list":
            prepared = requests.listing(kind, operation, key.scope)
            _stays(requests.page(prepared, (("page", link), (first, second)), None), plain(operation))
        else:
            prepared = requests.writing(operation_name, operation, kind, key, server_id, {"a": 1}, around)
    except (UnsafePath, Unbuildable, AgentError):
        return
    _stays(prepared, plain(operation))


def plain(operation: Any) -> int:
    """How many segments the path of the operation has as it is written."""
    return len(operation.request.source.partition("?")[0].split("/"))


def _stays(prepared: Prepared, segments: int) -> None:
    target = prepared.target
    path = target.partition("?")[0]
    assert target.startswith(PREFIX + "/") and target.isascii() and target.isprintable() and " " not in target, target
    steps = path.split("/")
    assert all(unquote(step) not in ("", ".", "..") for step in steps[1:]), target
    assert len(steps) - len(PREFIX.split("/")) >= segments - 1, (target, segments)
    assert "#" not in target, target
    for name, value in prepared.headers:
        assert b"\n" not in value and b"\r" not in value and b"\0" not in value, (name, value)
    try:
        _transport()._prove(target)
    except Refused:
        return
    url = _transport()._pinned(target)
    assert (url.scheme, url.host, url.port) == ("https", "api.example.com", None)
    assert url.raw_path == target.encode()


def run_servers(data: bytes) -> None:
    """An address that is let in means to us what it means to the client that connects."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        origin = parse_server(text, allow_http=True)
    except ConfigError as error:
        assert "@" not in text or error.got is None or text not in error.got
        return
    url = httpx.URL(origin.text + origin.prefix + "/x")
    default = {"http": 80, "https": 443}[origin.scheme]
    assert (url.scheme, url.raw_host.decode().strip("[]"), url.port or default) == (
        origin.scheme,
        origin.host,
        origin.port,
    ), (url, origin)
    assert url.userinfo == b"" and url.raw_path.decode() == origin.prefix + "/x", url
    assert urlsplit(text).hostname == origin.host


def seeds() -> Iterable[bytes]:
    for number in range(len(NAMES)):
        for operation in range(len(OPERATIONS)):
            for kind in (0, 1, 5):
                yield bytes((number, kind, operation)) + b"daily\0public\0main\x0042\0next"
    yield b"\0\1\0..\0../x\0%2e%2e\0.\0//evil"


def server_seeds() -> Iterable[bytes]:
    texts = (
        "https://api.example.com",
        "http://127.0.0.1:8080/a/b/",
        "https://[::1]:9/x",
        "https://u@h/",
        "https://h/%2e%2e",
        "https://xn--bcher-kva.example",
        "https://h.example.:443",
        "https://h\\@e/x",
        "HTTPS://API.Example.COM:0443/a",
    )
    return [text.encode() for text in texts]


WORDS = (
    b"..",
    b"/",
    b"%2e",
    b"%2F",
    b"\\",
    b"?",
    b"#",
    b"@",
    b"//",
    b"\r\n",
    b"\0",
    b"\xc0\xaf",
    b"\xef\xbc\x8f",
    b";",
    b"&",
)
TARGETS = (
    Target("addresses", run, seeds, WORDS, size=600),
    Target(
        "servers",
        run_servers,
        server_seeds,
        (b"://", b"@", b"[", b"]", b":", b"%", b"\\", b"0x7f.1", b".", b"\xe3\x80\x82"),
        size=400,
    ),
)
