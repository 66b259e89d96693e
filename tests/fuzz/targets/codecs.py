"""JSON and MessagePack of a platform: strictness, the standard library's opinion, and the way there and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgpack

from agent.live import packed, strict_json
from agent.model.canonical import canonical, digest, from_json, to_json
from tests.fuzz.seeds import files
from tests.fuzz.target import Target


def run_json(data: bytes) -> None:
    try:
        value = strict_json.loads(data)
    except ValueError as error:
        _refused_for_a_reason(data, str(error))
        return
    assert value == json.loads(data, parse_float=Decimal)
    _there_and_back(value)


def _refused_for_a_reason(data: bytes, reason: str) -> None:
    """What the standard library takes, we refuse only for what we say that we refuse."""
    assert reason and len(reason) < 200
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return
    declared = ("twice", "not JSON", "deeper", "digits", "no double", "surrogate", "UTF-8")
    assert any(word in reason for word in declared), reason


def _there_and_back(value: Any) -> None:
    text = to_json(value)
    assert strict_json.loads(text) == value
    assert from_json(text) == value
    short = canonical(value)
    assert canonical(from_json(short)) == short
    assert digest(strict_json.loads(text)) == digest(value)


def run_msgpack(data: bytes) -> None:
    try:
        value = packed.loads(data)
    except ValueError as error:
        assert str(error) and len(str(error)) < 200
        return
    text = to_json(value)  # what an answer brought must go into the store
    assert canonical(strict_json.loads(text)) == canonical(value)
    assert packed.loads(packed.dumps(value)) == value


def json_seeds() -> Iterable[bytes]:
    yield from (
        b'{"a": [1, -0.0, 1e5, true, null, "\\u00e9\\ud83d\\ude00"]}',
        b"[" * 100 + b"]" * 100,
        b'{"a":1,"a":2}',
    )
    yield from (b"[NaN, Infinity]", b"1" * 401, b'"\\ud800"', b"1e999", b"0.1e-400", b"[1.10, 1E+2, 9007199254740993]")
    yield from files("schemas/*/examples/answers/*.json", count=60)


def msgpack_seeds() -> Iterable[bytes]:
    values: list[Any] = [{"a": [1, -1, 2.5, None, True, "x" * 40]}, [b"ab", msgpack.ExtType(42, bytes(8))], 2**64 - 1]
    values += [msgpack.Timestamp(1, 2), {"rows": [{"name": "a", "id": -(2**63)}] * 3}, [[[[]]]], "é" * 20]
    return [msgpack.packb(value) for value in values]


WORDS = (b'"', b"\\u", b"\\ud800", b"1e308", b"-0", b"NaN", b"null", b"true", b"[[", b"{}", b"\xef\xbb\xbf", b"9" * 30)
TARGETS = (
    Target("json", run_json, json_seeds, WORDS),
    Target(
        "msgpack", run_msgpack, msgpack_seeds, (b"\xdd\xff\xff\xff\xff", b"\xc7\x08\x2a", b"\xd6\xff", b"\xcb", b"\x91")
    ),
)
