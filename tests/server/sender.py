"""Sends requests over loopback, from a process of its own: ``python -m tests.server.sender``.

Reads a JSON document from standard input: ``port``, ``rate`` a second, ``seconds``, and ``requests``, each with a
``name`` and its bytes in base64, sent in turn, each over a connection of its own. Prints what was answered, by name and
status (0: closed without an answer), how many were sent a second, and how long answers took.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from typing import Any

AT_ONCE = 100  # half of what the agent lets in, so that somebody else gets in too
PATIENCE = 20.0


class Sending(asyncio.Protocol):
    """One request and its answer."""

    def __init__(self, name: str, request: bytes, told: Counter[tuple[str, int]], took: list[float]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._request = request
        self._told = told
        self._took = took
        self._answer = b""
        self._began = time.perf_counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data

    def connection_lost(self, error: Exception | None) -> None:
        self._told[self._name, int(self._answer[9:12] or 0)] += 1
        self._took.append(time.perf_counter() - self._began)
        if not self.ended.done():
            self.ended.set_result(None)


async def send(job: dict[str, Any]) -> dict[str, Any]:
    requests = [(each["name"], base64.b64decode(each["bytes"])) for each in job["requests"]]
    told: Counter[tuple[str, int]] = Counter()
    took: list[float] = []
    loop, slots, tasks = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE), set()

    async def one(name: str, request: bytes) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                _, protocol = await loop.create_connection(
                    lambda: Sending(name, request, told, took), "127.0.0.1", job["port"]
                )
                await protocol.ended
        except (TimeoutError, OSError):
            told[name, -1] += 1
        finally:
            slots.release()

    began, sent = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < job["seconds"]:
        if sent >= now * job["rate"]:
            await asyncio.sleep(0.001)
            continue
        await (
            slots.acquire()
        )  # who is slow to answer is sent no more at once: the rate that is told is what was reached
        task = asyncio.ensure_future(one(*requests[sent % len(requests)]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        sent += 1
    seconds = time.perf_counter() - began
    await asyncio.gather(*tasks)
    took.sort()
    return {
        "sent": sent,
        "rate": sent / seconds,
        "answers": [[name, status, count] for (name, status), count in sorted(told.items())],
        "p50": took[len(took) // 2] if took else None,
        "p99": took[int(len(took) * 0.99)] if took else None,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(send(json.load(sys.stdin)))))
