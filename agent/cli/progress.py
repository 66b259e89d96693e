"""How far a command is, for people who wait: one line that is written over on a terminal, now and then one elsewhere.

Used by verbs that read much. Says nothing with ``-q``, and nothing on standard output.
"""

from __future__ import annotations

import sys
import time

from agent.cli.output import scrubbed, tell

_EVERY_SECONDS = 30.0
_REDRAW_SECONDS = 0.1
_CLEAR = "\r\x1b[2K"


class Progress:
    """``reading 112/304 · 41 calls``; close it before the result is written."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._told_at = time.monotonic()
        self._drawn = False

    def tell(self, text: str) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        if self._quiet or now - self._told_at < (_REDRAW_SECONDS if self._terminal else _EVERY_SECONDS):
            return
        self._told_at = now
        if self._terminal:
            sys.stderr.write(f"{_CLEAR}{scrubbed(text)}")
            sys.stderr.flush()
            self._drawn = True
        else:
            tell(text)

    def close(self) -> None:
        """Take the line away again."""
        if self._drawn:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._drawn = False
