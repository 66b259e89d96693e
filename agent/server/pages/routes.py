"""The table of pages: each is the rendering of one document, and answers the document itself to who asks for JSON.

Called by ``cli/listening``. Reading only: nothing here changes anything, and a page shows the command that would.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from agent.errors import AgentError, StoreError, UsageError
from agent.server.pages.live import Beyond, live_route
from agent.server.pages.openapi import openapi_document

STATIC = Path(__file__).parent / "static"
DOCS = Path(__file__).parents[2] / "docs"
_BYTES_MAX = 4_000_000  # a page or a document beyond that helps nobody

Words = Mapping[str, str]
View = Callable[[Words, Words], Awaitable[dict[str, Any]]]


class Page(NamedTuple):
    """One page: where it is, the view that makes its document, and the template that shows it."""

    path: str
    view: str
    template: str


PAGES = (
    Page("/", "overview", "overview.html"),
    Page("/resources", "resources", "resources.html"),
    Page("/resources/{target}/{kind}/{name:path}", "resource", "resource.html"),
    Page("/plan", "plan", "plan.html"),
    Page("/history", "history", "history.html"),
    Page("/history/{id}", "pass", "pass.html"),
    Page("/events", "events", "events.html"),
    Page("/health", "health", "health.html"),
    Page("/docs", "docs", "docs.html"),
    Page("/docs/explain", "word", "explained.html"),
    Page("/docs/kinds/{platform}/{version}/{kind}", "kind", "explained.html"),
    Page("/docs/{name:path}", "doc", "doc.html"),
)


_ELSEWHERE = Page("", "elsewhere", "error.html")


async def _nowhere(path: Words, query: Words) -> dict[str, Any]:
    raise AgentError("there is no such page", code="not-found")


def page_routes(
    views: Mapping[str, View],
    beyond: Beyond,
    *,
    scrub: Callable[[str], str],
    stopping: Callable[[], bool] = lambda: False,
) -> list[BaseRoute]:
    """``views`` by name; ``beyond`` waits for news; ``scrub`` takes every secret that is known out of what is sent."""
    routes: list[BaseRoute] = [
        Route("/api/openapi.json", _openapi, methods=["GET"]),
        live_route("/live", beyond, stopping),
        Mount("/static", _Static(directory=STATIC)),
        Mount("/docs/files", _Static(directory=DOCS)),
    ]
    for page in PAGES:
        if page.view in views:
            answer = _answering(page, views[page.view], scrub)
            routes.append(Route(api_path(page), answer, methods=["GET"], name=f"api {page.view}"))
            routes.append(Route(page.path, answer, methods=["GET"], name=page.view))
    routes.append(Route("/{path:path}", _answering(_ELSEWHERE, _nowhere, scrub), methods=["GET"]))
    return routes


def api_path(page: Page) -> str:
    """``/api/overview``, ``/api/resources``, …: where a page's document always is."""
    return "/api/overview" if page.path == "/" else f"/api{page.path}"


def _answering(page: Page, view: View, scrub: Callable[[str], str]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        as_json = request.url.path.startswith("/api/") or _wants_json(request)
        status = 200
        try:
            document = await view(_words(request.path_params), _asked(request))
        except AgentError as error:
            status = _status_of(error)
            document = {"format": "datakeel.error/1", "error": _members(error)}
        if as_json:
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=float)
        else:
            from agent.server.pages.render import render  # Jinja2, only for who looks

            template = page.template if status == 200 else "error.html"
            text = render(template, document, page.view, request.url.path, request.url.query)
        body = scrub(text)
        if len(body) > _BYTES_MAX:
            raise HTTPException(507)
        media = "application/json" if as_json else "text/html; charset=utf-8"
        return Response(body, status, headers={"Vary": "Accept"}, media_type=media)

    return answer


def _words(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items()}


def _asked(request: Request) -> dict[str, str]:
    """The query, and the one header by which a view can tell that another site's page is what asks."""
    return {**_words(request.query_params), "from": request.headers.get("sec-fetch-site", "")}


def _wants_json(request: Request) -> bool:
    """Whether JSON is asked for, and HTML is not."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _status_of(error: AgentError) -> int:
    if isinstance(error, UsageError):
        return 400
    if isinstance(error, StoreError):
        return 503
    return 404 if error.error_code == "not-found" else 502


def _members(error: AgentError) -> dict[str, Any]:
    members = {"code": error.error_code, "message": error.what}
    return members | {word: value for word in ("got", "why", "fix") if (value := getattr(error, word)) is not None}


async def _openapi(request: Request) -> Response:
    return JSONResponse(_document())


@cache
def _document() -> dict[str, Any]:
    return openapi_document()


class _Static(StaticFiles):
    """Files of the package: fetched anew only when they changed, which their validators tell."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
