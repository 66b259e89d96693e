"""Answers of the emulated DataOps.live: pages with their headers, and errors.

The page prints the 401 and that a list is a bare array; the headers, the other errors and the two members `message` and
`error` are GitLab's, as the vendor's clients need them. Called by the other `dataops_live` files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from agent.sandbox.dataops_live_fields import error
from agent.sandbox.messages import Answer, Refusal, Request, json_answer

PER_PAGE_DEFAULT = 20
PER_PAGE_MAX = 100

_WORDS = {
    400: "400 Bad request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not found",
    409: "409 Conflict",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
}
_Row = TypeVar("_Row")


def instant(seconds: float) -> str:
    """A moment as GitLab prints it, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refused(refusal: Refusal) -> Answer:
    """`code` is the member that carries the words; GitLab has no codes."""
    said: Any = refusal.message if refusal.details is None else refusal.details
    body = {refusal.code: said}
    if said == "insufficient_scope":
        body["error_description"] = "The request requires higher privileges than provided by the access token."
        body["scope"] = "api"
    return json_answer(refusal.status, body)


def refusal_for(status: int) -> Refusal:
    return Refusal(status, "message", _WORDS.get(status, str(status)))


def not_found(title: str) -> Refusal:
    return Refusal(404, "message", f"404 {title} Not Found")


def no_such_path() -> Refusal:
    return Refusal(404, "error", "404 Not Found")


def not_allowed() -> Refusal:
    return Refusal(405, "error", "405 Not Allowed")


def invalid(**problems: str) -> Refusal:
    """`{"message": {"name": ["has already been taken"]}}`, with 400."""
    return Refusal(400, "message", "400 Bad request", {name: [words] for name, words in problems.items()})


def throttled(seconds: int, now: float) -> Answer:
    """Never by itself, for the page states no limit; a fault asks for it. Both headers that the clients obey."""
    headers = (
        ("Retry-After", str(seconds)),
        ("RateLimit-Remaining", "0"),
        ("RateLimit-Reset", str(int(now) + seconds)),
    )
    return json_answer(429, {"message": _WORDS[429]}, headers)


def origin(request: Request) -> str:
    """The address by which the caller came: a client warns, or stops, when a link has another one."""
    return f"{request.headers.get('x-forwarded-proto', 'http')}://{request.headers.get('host', 'localhost')}"


def page_answer(request: Request, rows: Sequence[_Row], shown: Callable[[_Row], Mapping[str, Any]]) -> Answer:
    """One page of all rows: `[]` past the last one."""
    page, size = max(1, _number(request, "page", 1)), _number(request, "per_page", PER_PAGE_DEFAULT)
    if size < 1:
        raise error("per_page has a value not allowed")
    size = min(size, PER_PAGE_MAX)
    start, last = (page - 1) * size, max(1, -(-len(rows) // size))
    links = {
        "prev": page - 1 if page > 1 else None,
        "next": page + 1 if page < last else None,
        "first": 1,
        "last": last,
    }
    headers = (
        ("X-Total", str(len(rows))),
        ("X-Total-Pages", str(last)),
        ("X-Per-Page", str(size)),
        ("X-Page", str(page)),
        ("X-Next-Page", str(links["next"] or "")),
        ("X-Prev-Page", str(links["prev"] or "")),
        ("Link", ", ".join(_link(request, name, to, size) for name, to in links.items() if to)),
    )
    return json_answer(200, [shown(row) for row in rows[start : start + size]], headers)


def _link(request: Request, name: str, page: int, size: int) -> str:
    kept = [pair for pair in request.query if pair[0] not in ("page", "per_page")]
    query = urlencode([*kept, ("page", page), ("per_page", size)])
    return f'<{origin(request)}{request.path}?{query}>; rel="{name}"'


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name)
    if not text:
        return default
    if not (text.isascii() and text.lstrip("-").isdecimal() and len(text) < 10):
        raise error(f"{name} is invalid")
    return int(text)
