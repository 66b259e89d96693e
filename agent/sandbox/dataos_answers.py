"""Envelopes of the emulated DataOS: pages of rows, errors, rate-limit headers.

The page prints one error body in full (404) and one for 429; the other codes follow their style and are guesses.
Called by the other `dataos` files.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.sandbox.dataos_bodies import invalid
from agent.sandbox.messages import Answer, Refusal, Request, json_answer, json_bytes
from agent.sandbox.rate_limit import Standing

LIMIT_DEFAULT = 20

_WORDS = {
    400: ("INVALID_REQUEST", "Invalid request"),
    401: ("UNAUTHORIZED", "Authentication failed"),
    403: ("FORBIDDEN", "Permission denied"),
    405: ("METHOD_NOT_ALLOWED", "Method not allowed"),
    409: ("RESOURCE_ALREADY_EXISTS", "Resource already exists"),
    500: ("INTERNAL_ERROR", "Server error"),
}


def refused(refusal: Refusal) -> Answer:
    error = {"code": refusal.code, "message": refusal.message}
    if refusal.details:
        return json_answer(refusal.status, {"error": {**error, "details": refusal.details}})
    return json_answer(refusal.status, {"error": error})


def refusal_for(status: int) -> Refusal:
    code, message = _WORDS.get(status, (f"HTTP_{status}", "Error"))
    return Refusal(status, code, message)


def not_found(type_name: str, name: str, workspace: str | None) -> Refusal:
    details = {"type": type_name, "name": name}
    if workspace is not None:
        details["workspace"] = workspace
    return Refusal(404, "RESOURCE_NOT_FOUND", f"{type_name.capitalize()} '{name}' not found", details)


def no_such_path(request: Request) -> Refusal:
    return Refusal(404, "NOT_FOUND", "No such endpoint", {"path": request.path})


def throttled(seconds: int) -> Answer:
    message = f"Rate limit exceeded. Retry after {seconds} seconds."
    return json_answer(429, {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": message, "retry_after": seconds}})


def limit_headers(standing: Standing) -> tuple[tuple[str, str], ...]:
    """The three headers; they speak of the minute, as the page's example does."""
    return (
        ("X-RateLimit-Limit", str(standing.limit)),
        ("X-RateLimit-Remaining", str(standing.remaining)),
        ("X-RateLimit-Reset", str(standing.reset)),
    )


def read_page(request: Request, limit_max: int) -> tuple[int, int]:
    """Limit and offset. What is larger than the server allows is lowered; what is no number is refused (guesses)."""
    limit = _number(request, "limit", LIMIT_DEFAULT)
    if limit < 1:
        raise invalid("'limit' must be at least 1", field="limit")
    return min(limit, limit_max), _number(request, "offset", 0)


def page_answer(rows: Sequence[bytes], total: int, limit: int, offset: int) -> Answer:
    """A page of encoded rows."""
    meta = json_bytes({"total": total, "limit": limit, "offset": offset})
    return Answer(status=200, body=b'{"data":[' + b",".join(rows) + b'],"meta":' + meta + b"}")


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise invalid(f"'{name}' must be a whole number", field=name)
    return int(text)
