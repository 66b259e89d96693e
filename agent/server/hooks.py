"""The routes of webhooks. Every answer has an empty body, so that nothing can be learned by asking.

Used by ``cli/listening``. ``receivers`` says who may send what.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.server.answers import NOT_KEPT
from agent.server.receivers import Receiver

PLATFORM_PATH = "/hooks/platform/{target}"


def hook_routes(receivers: Mapping[str, Receiver]) -> list[Route]:
    """``receivers`` of the platforms' events, by target."""

    async def hook(request: Request) -> Response:
        receiver = receivers.get(request.path_params["target"])
        if receiver is None:
            return Response(status_code=404, headers=NOT_KEPT)
        status = await receiver.answer(request, request.path_params.get("word"))
        return Response(status_code=status, headers=NOT_KEPT)

    return [Route(path, hook, methods=["POST"]) for path in (PLATFORM_PATH, PLATFORM_PATH + "/{word}")]
