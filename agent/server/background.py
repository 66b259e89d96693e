"""Steps that block, such as reading the store, in threads of their own: the loop, and with it every pass, goes on.

Handed to the routes that read. Few threads and a short queue: who asks for more than that is told to come later, and a
reader never takes a thread from git or from a pass.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from starlette.exceptions import HTTPException

THREADS = 2
WAITING_MAX = 64

Result = TypeVar("Result")


class Background:
    """``run`` gives what a step returns, and raises what it raises."""

    def __init__(self, threads: int = THREADS, waiting_max: int = WAITING_MAX) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="datakeel-http")
        self._waiting_max = waiting_max
        self._waiting = 0
        self._turn = threading.Lock()

    async def run(self, step: Callable[[], Result]) -> Result:
        """Status 503 when too much waits already."""
        with self._turn:
            if self._waiting >= self._waiting_max:
                raise HTTPException(503, headers={"Retry-After": "1"})
            self._waiting += 1
        future = self._executor.submit(step)
        # Told by the thread and not by who waits: a step goes on after the one who asked has hung up.
        future.add_done_callback(self._ended)
        return await asyncio.wrap_future(future)

    def _ended(self, future: Future[Result]) -> None:
        with self._turn:
            self._waiting -= 1

    def close(self) -> None:
        """No step begins any more; one that runs is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)
