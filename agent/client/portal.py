"""A loop in a thread of its own, so that plain programs can use what is asynchronous. Made by ``synchronous``.

It starts with the first call, serves any number of threads, and ends with its client, or with the interpreter. A call
that is interrupted in its thread (Ctrl-C) is cancelled in the loop.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from agent.errors import UsageError

Result = TypeVar("Result")

_STOP_SECONDS = 10.0
_END = object()


class Portal:
    """``run`` may be called from any thread but that of the loop. ``at_end`` closes what was opened in the loop; it
    must not hold whoever holds this.
    """

    def __init__(self, at_end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: weakref.finalize[..., Any] | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What it returns or raises. Raises RuntimeError in the portal's own loop, which would wait for itself."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("this client blocks, and its own loop would wait for itself: use connect_async()")
        if self._closed:
            work.close()
            raise UsageError("this client is closed", fix="make another one")
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, values: AsyncGenerator[Result, None]) -> Iterator[Result]:
        """The values one by one, as the program asks for them."""
        try:
            while (value := self.run(_next(values))) is not _END:
                yield value
        finally:
            if self.is_open:
                self.run(_close(values))

    @property
    def is_open(self) -> bool:
        return not self._closed and self._loop is not None and not self._loop.is_closed()

    def close(self) -> None:
        """Close what was opened and end the thread; what still runs in it is cancelled."""
        if not self._closed:
            self._started()
            self._closed = True
            if self._ending is not None:
                self._ending()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._thread = thread = threading.Thread(
                    target=_run, args=(loop, self._at_end), name="datakeel-client", daemon=True
                )
                thread.start()
                # Not a method: the loop must not keep its client alive.
                self._ending = weakref.finalize(self, _stop, loop, thread)
            return self._loop


def _run(loop: asyncio.AbstractEventLoop, at_end: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(at_end())
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    if loop.is_closed():
        return
    loop.call_soon_threadsafe(loop.stop)
    if thread is not threading.current_thread():
        thread.join(_STOP_SECONDS)


async def _next(values: AsyncIterator[Any]) -> Any:
    return await anext(values, _END)


async def _close(values: AsyncGenerator[Any, None]) -> None:
    await values.aclose()
