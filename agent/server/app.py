"""One application for one address, and what holds for all of its routes.

Called by ``cli/listening``. In this order: the host that is meant, who sends from where, who may look, the route. What
is refused is refused without a body.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.server.access import CHALLENGE, Access
from agent.server.answers import NOT_KEPT, HostTest, WithHeaders, header_of, host_of, name_of

NOBODY = Access()
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def create_app(
    open_routes: Sequence[BaseRoute] = (),
    routes: Sequence[BaseRoute] = (),
    *,
    access: Access = NOBODY,
    is_host: HostTest = lambda host: True,
) -> ASGIApp:
    """``open_routes`` judge for themselves who may ask; ``routes`` are for those whom ``access`` lets in.

    ``is_host`` judges the name that a request was sent to: on an address of this machine only its own names are meant,
    or a page in somebody's browser could reach it under a name of the page's own.
    """
    guarded = _routed(routes) if routes else None
    return WithHeaders(_Door(_routed(open_routes), tuple(open_routes), guarded, access, is_host))


def _routed(routes: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(routes=list(routes), exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """404 and 405 without the text that a framework would put in."""
    assert isinstance(error, HTTPException)
    return Response(status_code=error.status_code, headers=dict(error.headers or {}) | NOT_KEPT)


class _Door:
    """Decides for each request which of the two sides it is let in at, if at any."""

    def __init__(
        self,
        opened: ASGIApp,
        open_routes: tuple[BaseRoute, ...],
        guarded: ASGIApp | None,
        access: Access,
        is_host: HostTest,
    ) -> None:
        self._opened = opened
        self._open_routes = open_routes
        self._guarded = guarded
        self._access = access
        self._is_host = is_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._side(scope))(scope, receive, send)

    async def _side(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http":
            return self._opened
        if not self._is_host(host_of(scope)):
            return Response(status_code=400, headers=NOT_KEPT)
        is_open = any(route.matches(scope)[0] is not Match.NONE for route in self._open_routes)
        if is_open or self._guarded is None:
            return self._opened
        if not await self._access.allows(scope):
            return Response(status_code=401, headers=NOT_KEPT | CHALLENGE)
        if scope["method"] not in _READING and _is_from_elsewhere(scope):
            return Response(status_code=403, headers=NOT_KEPT)
        return self._guarded


def _is_from_elsewhere(scope: Scope) -> bool:
    """Whether a browser says that the page which sends this is another site's."""
    site, origin = header_of(scope, b"sec-fetch-site"), header_of(scope, b"origin")
    if site is not None and site.strip().lower() not in ("same-origin", "none"):
        return True
    return origin is not None and name_of(origin.partition("://")[2].lower()) != host_of(scope)
