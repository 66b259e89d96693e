"""Envelopes of the emulated Datalinx AI: one record, a page of them, a failure; and the reading of bodies.

The page prints all three envelopes, one error code and the statuses; the other codes follow its style and are guesses.
Called by the other `datalinx` files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from agent.sandbox.datalinx_kinds import Kind
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.rate_limit import Standing

PAGE_SIZE_DEFAULT = 50
"""A guess: the page's example asks for 50 and prints no default."""
BODY_MAX = 1 << 20
_WORDS = {
    200: ("INTERNAL_ERROR", "The operation failed"),
    400: ("INVALID_REQUEST", "Invalid input"),
    401: ("UNAUTHORIZED", "Invalid or missing credentials"),
    403: ("FORBIDDEN", "Insufficient permissions"),
    404: ("NOT_FOUND", "Not found"),
    405: ("METHOD_NOT_ALLOWED", "Method not allowed"),
    422: ("VALIDATION_ERROR", "Validation error"),
    429: ("RATE_LIMITED", "Rate limit exceeded"),
    500: ("INTERNAL_ERROR", "Internal server error"),
}
_Row = TypeVar("_Row")


def success(value: Any, status: int = 200) -> Answer:
    return json_answer(status, {"status": "success", "data": value})


def failure(refusal: Refusal, status: int | None = None) -> Answer:
    body = {"status": "failed", "message": refusal.message, "error_code": refusal.code}
    return json_answer(refusal.status if status is None else status, body)


def refusal_for(status: int) -> Refusal:
    """200 as well: there is a failure of which only the envelope tells."""
    code, message = _WORDS.get(status, (f"HTTP_{status}", "Error"))
    return Refusal(status, code, message)


def invalid(message: str) -> Refusal:
    return Refusal(422, "VALIDATION_ERROR", message)


def not_found(kind: Kind) -> Refusal:
    return Refusal(404, kind.code("NOT_FOUND"), f"{kind.title} not found")


def limit_headers(standing: Standing) -> tuple[tuple[str, str], ...]:
    return (
        ("X-RateLimit-Limit", str(standing.limit)),
        ("X-RateLimit-Remaining", str(standing.remaining)),
        ("X-RateLimit-Reset", str(standing.reset)),
    )


def page_answer(
    request: Request, rows: Sequence[_Row], shown: Callable[[_Row], Mapping[str, Any]], size_max: int
) -> Answer:
    """An empty page past the last one. A size above the greatest is lowered to it (a guess)."""
    page, size = _number(request, "page", 1), min(_number(request, "page_size", PAGE_SIZE_DEFAULT), size_max)
    start = (page - 1) * size
    pagination = {
        "page": page,
        "page_size": size,
        "total_items": len(rows),
        "total_pages": -(-len(rows) // size),
    }
    found = [shown(row) for row in rows[start : start + size]]
    return json_answer(200, {"status": "success", "data": found, "pagination": pagination})


def read_body(request: Request) -> dict[str, Any]:
    """The page: `Content-Type` of a POST or PUT is always application/json."""
    if len(request.body) > BODY_MAX:
        raise Refusal(400, "INVALID_REQUEST", f"Body is larger than {BODY_MAX} bytes")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(400, "INVALID_REQUEST", "Content-Type must be application/json")
    try:
        body = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as wrong:
        raise Refusal(400, "INVALID_REQUEST", "Body is not JSON") from wrong
    if not isinstance(body, dict):
        raise Refusal(400, "INVALID_REQUEST", "Body must be an object")
    return body


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise invalid(f"'{name}' must be a whole number above 0")
    return int(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
