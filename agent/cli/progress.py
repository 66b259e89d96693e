"""How far a command is, for people who wait: one line that is written over on a terminal, now and then one elsewhere.

Used by verbs that read much. Says nothing with ``-q``, and nothing on standard output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from agent.cli.output import scrubbed
from agent.report.escape import clean

_EVERY_SECONDS = 30.0
_REDRAW_SECONDS = 0.1
_CLEAR = "\r\x1b[2K"


class Progress:
    """``reading 112/304 · 41 calls``; close it before the result is written."""

    def __init__(self, *, quiet: bool, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._now = now
        self._told_at = now()
        self._drawn = False

    def tell(self, text: str) -> None:
        """Say it, if it is time to."""
        now = self._now()
        if self._quiet or now - self._told_at < (_REDRAW_SECONDS if self._terminal else _EVERY_SECONDS):
            return
        self._told_at = now
        if self._terminal:
            self._stream.write(f"{_CLEAR}{scrubbed(clean(text))}")
            self._stream.flush()
            self._drawn = True
        else:
            self._stream.write(f"{scrubbed(clean(text))}\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the line away again."""
        if self._drawn:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._drawn = False
