"""Health: whether the agent is alive, and whether it is ready, each with its reasons.

Used by ``cli/listening``; what is checked is handed in. ``/livez`` is for who would restart a process that hangs, so it
says nothing about platforms: a dead platform is not a dead agent. ``/readyz`` is for who waits for the agent to work.
Answers are words for programs (``ok``, ``failed``), and ``?verbose`` adds a line for each check. They are open to
everybody, so no line says more than names, codes and where a configuration is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Check = tuple[str, bool, str]  # what is checked, whether it holds, how it is
Checks = Callable[[], Awaitable[Sequence[Check]]]


def health_routes(live: Checks, ready: Checks) -> list[Route]:
    """``/livez``, ``/readyz`` and ``/healthz``, which is another name for the latter: 200, or 503."""

    def route(path: str, checks: Checks) -> Route:
        async def answer(request: Request) -> Response:
            return _told(await checks(), "verbose" in request.query_params)

        return Route(path, answer, methods=["GET"])

    return [route("/livez", live), route("/readyz", ready), route("/healthz", ready)]


def version_route(version: str) -> Route:
    """``/version``: what runs. Not for everybody, since it tells which faults of the past may still be there."""
    from platform import python_version

    about = {"version": version, "python": python_version()}

    async def answer(request: Request) -> Response:
        return JSONResponse(about)

    return Route("/version", answer, methods=["GET"])


def _told(checks: Sequence[Check], verbose: bool) -> Response:
    holds = all(fine for _, fine, _ in checks)
    lines = [f"[{'+' if fine else '-'}] {name} {'ok' if fine else 'failed'}: {says}" for name, fine, says in checks]
    lines = [*(lines if verbose else ()), "ok" if holds else "failed"]
    return PlainTextResponse("\n".join(lines) + "\n", status_code=200 if holds else 503)
