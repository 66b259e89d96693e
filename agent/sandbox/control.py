"""`/_sandbox/…`: switches, faults, commits and a person's clicks over HTTP, for tests of real processes.

Open only where `create_app(control=True)` asks for it, without a credential: it belongs on loopback. None of it is in
the request log, under the limits, or subject to faults.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.sandbox.messages import Refusal
from agent.sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(world: World) -> list[Route]:
    """Routes over one world; each wrong request answers 400 with a sentence."""

    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            world.faults.replace(_list(await _body(request)))
        elif request.method == "POST":
            world.faults.add(*_list(await _body(request)))
        elif request.method == "DELETE":
            world.faults.clear()
        return JSONResponse(
            {
                "faults": [asdict(rule) for rule in world.faults.rules],
                "played": [asdict(each) for each in world.faults.played],
            }
        )

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            world.switches.change(_mapping(await _body(request)))
        return JSONResponse(world.switches.shown())

    async def commits(request: Request) -> Response:
        after = _after(request)
        return JSONResponse([asdict(commit) for commit in world.commits[after:]])

    async def requests(request: Request) -> Response:
        after = _after(request)
        return JSONResponse([asdict(entry) for entry in world.requests if entry.number > after])

    async def tokens(request: Request) -> Response:
        asked = _mapping(await _body(request))
        unknown = set(asked) - {"duration", "owner", "scopes", "workspaces", "value"}
        if unknown:
            raise ValueError(f"a token has no {', '.join(sorted(unknown))}")
        for name in ("scopes", "workspaces"):
            if name in asked and asked[name] is not None:
                asked[name] = tuple(asked[name])
        return JSONResponse(asdict(world.create_token(**asked)), status_code=201)

    async def person(request: Request) -> Response:
        return await _click(world, request)

    return [
        Route("/_sandbox/faults", _strict(faults), methods=["GET", "PUT", "POST", "DELETE"]),
        Route("/_sandbox/switches", _strict(switches), methods=["GET", "PUT"]),
        Route("/_sandbox/commits", _strict(commits), methods=["GET"]),
        Route("/_sandbox/requests", _strict(requests), methods=["GET"]),
        Route("/_sandbox/tokens", _strict(tokens), methods=["POST"]),
        Route("/_sandbox/person", _strict(person), methods=["POST"]),
    ]


async def _click(world: World, request: Request) -> Response:
    """A person creates, edits or deletes."""
    asked = _mapping(await _body(request))
    does = asked.pop("does", None)
    clicks: dict[str, Callable[..., Any]] = {
        "create": world.person_create,
        "edit": world.person_edit,
        "delete": world.person_delete,
    }
    if does not in clicks:
        raise ValueError("a person `does` create, edit or delete")
    try:
        shown = clicks[does](**asked)
    except TypeError as error:
        raise ValueError(str(error)) from error
    world.webhooks.wake()
    return JSONResponse(shown)


def _strict(endpoint: Endpoint) -> Endpoint:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as refusal:
            return JSONResponse({"error": refusal.message, "code": refusal.code}, status_code=refusal.status)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return answered


async def _body(request: Request) -> Any:
    return json.loads(await request.body())


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("send a JSON list of mappings")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("send a JSON mapping")
    return value


def _after(request: Request) -> int:
    """`?after=N`: what comes later than number N."""
    text = request.query_params.get("after", "0")
    if not text.isdecimal():
        raise ValueError("`after` is a number")
    return int(text)
