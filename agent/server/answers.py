"""What holds for every answer: refusals without a body, and the headers that keep a page to itself.

Used by ``app`` and the routes. The headers say to a browser that nothing of us may be framed, guessed, kept or sent on,
and that a page of ours fetches from us and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_KEPT = {"Connection": "close"}  # who is refused, or only sends, has no use for an idle connection, nor have we

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class WithHeaders:
    """Puts them on every answer. What a route says itself, such as how long a style sheet may be kept, stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message.get("headers", ())}
                more = [pair for pair in _RAW if pair[0] not in said]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self._app(scope, receive, sending)


def header_of(scope: Scope, wanted: bytes) -> str | None:
    """The one value of a header, ``wanted`` in lower case; None when there is none, or more than one."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    return found[0] if len(found) == 1 else None


def host_of(scope: Scope) -> str:
    """The name in the `Host` header without its port; empty when there is none, or more than one."""
    return name_of((header_of(scope, b"host") or "").strip().lower())


def name_of(authority: str) -> str:
    """A name and perhaps a port, as the name: ``[::1]:8642`` is ``::1``."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


HostTest = Callable[[str], bool]
