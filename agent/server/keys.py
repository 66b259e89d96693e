"""A secret that is read again as it is used, so that it can be changed while the agent runs.

Used by the receivers of webhooks and by ``access``. What is compared is bytes, in constant time, by whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from agent.clock import Clock
from agent.errors import AgentError

GRACE_SECONDS = 3600.0  # how long the former secret of a rotation is still good
SECRET_AGE_SECONDS = 5.0  # how long it is believed before its reference is followed again

_log = structlog.get_logger("datakeel.server")


class Secrets:
    """One secret; the one before it stays good for a grace time."""

    def __init__(
        self,
        read: Callable[[], str],
        clock: Clock,
        learn: Callable[[str], None] = lambda text: None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Reads it at once: AgentError when it cannot be had. ``read`` is called in a thread later, ``learn`` never."""
        self._read = read
        self._clock = clock
        self._learn = learn
        self._grace_seconds = grace_seconds
        text = read()
        learn(text)
        self._now = text.encode()
        self._former: tuple[bytes, float] | None = None
        self._read_at = clock.monotonic()

    async def valid(self) -> tuple[bytes, ...]:
        """What opens the door at this moment. What cannot be read now is what it was."""
        moment = self._clock.monotonic()
        if moment - self._read_at >= SECRET_AGE_SECONDS:
            self._read_at = moment
            try:
                text = await asyncio.to_thread(self._read)
            except AgentError as error:
                _log.warning("hook.secret_unreadable", message=error.what)
            else:
                self._renew(text, moment)
        if self._former is not None and moment >= self._former[1]:
            self._former = None
        return (self._now,) if self._former is None else (self._now, self._former[0])

    def _renew(self, text: str, moment: float) -> None:
        if text.encode() != self._now:
            self._learn(text)
            self._former = (self._now, moment + self._grace_seconds) if self._grace_seconds else None
            self._now = text.encode()
