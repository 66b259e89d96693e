"""Bodies of the emulated DataChain Studio: reading them, refusing them, and writing msgpack.

The page prints no error body; `{"message": …}` is what the vendor's client reads, and all codes but 401, 403 and 404
are guesses. Called by the other `datachain_studio` files.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent.sandbox.forms import is_multipart, read_multipart
from agent.sandbox.messages import Answer, Refusal, Request, json_answer

MSGPACK_TYPE = "application/msgpack"
_MSGPACK_TYPES = frozenset({MSGPACK_TYPE, "application/x-msgpack", "application/vnd.msgpack"})
_TIME_CODE = 42
_WORDS = {
    400: "Bad request",
    401: "Invalid token",
    403: "Permission denied",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    429: "Too many requests",
    500: "Internal server error",
}


def refusal_for(status: int, message: str = "") -> Refusal:
    return Refusal(status, "", message or _WORDS.get(status, "Error"))


def invalid(message: str) -> Refusal:
    return refusal_for(400, message)


def refused(refusal: Refusal, *, packed: bool = False) -> Answer:
    told = {"message": refusal.message}
    if packed:
        return Answer(status=refusal.status, body=msgpack(told), content_type=MSGPACK_TYPE)
    return json_answer(refusal.status, told)


def read_body(request: Request) -> dict[str, Any]:
    """The JSON mapping in the body, whatever the content type says: the page labels JSON text as msgpack."""
    try:
        body = json.loads(request.body, parse_constant=_no_constant)
        request.body.decode()
    except (ValueError, RecursionError) as error:
        raise invalid("Body is not JSON") from error
    if not isinstance(body, dict):
        raise invalid("Body must be a mapping")
    return body


def read_upload(request: Request) -> tuple[str, bytes]:
    """Name and content of the multipart field `file`."""
    try:
        parts = read_multipart(request.body) if is_multipart(request.body) else []
    except ValueError as error:
        raise invalid(f"Body cannot be read: {error}") from error
    for part in parts:
        if part.name == "file":
            return part.filename or "file", part.content
    raise invalid("'file' is required")


def required(source: Mapping[str, Any], word: str) -> str:
    value = source.get(word)
    if not isinstance(value, str) or not value:
        raise invalid(f"'{word}' is required")
    return value


def stamp(seconds: float) -> str:
    """A moment as the page prints it, in microseconds and with an offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def read_moment(text: str) -> float:
    """Seconds since the epoch; ValueError for what is no ISO moment. One without a zone is in UTC (a guess)."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def asks_for_msgpack(request: Request) -> bool:
    """Whether the answer to a listing of storage must be msgpack itself.

    The page prints JSON; the vendor's client sends JSON, accepts anything, and can read nothing but msgpack. So:
    what Accept names first of the two; where it names neither, msgpack for a body labelled JSON, as the client's is,
    and the page's JSON for a body labelled msgpack, as the page's is.
    """
    for piece in request.headers.get("accept", "").lower().split(","):
        wanted = piece.partition(";")[0].strip()
        if wanted in _MSGPACK_TYPES:
            return True
        if wanted == "application/json":
            return False
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _MSGPACK_TYPES


def msgpack(value: Any) -> bytes:
    """The value in msgpack; a moment becomes the extension 42, seconds and offset, which the vendor's client reads."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack("!B", value) if 0 <= value < 128 else struct.pack("!Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack("!Bd", 0xCB, value)
    if isinstance(value, str):
        text = value.encode()
        return struct.pack("!BI", 0xDB, len(text)) + text
    if isinstance(value, datetime):
        content = struct.pack("!dl", value.timestamp(), 0)
        return struct.pack("!BBb", 0xC7, len(content), _TIME_CODE) + content
    if isinstance(value, Mapping):
        members = b"".join(msgpack(key) + msgpack(member) for key, member in value.items())
        return struct.pack("!BI", 0xDF, len(value)) + members
    return struct.pack("!BI", 0xDD, len(value)) + b"".join(msgpack(each) for each in value)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
