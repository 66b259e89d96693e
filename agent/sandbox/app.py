"""The front door: reads a request to its end, plays the faults, lets the platform answer, writes the log, sends.

Plain ASGI, for a benchmark must measure the agent and not the sandbox. :func:`create_app` serves one platform at the
root, or several below their names. The same application runs in process and in :mod:`agent.sandbox.serve`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.sandbox.clock import Clock
from agent.sandbox.command_log import note_command
from agent.sandbox.control import control_routes
from agent.sandbox.datachain_studio import DataChainStudio
from agent.sandbox.datalinx import Datalinx
from agent.sandbox.dataloop import Dataloop
from agent.sandbox.dataops_live import DataOpsLive
from agent.sandbox.dataos import DataOS
from agent.sandbox.dataos_poros import DataOSPoros
from agent.sandbox.fault_effects import ON_ANSWERS, ON_REQUESTS, altered_answer, altered_request, replaced_answer
from agent.sandbox.faults import Rule
from agent.sandbox.messages import Answer, ConnectionLost, Platform, Request, split_path, split_query
from agent.sandbox.requests_log import Entry
from agent.sandbox.webhooks import Sender
from agent.sandbox.world import World

PLATFORMS: Mapping[str, Callable[[World], Platform]] = {
    "datachain-studio": DataChainStudio,
    "datalinx": Datalinx,
    "dataloop": Dataloop,
    "dataops-live": DataOpsLive,
    "dataos": DataOS,
    "dataos-poros": DataOSPoros,  # the other face of the same state
}
BODY_MAX = 4 << 20


def create_app(
    *,
    token: str,
    platform: str | Sequence[str] = "dataos",
    clock: Clock | None = None,
    seed: int = 0,
    limits: bool = True,
    state: Path | None = None,
    requests_log: Path | None = None,
    ready_after: float = 2.0,
    faults: Sequence[Rule | Mapping[str, Any]] | None = None,
    switches: Mapping[str, Any] | None = None,
    control: bool = False,
    keep: int | None = 100_000,
    send_webhook: Sender | None = None,
) -> Starlette:
    """A sandbox that `token` opens for ever. `app.state.sandbox` is its :class:`World`.

    One platform name: that API at the root. A list of them: each below `/<name>`. `control` opens `/_sandbox/…`, which
    asks for no credential. ValueError for a platform, a switch or a fault that is not known.
    """
    world = World(clock=clock, seed=seed, limits=limits, state=state, requests_log=requests_log, keep=keep)
    world.switches.change({"ready_after": ready_after, **(switches or {})})
    world.faults.add(*(faults or ()))
    names = [platform] if isinstance(platform, str) else list(platform)
    for name in names:
        if name not in PLATFORMS:
            raise ValueError(f"no platform is named {name!r}; there are {', '.join(sorted(PLATFORMS))}")
        world.platforms[name] = PLATFORMS[name](world)
    if token not in world.tokens:
        world.create_token(None, value=token)
    world.webhooks.send = send_webhook

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        world.close()

    mounted = {"": world.platforms[names[0]]} if isinstance(platform, str) else dict(world.platforms)
    app = _Sandbox(routes=control_routes(world) if control else [], lifespan=lifespan)
    app.state.sandbox = world
    app.door = _FrontDoor(app.router, world, mounted, control=control)
    return app


class _Sandbox(Starlette):
    """Starlette without its error middleware: a lost connection must not become a page that says 500."""

    door: ASGIApp

    def build_middleware_stack(self) -> ASGIApp:
        return self.door


class _FrontDoor:
    def __init__(self, router: ASGIApp, world: World, mounted: Mapping[str, Platform], *, control: bool) -> None:
        self._router = router
        self._world = world
        self._mounted = mounted
        self._root = mounted.get("")
        self._control = control
        self._number = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = scope["type"] == "websocket"
        if scope["type"] != "http" and not socket:
            await self._router(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        path = raw_path.decode("latin-1") if raw_path else scope["path"]
        if self._control and path.startswith("/_sandbox/"):
            await self._router(scope, receive, send)
            return
        request = await self._read(scope, receive, path)
        if request is None:
            return
        platform, request = self._addressed(request)
        try:
            answer = await self._answer(platform, request, scope["query_string"].decode("latin-1"))
            if socket and answer.status == 101 and answer.lines is not None:
                await send({"type": "websocket.accept"})
                await _send_lines(answer.lines, receive, _as_texts(send))
            else:
                await _send(answer, receive, _declining(send) if socket else send, self._world.clock)
        except ConnectionLost:
            abort = scope.get("sandbox.abort")
            if abort is None:
                raise
            await abort()
        finally:
            self._world.webhooks.wake()

    async def _read(self, scope: Scope, receive: Receive, path: str) -> Request | None:
        """The whole request; None when the client went away before its end. What is too long is cut, then refused."""
        body = b""
        while True:
            message = await receive()
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                return None
            if len(body) <= BODY_MAX:
                body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self._number += 1
        return Request(
            number=self._number,
            time=self._world.clock.now(),
            method=scope.get("method", "GET"),
            path=path,
            segments=split_path(path),
            query=split_query(scope["query_string"].decode("latin-1")),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            lag=self._world.switches.lag,
        )

    def _addressed(self, request: Request) -> tuple[Platform | None, Request]:
        if self._root is not None:
            return self._root, request
        platform = self._mounted.get(request.segments[0])
        return platform, request if platform is None else replace(request, segments=request.segments[1:])

    async def _answer(self, platform: Platform | None, request: Request, query: str) -> Answer:
        """The platform's answer with the faults in it; logged in any case."""
        world = self._world
        rules = world.faults.met_by(request)
        commits = len(world.commits)
        status = 0
        try:
            if platform is None:
                answer = Answer(status=404, body=b"no platform here", content_type="text/plain")
            elif not rules:
                answer = platform.answer(request)
            else:
                answer = await self._faulty(platform, request, rules)
            status = answer.status
        finally:
            made = (commit.number for commit in world.commits[commits:] if commit.request == request.number)
            entry = Entry(
                number=request.number,
                time=request.time,
                method=request.method,
                path=request.path,
                query=query,
                status=status,
                agent=request.agent,
                body=request.body.decode("utf-8", "replace"),
                commits=tuple(made),
                fault=",".join(rule.label or rule.do for rule in rules),
            )
            world.requests.add(entry)
            note_command(next((name for name, each in world.platforms.items() if each is platform), ""), entry)
        return answer

    async def _faulty(self, platform: Platform, request: Request, rules: Sequence[Rule]) -> Answer:
        sleep = self._world.clock.sleep
        for rule in rules:
            if rule.do in ON_REQUESTS:
                request = altered_request(rule, request, platform)
            elif rule.after:
                continue
            elif rule.do == "delay":
                await sleep(rule.seconds)
            elif rule.do == "reset":
                raise ConnectionLost(committed=False)
            elif rule.do == "answer":
                return replaced_answer(rule, request, platform)
        answer = platform.answer(request)
        for rule in rules:
            if rule.do in ON_ANSWERS:
                answer = altered_answer(rule, answer, platform)
            elif not rule.after:
                continue
            elif rule.do == "delay":
                await sleep(rule.seconds)
            elif rule.do == "reset":
                raise ConnectionLost(committed=True)
            elif rule.do == "answer":
                answer = replaced_answer(rule, request, platform)
        return answer


