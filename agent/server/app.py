"""The routes of the agent's own HTTP, and what holds for all of them: empty refusals, and the host that is meant.

Called by ``cli/listening``. Every answer to a webhook has an empty body, so that nothing can be learned by asking.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.server.receivers import Receiver

HOOK_PATH = "/hooks/platform/{target}"
_NOT_KEPT = {"Connection": "close"}  # a sender of webhooks has no use for an idle connection, nor have we


def create_app(receivers: Mapping[str, Receiver], *, is_host: Callable[[str], bool] = lambda host: True) -> ASGIApp:
    """``receivers`` by target. ``is_host`` judges the name that a request was sent to: on an address of this machine
    only its own names are meant, or a page in somebody's browser could reach it under a name of the page's own."""

    async def hook(request: Request) -> Response:
        receiver = receivers.get(request.path_params["target"])
        if receiver is None:
            return Response(status_code=404, headers=_NOT_KEPT)
        status = await receiver.answer(request, request.path_params.get("word"))
        return Response(status_code=status, headers=_NOT_KEPT)

    app = Starlette(
        routes=[
            Route(HOOK_PATH, hook, methods=["POST"]),
            Route(HOOK_PATH + "/{word}", hook, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    return _ForHost(app, is_host)


async def _refused(request: Request, error: Exception) -> Response:
    """404 and 405 without the text that a framework would put in."""
    assert isinstance(error, HTTPException)
    return Response(status_code=error.status_code, headers=dict(error.headers or {}) | _NOT_KEPT)


class _ForHost:
    """Answers 400 to whoever meant another host."""

    def __init__(self, app: ASGIApp, is_host: Callable[[str], bool]) -> None:
        self._app = app
        self._is_host = is_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Callable[[Scope, Receive, Send], Awaitable[None]] = self._app
        if scope["type"] == "http" and not self._is_host(_host_of(scope)):
            answer = Response(status_code=400, headers=_NOT_KEPT)
        await answer(scope, receive, send)


def _host_of(scope: Scope) -> str:
    """The name in the `Host` header without its port; empty when there is none, or more than one."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    host = found[0].strip().lower() if len(found) == 1 else ""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
