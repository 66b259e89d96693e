"""The last lines of the agent's own log, kept for the page: as they were printed, scrubbed and escaped.

Fed by ``cli/logging``, from any thread. Every change that a page shows is told by a line, so a new line is also the
sign to look again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

LINES_MAX = 1000


class Tail:
    """A ring of lines, each with a number that grows. ``waiters`` are told in their own loops."""

    def __init__(self, lines_max: int = LINES_MAX) -> None:
        self._lines: deque[tuple[int, dict[str, Any]]] = deque(maxlen=lines_max)
        self._turn = threading.Lock()
        self._number = 0
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def take(self, line: Mapping[str, Any]) -> None:
        """Keep a line: JSON values, already safe to show."""
        with self._turn:
            self._number += 1
            self._lines.append((self._number, dict(line)))
            waiters = tuple(self._waiters)
        for loop, event in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    @property
    def number(self) -> int:
        """That of the newest line; 0 before the first."""
        return self._number

    def lines(self) -> list[tuple[int, dict[str, Any]]]:
        """Oldest first."""
        with self._turn:
            return list(self._lines)

    async def beyond(self, number: int, seconds: float) -> int:
        """Wait until there is a line after ``number``, or so long; the number of the newest."""
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with self._turn:
            if self._number > number:
                return self._number
            self._waiters.add(waiter)
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            with self._turn:
                self._waiters.discard(waiter)
        return self._number
