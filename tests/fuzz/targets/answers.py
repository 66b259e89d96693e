"""One answer of a platform: which of ten it is, what it may have done, what it says, and what its rows are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, get_args

from agent.definitions.load import load_platform
from agent.definitions.platform import Answer, Codec, Kind, Platform
from agent.live.answers import MESSAGE_MAX, Reading, classify, error_of
from agent.live.codecs import Undecodable, accept_header, codec_of, decode, encode, media_type
from agent.live.rows import health_of, id_of, identity_of, mismatch, name_of, revision_of, scope_of
from agent.model.canonical import to_json
from agent.model.identity import Key
from agent.secrets import Secret
from agent.secrets.scrub import Redactor
from tests.fuzz.seeds import files
from tests.fuzz.target import Draw, Target

CANARY = "canary-token-5c02d9"
STATUSES = (200, 201, 202, 204, 207, 302, 400, 401, 403, 404, 408, 409, 412, 418, 422, 429, 500, 503, 100, 599)
TYPES = (
    "application/json",
    "",
    "text/html; charset=utf-8",
    "application/x-msgpack",
    "application/yaml",
    "text/plain",
    "application/problem+json",
    "application/json; charset=utf-16",
    "application/octet-stream",
)
ACCEPTS: tuple[tuple[Codec, ...], ...] = (("json",), ("msgpack", "json"), ("yaml", "json"), ("text",), ("bytes",))
ANSWERS = get_args(Answer)


@cache
def _platforms() -> tuple[Platform, ...]:
    return tuple(load_platform(name) for name in ("dataos", "dataops-live", "datalinx", "dataloop", "datachain-studio"))


@cache
def _scrub() -> Redactor:
    redactor = Redactor()
    redactor.add(Secret(CANARY))
    return redactor


def run(data: bytes) -> None:
    draw = Draw(data)
    platform = draw.pick(_platforms())
    kind = draw.pick(tuple(platform.kinds.values()))
    name = draw.pick(("list", "get", "create", "update", "delete"))
    status, accept = draw.pick(STATUSES), draw.pick(ACCEPTS)
    content_type = draw.pick((*TYPES, "?"))
    headers = {"content-type": content_type if content_type != "?" else draw.text(), "location": draw.text()}
    body = draw.rest()
    reading = _reading(platform, kind, name, accept)
    reply = classify(reading, status, headers, body)
    assert reply.answer in ANSWERS and reply.landed in ("yes", "no", "unknown")
    assert reply.landed == ("yes" if reply.answer == "ok" else reply.landed)
    if reading.writes and reply.landed != "unknown":
        # Done is a 2xx; not done is what the platform itself said with a 4xx or in an envelope.
        assert 200 <= status < 300 or (400 <= status < 500 and status != 408), (status, reply)
        proved = reply.code or reply.message or status == 429 or not reading.errors.declared
        assert reply.landed == "yes" or proved, reply
    for told in (reply.code, reply.message):
        assert len(told) <= MESSAGE_MAX and told.isprintable(), told
        assert CANARY not in told, told
    if reply.answer != "ok":
        assert str(error_of(reply))
    elif reply.body is not None:
        to_json(reply.body)
        _rows(kind, reply.body)
    media_type(headers["content-type"])
    codec_of(headers["content-type"], accept)


def _reading(platform: Platform, kind: Kind, name: str, accept: tuple[Codec, ...]) -> Reading:
    operation = getattr(kind, name)
    reading = Reading(
        "GET" if name in ("list", "get") else "POST",
        "/x/{name}",
        name not in ("list", "get"),
        accept,
        platform.response,
        platform.errors,
        scrub=_scrub().scrub,
    )
    if operation is None:
        return reading
    return replace(
        reading,
        item=operation.item,
        must_have_item=operation.item is not None,
        exists=operation.exists,
        in_use=operation.in_use,
    )


def _rows(kind: Kind, body: Any) -> None:
    """Everything that is asked of an object that an answer brought."""
    found = kind.list.items.search(body) if kind.list is not None and kind.list.items is not None else body
    key = Key("target", kind.name, tuple((word.word, "public") for word in kind.scope), "daily")
    asked = {word.word: "public" for word in kind.scope}
    for item in (body, *(found if isinstance(found, list) else ())[:20]):
        identity = identity_of(kind, item, asked, frozenset()) if isinstance(item, Mapping) else None
        assert identity is None or isinstance(identity, str) or (identity[0] and all(v for _, v in identity[1]))
        assert health_of(kind, item) in ("ready", "progressing", "failed", "gone", "unknown")
        assert mismatch(kind, key, item, "7") is not None
        for text in (id_of(kind, item), name_of(kind, item)):
            assert text is None or (isinstance(text, str) and text)
        if isinstance(item, Mapping):
            scope_of(kind, item)
            revision_of(kind, item)


def run_bodies(data: bytes) -> None:
    """What a request carries in each format can be read back, or was refused."""
    draw = Draw(data)
    codec: Codec = draw.pick(("json", "yaml", "msgpack", "form", "multipart"))
    try:
        value = decode(draw.pick(("json", "yaml")), draw.rest())
    except Undecodable:
        return
    accept_header((codec, "json"))
    from agent.errors import LiveError

    try:
        body, content_type = encode(codec, value)
    except LiveError:
        return
    assert content_type.isascii() and content_type.isprintable()
    if codec in ("json", "yaml"):
        assert decode(codec, body) == value


def seeds() -> Iterable[bytes]:
    for number, name in enumerate(("dataos", "gitlab", "datalinx", "dataloop", "datachain-studio")):
        for text in files(f"schemas/{name}/examples/answers/*.json", most=3000, count=12):
            for head in (b"\1\0\0\0\0", b"\1\1\0\0\0", b"\1\2\1\0\0", b"\1\3\13\0\0"):
                yield bytes((number,)) + head + b"\0\0" + text
    error = f'{{"error": {{"code": "RATE_LIMIT_EXCEEDED", "message": "token {CANARY}"}}}}'.encode()
    yield from (bytes((0, 1, 2, 15, 0, 0)) + b"\0" + error, bytes((0, 1, 2, 9, 0, 2)) + b"\0<html>no</html>")
    yield bytes((0, 1, 2, 5, 0, 0)) + b"https://evil.example:99999/\0"


def body_seeds() -> Iterable[bytes]:
    texts = (
        b'{"a": {"b": [1, true, null, "x"]}, "c": 1.10}',
        b"a: |\n  x\n  y\n",
        b'["\\u2028", ""]',
        b'{"": {}}',
        b'"x"',
    )
    return [bytes((codec, 0)) + text for codec in range(5) for text in texts]


WORDS = (
    b'"error": ',
    b'"message": ',
    b'"code": ',
    CANARY.encode(),
    b'"data": null',
    b'"status": "failed"',
    b'"name": ',
)
WORDS += (b'"meta": {"total": ', b'"id": ', b"\\u202e", b"\\u001b[31m", b"::error::", b"[]", b"{}", b"null", b"<html>")
TARGETS = (
    Target("answers", run, seeds, WORDS),
    Target(
        "bodies",
        run_bodies,
        body_seeds,
        (b"\\u0085", b"\\u2028", b"\\ud83d\\ude00", b'"- "', b"1.10", b"\\t", b"\\n", b": "),
    ),
)
