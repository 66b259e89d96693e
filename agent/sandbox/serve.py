"""The sandbox as a process of its own: uvicorn on one address until it is told to stop.

Called by the verb `sandbox` and by tests of real processes. uvicorn, and httpx which carries webhooks, are imported
when asked for, since the in-process sandbox needs neither.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from agent.sandbox.app import create_app
from agent.sandbox.faults import Rule


def run_sandbox(
    *,
    platform: str | Sequence[str] = "dataos",
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str,
    state: Path | None = None,
    requests_log: Path | None = None,
    limits: bool = True,
    seed: int = 0,
    ready_after: float = 2.0,
    on_listening: Callable[[str], None] | None = None,
    faults: Sequence[Rule | Mapping[str, Any]] | None = None,
    switches: Mapping[str, Any] | None = None,
    control: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then return. `on_listening` gets the real address, such as
    `http://127.0.0.1:40123`, once requests are answered. OSError when the address cannot be taken."""
    app = create_app(
        token=token,
        platform=platform,
        state=state,
        requests_log=requests_log,
        limits=limits,
        seed=seed,
        ready_after=ready_after,
        faults=faults,
        switches=switches,
        control=control,
        send_webhook=_send_webhook,
    )
    world = app.state.sandbox
    serve(app, port, host=host, on_listening=on_listening, on_stop=lambda: setattr(world, "closing", True))


def serve(
    app: ASGIApp,
    port: int,
    *,
    host: str = "127.0.0.1",
    on_listening: Callable[[str], None] | None = None,
    on_stop: Callable[[], None] | None = None,
) -> None:
    """Run an application in this process until a signal; port 0 takes a free one. Call it from the main thread."""
    from agent.sandbox.server import Server

    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Accepted sockets inherit it. asyncio sets it itself only where the protocol number is given, and without it each
    # small answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

    def started() -> None:
        if on_listening is not None:
            on_listening(address)

    def stopping() -> None:
        if on_stop is not None:
            on_stop()

    with listener:
        Server(app, started, stopping).run(sockets=[listener])


async def _send_webhook(url: str, payload: bytes) -> None:
    import httpx

    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5.0, follow_redirects=False) as client:
            await client.post(url, content=payload, headers={"Content-Type": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"{url}: {error}") from error