async def _send(answer: Answer, receive: Receive, send: Send, clock: Clock) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-type", answer.content_type.encode("latin-1")))
    if answer.lines is None:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.lines is not None:
        await _send_lines(answer.lines, receive, send)
        return
    body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
    if answer.drip is not None:
        size, seconds = answer.drip
        for start in range(0, len(body), size):
            await clock.sleep(seconds)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        body = b""
    if answer.cut_at is not None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        raise ConnectionLost(committed=True)
    await send({"type": "http.response.body", "body": body})


async def _send_lines(lines: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send each line as it comes, until there are no more or the client is gone."""
    gone = asyncio.ensure_future(_disconnected(receive))
    line: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait({line, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                return
            chunk = line.result()
            await send({"type": "http.response.body", "body": chunk or b"", "more_body": chunk is not None})
            if chunk is None:
                return
    finally:
        waiting = [each for each in (gone, line) if each is not None]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await lines.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


def _as_texts(send: Send) -> Send:
    """Pieces of a body become texts of a WebSocket; its end closes it."""

    async def send_text(message: Message) -> None:
        if message["body"]:
            await send({"type": "websocket.send", "text": message["body"].decode()})
        if not message["more_body"]:
            await send({"type": "websocket.close", "code": 1000})

    return send_text


def _declining(send: Send) -> Send:
    """The handshake of a WebSocket, answered like any other request."""

    async def send_answer(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_answer
