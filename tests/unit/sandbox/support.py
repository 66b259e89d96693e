"""What tests need to talk to an in-process sandbox: a clock that passes at once, and a transport that streams.

httpx's own ASGI transport collects the whole answer first and stops the server when the client stops waiting. Real
servers do neither, so this one hands out each piece as it is sent and lets every request run to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
from starlette.applications import Starlette

from agent.sandbox import ConnectionLost, World, create_app

TOKEN = "test-token"
START = 1_704_067_200.0
"""2024-01-01T00:00:00Z, the moment of the page's examples."""

WORKFLOW: dict[str, Any] = {
    "name": "daily-etl",
    "version": "v1",
    "type": "workflow",
    "workspace": "analytics",
    "tags": ["production", "daily"],
    "description": "Daily ETL pipeline",
    "workflow": {
        "schedule": {"cron": "0 2 * * *"},
        "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}],
    },
}


class VirtualClock:
    """Sleeping moves it; nothing waits."""

    def __init__(self, start: float = START) -> None:
        self.at = start

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers as they are sent; a lost connection is httpx's read error."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        raw_path, _, query = request.url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        sent: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        gone = asyncio.Event()
        told = False

        async def receive() -> Mapping[str, Any]:
            nonlocal told
            if told:
                await gone.wait()
                return {"type": "http.disconnect"}
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def run() -> None:
            try:
                await self._app(scope, receive, sent.put)  # type: ignore[arg-type]
            except ConnectionLost:
                pass
            finally:
                sent.put_nowait(None)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        head = await sent.get()
        if head is None:
            await task
            raise httpx.ReadError("connection lost", request=request)
        return httpx.Response(
            head["status"], headers=head["headers"], stream=_Body(sent, gone, request), request=request
        )


class _Body(httpx.AsyncByteStream):
    def __init__(
        self, sent: asyncio.Queue[Mapping[str, Any] | None], gone: asyncio.Event, request: httpx.Request
    ) -> None:
        self._sent = sent
        self._gone = gone
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._sent.get()
            if message is None:
                raise httpx.ReadError("connection lost in the body", request=self._request)
            if message["body"]:
                yield message["body"]
            if not message.get("more_body", False):
                return

    async def aclose(self) -> None:
        self._gone.set()


class Sandbox:
    """An application, its world, its clock, and a client that is let in."""

    def __init__(self, **options: Any) -> None:
        self.clock = options.setdefault("clock", VirtualClock())
        self.app = create_app(**{"token": TOKEN, **options})
        self.world: World = self.app.state.sandbox
        self.client = self.client_with(TOKEN)

    def client_with(self, token: str, agent: str = "tests/1.0") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": agent}
        return httpx.AsyncClient(transport=SandboxTransport(self.app), base_url="http://sandbox", headers=headers)

    async def create(self, **changes: Any) -> httpx.Response:
        return await self.client.post("/v1/resources", json={**WORKFLOW, **changes})

    async def shown(self, name: str = "daily-etl", type: str = "workflow", workspace: str = "analytics") -> Any:
        answer = await self.client.get(f"/v1/resources/{type}/{name}", params={"workspace": workspace})
        assert answer.status_code == 200, answer.text
        return answer.json()


def error_code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]
