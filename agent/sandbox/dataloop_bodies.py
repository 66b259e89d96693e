"""Bodies of the emulated Dataloop: forms, JSON, YAML under any label, and what a refusal looks like.

The page's own snippets label their bodies wrongly: `requests` with `files=` sends multipart called YAML, `curl` sends
YAML called a form. So a document is known by its bytes. Statuses of refusals other than 422 for a plugin that exists,
and all error bodies, are guesses. Called by the other `dataloop` files.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from agent.sandbox.dataos_bodies import read_body
from agent.sandbox.forms import is_multipart, read_form, read_multipart
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.world import Author

YAML_TYPE = "application/yaml"
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./ -]*(?<! )")
_OTHER_MEANING = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_WORDS = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    422: "unprocessable entity",
    429: "too many requests",
    500: "internal server error",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request below an account: its `scope` is `org/account`, its `way` the segments after that."""

    request: Request
    scope: str
    way: tuple[str, ...]
    author: Author


def refusal_for(status: int, message: str = "") -> Refusal:
    return Refusal(status, "", message or _WORDS.get(status, "error"))


def refused(refusal: Refusal) -> Answer:
    return json_answer(refusal.status, {"error": refusal.message})


def read_fields(request: Request) -> dict[str, Any]:
    """A form or a JSON mapping, by content type, and by the first character where that says neither."""
    content_type = request.headers.get("content-type", "").lower()
    try:
        if is_multipart(request.body):
            return {part.name: part.content.decode() for part in read_multipart(request.body)}
        if "json" in content_type or ("form" not in content_type and request.body.lstrip()[:1] == b"{"):
            fields = json.loads(request.body)
        else:
            fields = read_form(request.body)
    except (ValueError, RecursionError) as error:
        raise refusal_for(400, "body cannot be read") from error
    if not isinstance(fields, dict):
        raise refusal_for(400, "body must be a mapping")
    return fields


def read_document(request: Request) -> dict[str, Any]:
    """The mapping that a dashboard or a rule is, in YAML or JSON, also inside multipart."""
    body = request.body
    try:
        if is_multipart(body):
            body = read_multipart(body)[0].content
    except ValueError as error:
        raise refusal_for(400, "body cannot be read") from error
    label = "application/json" if "json" in request.headers.get("content-type", "").lower() else YAML_TYPE
    try:
        return read_body(replace(request, body=body, headers={"content-type": label}))
    except Refusal as refusal:
        raise refusal_for(400, refusal.message) from refusal


def read_content(fields: Mapping[str, Any]) -> bytes | None:
    """Decoded `content`; line breaks in base64 are no matter, for GNU `base64` writes them. None: not sent."""
    content = fields.get("content")
    if content is None:
        return None
    if not isinstance(content, str) or fields.get("encoding") not in (None, "", "base64"):
        raise refusal_for(422, "content must be base64")
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise refusal_for(422, "content must be base64") from error


def required(fields: Mapping[str, Any], word: str) -> str:
    value = fields.get(word)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or value in (".", ".."):
        raise refusal_for(422, f"{word} is required")
    return value


def texts(value: Any) -> list[str]:
    """A list of texts, from JSON, from a repeated field, or from one with commas."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    if value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        return list(value or [])
    raise refusal_for(422, "expected a list of texts")


def document_answer(request: Request, document: Mapping[str, Any]) -> Answer:
    """YAML where Accept asks for it, else JSON."""
    if "yaml" in request.headers.get("accept", "").lower():
        return Answer(status=200, body=yaml_text(document).encode(), content_type=YAML_TYPE)
    return json_answer(200, document)


def stamp(seconds: float) -> str:
    """A moment as the page prints it, in milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def yaml_text(value: Mapping[str, Any]) -> str:
    """Block YAML of JSON values with sorted keys (a guess: no export is printed)."""
    return "\n".join(_lines(value)) + "\n" if value else "{}\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, member in sorted(value.items()):
            nested = isinstance(member, Mapping | list) and bool(member)
            yield f"{_scalar(key)}:" if nested else f"{_scalar(key)}: {_scalar(member)}"
            if nested:
                yield from (line if isinstance(member, list) else f"  {line}" for line in _lines(member))
        return
    for member in value:
        if isinstance(member, Mapping | list) and member:
            first, *rest = _lines(member)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_scalar(member)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _OTHER_MEANING
        return value if plain else json.dumps(value)
    return json.dumps(value)
