"""The platform as the replicas see it: the real sandbox on loopback, with a log of who sent what, and when.

Every replica has a token of its own, which is how the log tells them apart; the sandbox behind knows one token only.
Moments are those of the wall clock that the database has too, since both are on this machine.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.sandbox import create_app
from agent.sandbox.rate_limit import RateLimiter
from tests.system.served_sandbox import ServedSandbox
from tests.system.stage import TOKEN

_READS = ("GET", "HEAD")


@dataclass
class Call:
    """One request: from its arrival to its answer. ``name`` is that of the object, where the request tells one."""

    replica: str
    method: str
    path: str
    name: str
    arrived: float
    answered: float = 0.0
    status: int = 0

    @property
    def writes(self) -> bool:
        return self.method not in _READS

    @property
    def target(self) -> str:
        return self.name.partition("-")[0]


class Front(ServedSandbox):
    """A sandbox that keeps a log. ``delay`` is how long an answer to a write is held back, after it was done."""

    def __init__(self, folder: Path, *, limits: bool = False) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.delay = 0.0
        self.slow = ("", 0.0)  # a target, and how long each call that names one of its objects waits
        self._folder = folder
        self._limits = limits
        self._turn = threading.Lock()

    def __enter__(self) -> Front:
        self._app = create_app(token=TOKEN, limits=self._limits, state=self._folder / "platform.db", ready_after=0.0)
        super().__enter__()
        return self

    def limit(self, requests: int, seconds: float) -> None:
        """What a token may send: this many requests in so long a time, counted strictly."""
        self.world.limits = True
        self.world.limiter = RateLimiter([(requests, seconds)], sliding=True)

    def writes(self) -> list[Call]:
        with self._turn:
            return [call for call in self.calls if call.writes]

    def crons(self) -> dict[str, str]:
        """What is live: the schedule of each workflow by name."""
        found = {}
        for key, written in self.live().items():
            found[key.rpartition("/")[2]] = written["workflow"]["schedule"]["cron"]
        return found

    async def _front(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        word, _, replica = headers.get(b"authorization", b"").partition(b"@")
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        call = Call(replica.decode(), scope["method"], scope["path"], _name(scope["path"], body), time.time())
        with self._turn:
            self.calls.append(call)
        if call.target == self.slow[0]:
            await asyncio.sleep(self.slow[1])
        scope = {**scope, "headers": [*{**headers, b"authorization": word}.items()]}

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answered(message: Any) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                if call.writes and self.delay:
                    await asyncio.sleep(self.delay)
            call.answered = time.time()
            await send(message)

        await self._app(scope, again, answered)


def _name(path: str, body: bytes) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    if "-" in last:
        return last
    try:
        return str(json.loads(body).get("name", ""))
    except (ValueError, AttributeError):
        found = [line.partition(b":")[2].strip() for line in body.splitlines() if line.startswith(b"name:")]
        return found[0].decode().strip("'\"") if found else ""
