"""The closed set of body formats: value -> bytes for requests, bytes -> value for answers.

Called by ``requests``, ``answers`` and ``streams``. Pure. Decoding raises :class:`Undecodable` with a reason that never
quotes the body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from agent import yaml_io
from agent.definitions.platform import Codec
from agent.errors import LiveError
from agent.live import packed, strict_json
from agent.model.canonical import to_json

# The format's own media type stands first: it is what we send and ask for.
_MEDIA_TYPES: Mapping[Codec, tuple[str, ...]] = {
    "json": ("application/json", "text/json"),
    "yaml": ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"),
    "form": ("application/x-www-form-urlencoded",),
    "multipart": ("multipart/form-data",),
    "msgpack": ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack"),
    "text": ("text/plain",),
    "bytes": ("application/octet-stream",),
}
_SUFFIXES: Mapping[str, Codec] = {"+json": "json", "+yaml": "yaml"}
_READABLE: frozenset[Codec] = frozenset({"json", "yaml", "msgpack", "text", "bytes"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class Undecodable(ValueError):
    """The body is not what its content type says, or the content type is none that was asked for."""


def accept_header(accept: tuple[Codec, ...]) -> str:
    """What to send as Accept: the formats in order of preference that we can read."""
    readable = [codec for codec in accept if codec in _READABLE]
    if not readable:
        raise LiveError(f"answers in {accept[0] if accept else 'no format'} cannot be read by this version")
    return ", ".join(_MEDIA_TYPES[codec][0] for codec in readable)


def media_type(content_type: str) -> str:
    """``application/json`` of ``Application/JSON; charset=utf-8``; safe to print."""
    media = content_type.partition(";")[0].strip().lower()
    return media if media.isascii() and media.isprintable() and len(media) <= 100 else "an unreadable content type"


@lru_cache(maxsize=256)
def codec_of(content_type: str, accept: tuple[Codec, ...]) -> Codec | None:
    """Which of the accepted formats an answer has; None when it is none of them. No content type: the first."""
    if not content_type.strip():
        return next((codec for codec in accept if codec in _READABLE), None)
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    charset = next(
        (text.partition("=")[2] for text in parameters.split(";") if text.strip().lower().startswith("charset=")), ""
    )
    if charset and charset.strip().strip('"').lower() not in _CHARSETS:
        return None
    for codec in accept:
        if media in _MEDIA_TYPES[codec]:
            return codec if codec in _READABLE else None
    suffixed = next((codec for suffix, codec in _SUFFIXES.items() if media.endswith(suffix)), None)
    return suffixed if suffixed in accept else None


def decode(codec: Codec, body: bytes) -> Any:
    """The JSON value that the bytes stand for; bytes themselves as base64 text."""
    if codec == "json":
        try:
            return strict_json.loads(body)
        except ValueError as error:
            raise Undecodable(str(error)) from None
    if codec == "msgpack":
        return _decode_msgpack(body)
    if codec == "yaml":
        return _decode_yaml(body)
    if codec == "text":
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Undecodable(f"not UTF-8 at byte {error.start}") from None
    if codec == "bytes":
        return base64.b64encode(body).decode()
    raise Undecodable(f"{codec} answers cannot be read by this version")


def encode(codec: Codec, value: Any) -> tuple[bytes, str]:
    """Body and content type of a request. Raises LiveError for what the format cannot hold."""
    media = _MEDIA_TYPES[codec][0]
    if codec == "json":
        return to_json(value), media
    if codec == "yaml":
        return yaml_io.dump(value).encode(), media
    if codec == "form":
        pairs = "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in _fields(value))
        return pairs.encode(), media
    if codec == "multipart":
        return _encode_multipart(value)
    if codec == "msgpack":
        try:
            return packed.dumps(value), media
        except ValueError as error:
            raise LiveError(str(error)) from None
    if codec == "text":
        return _text(value, codec).encode(), f"{media}; charset=utf-8"
    try:
        return base64.b64decode(_text(value, codec), validate=True), media
    except binascii.Error:
        raise LiveError("a body of bytes is written as base64 text, and this one is not") from None


def _decode_msgpack(body: bytes) -> Any:
    """Some APIs print JSON under this content type. No message of several bytes begins like an object or a list of it:
    ``{`` and ``[`` are whole numbers here, with nothing behind them.
    """
    if len(body) > 1 and body.lstrip()[:1] in (b"{", b"["):
        return decode("json", body)
    try:
        return packed.loads(body)
    except ValueError as error:
        raise Undecodable(str(error)) from None


def _decode_yaml(body: bytes) -> Any:
    loaded = yaml_io.load(body, yaml_io.REPLY_BUDGET)
    fault = next((problem for problem in loaded.problems if problem.severity == "error"), None)
    if fault is not None:
        raise Undecodable(f"YAML refused ({fault.code}) at line {fault.where.line}")
    documents = [document for document in loaded.documents if not document.empty]
    if len(documents) != 1:
        raise Undecodable(f"{len(documents)} YAML documents where one is due")
    return documents[0].value


def _text(value: Any, codec: str) -> str:
    if not isinstance(value, str):
        raise LiveError(f"a body in {codec} must be text, not {type(value).__name__}")
    return value


def _fields(value: Any) -> Iterator[tuple[str, str]]:
    """Nested members as ``permissions[project_access]``, elements as ``topics[]``: what form readers agree on."""
    if not isinstance(value, Mapping):
        raise LiveError("the body of a form must be an object")
    for name, member in value.items():
        yield from _flattened(name, member)


def _flattened(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from _flattened(f"{name}[{member}]", inner)
    elif isinstance(value, list | tuple):
        for element in value:
            yield from _flattened(f"{name}[]", element)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif value is None:
        yield name, ""
    else:
        yield name, format(value, "f") if isinstance(value, Decimal) else str(value)


def _encode_multipart(value: Any) -> tuple[bytes, str]:
    """The boundary is a hash of the fields, so that equal bodies are equal bytes; none of them can contain it."""
    fields = [(name, text.encode()) for name, text in _fields(value)]
    boundary = hashlib.sha256(repr(fields).encode()).hexdigest()[:32]
    body = b""
    for name, text in fields:
        shown = name.replace("\\", "%5C").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{shown}"\r\n\r\n'.encode() + text + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
