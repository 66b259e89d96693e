"""Request windows per token, counted as a platform counts them. Called once a request, before anything else is done.

The DataOS page prints both limits, three headers and the 429 body, but not how a window moves. Default: a window opens
with the first request in it and is whole again when it ends (a guess that fits "retry after 60 seconds"); `sliding`
counts the requests of the last minute and hour instead, which is stricter.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a token stands after a request. `limit`, `remaining`, `reset` speak of the first window only."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    """Epoch seconds."""
    retry_after: int
    """Seconds until a call is admitted again; 0 when this one was."""


class RateLimiter:
    def __init__(
        self, windows: Sequence[tuple[int, float]] = ((100, 60.0), (1000, 3600.0)), *, sliding: bool = False
    ) -> None:
        self.windows = tuple(windows)
        self.sliding = sliding
        self._opened: dict[str, list[list[float]]] = {}
        self._calls: dict[str, deque[float]] = {}

    def spend(self, token: str, now: float) -> Standing:
        """Count one request. A refused one is not counted (a guess)."""
        return self._spend_sliding(token, now) if self.sliding else self._spend_fixed(token, now)

    def forget(self) -> None:
        """All windows are whole again."""
        self._opened.clear()
        self._calls.clear()

    def _spend_fixed(self, token: str, now: float) -> Standing:
        windows = self._opened.setdefault(token, [[now, 0] for _ in self.windows])
        wait = 0.0
        for window, (requests, every) in zip(windows, self.windows, strict=True):
            if now >= window[0] + every or now < window[0]:
                window[0], window[1] = now, 0
            if window[1] >= requests:
                wait = max(wait, window[0] + every - now)
        if not wait:
            for window in windows:
                window[1] += 1
        limit, every = self.windows[0]
        return _standing(wait, limit, limit - int(windows[0][1]), windows[0][0] + every)

    def _spend_sliding(self, token: str, now: float) -> Standing:
        calls = self._calls.setdefault(token, deque())
        longest = max(every for _, every in self.windows)
        while calls and calls[0] <= now - longest:
            calls.popleft()
        wait = 0.0
        for requests, every in self.windows:
            if len(calls) >= requests and calls[-requests] > now - every:
                wait = max(wait, calls[-requests] + every - now)
        if not wait:
            calls.append(now)
        limit, every = self.windows[0]
        recent = [at for at in calls if at > now - every]
        return _standing(wait, limit, limit - len(recent), (recent[0] if recent else now) + every)


def _standing(wait: float, limit: int, remaining: int, reset: float) -> Standing:
    return Standing(
        allowed=not wait,
        limit=limit,
        remaining=max(0, remaining),
        reset=math.ceil(reset),
        retry_after=math.ceil(wait),
    )
