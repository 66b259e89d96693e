"""SIGTERM, SIGINT and SIGHUP of the running agent. Used by ``running``.

The first signal lets what is in flight come to its end, within a time that every supervisor grants; the second one
ends at once. Whatever is cut off then is in the journal, as after a kill.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from agent.cli.logging import flush
from agent.cli.shared import EXIT_TERMINATED
from agent.reconcile.loop import Loop

EXIT_INTERRUPTED = 130
DRAINED_SECONDS = 25.0
"""From the first signal to the end, whatever happens: supervisors kill after 30 seconds."""
AT_ONCE_SECONDS = 2.0
"""From the second one: time to close the store, and no more."""


class Stopping:
    """What the signals do. ``status`` is what the process ends with."""

    def __init__(self, loop: Loop, leave: Callable[[int], None] = os._exit) -> None:
        self.status = EXIT_TERMINATED
        self._loop = loop
        self._leave = leave
        self._signals = 0

    def install(self, hang_up: Callable[[], None]) -> None:
        """To be called within the event loop."""
        running = asyncio.get_running_loop()
        running.add_signal_handler(signal.SIGTERM, self.received, EXIT_TERMINATED)
        running.add_signal_handler(signal.SIGINT, self.received, EXIT_INTERRUPTED)
        running.add_signal_handler(signal.SIGHUP, hang_up)

    def received(self, status: int) -> None:
        self._signals += 1
        if self._signals == 1:
            self.status = status
            self._loop.stop()
        elif self._signals == 2:
            self._loop.halt()
        seconds = DRAINED_SECONDS if self._signals == 1 else AT_ONCE_SECONDS
        # A thread that waits for git or for a disk would hold the end up.
        asyncio.get_running_loop().call_later(seconds, self._left)

    def _left(self) -> None:
        flush()
        self._leave(self.status)
