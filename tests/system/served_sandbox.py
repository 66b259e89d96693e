"""The real sandbox behind a real server, in a thread of this process: each world can be looked into and exchanged."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from agent.sandbox import create_app
from tests.system.stage import TOKEN


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the main thread


class ServedSandbox:
    """``server`` is its address. :meth:`begin` puts a world behind it: an empty one, or one that a file holds."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.server = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._app: Any = None
        config = uvicorn.Config(
            self._front, interface="asgi3", loop="asyncio", lifespan="off", log_config=None, access_log=False
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)

    @property
    def world(self) -> Any:
        return self._app.state.sandbox

    def begin(self, state: Path, copy_of: Path | None = None) -> None:
        """From now on requests reach a world that keeps what it holds in ``state``."""
        if self._app is not None:
            self.world.close()
        if copy_of is not None:
            shutil.copyfile(copy_of, state)
        self._app = create_app(token=TOKEN, limits=False, state=state, ready_after=0.0)

    def live(self) -> dict[str, Any]:
        """What people and agents wrote, by kind, scope and name: secrets too, which no answer shows."""
        records = {f"{kind}/{scope}/{name}": record for (_, kind, scope, name), record in self.world.records.items()}
        return {key: record["written"] for key, record in records.items() if "written" in record}

    def __enter__(self) -> ServedSandbox:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)
        if self._app is not None:
            self.world.close()
        self._socket.close()

    async def _front(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))
