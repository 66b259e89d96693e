"""The routes of webhooks. Every answer has an empty body, so that nothing can be learned by asking.

Used by ``cli/listening``. ``receivers`` says who may send what. A platform may have its secret in the address
(``/hooks/platform/TARGET/WORD``), since some can send no header; a forge signs.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.server.answers import NOT_KEPT
from agent.server.receivers import Receiver

PATHS = ("/hooks/platform/{name}", "/hooks/platform/{name}/{word}", "/hooks/git/{name}")


def hook_routes(receivers: Iterable[Receiver]) -> list[Route]:
    """One route for each sort of address, whether or not a receiver is there."""
    by_name = {receiver.name: receiver for receiver in receivers}

    def route(path: str) -> Route:
        sort = path.split("/")[2]

        async def hook(request: Request) -> Response:
            receiver = by_name.get(f"{sort}/{request.path_params['name']}")
            if receiver is None:
                return Response(status_code=404, headers=NOT_KEPT)
            status = await receiver.answer(request, request.path_params.get("word"))
            return Response(status_code=status, headers=NOT_KEPT)

        return Route(path, hook, methods=["POST"])

    return [route(path) for path in PATHS]
