"""Request limits of the emulated Datalinx AI: one count for the whole organization, whoever calls.

The page prints three tiers, requests a minute and a burst, and three headers. Guesses: the headers speak of the minute,
which opens with its first request; the burst is a bucket that holds so many calls and fills again at the tier's rate.
Called by :mod:`agent.sandbox.datalinx`, once a request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.sandbox.rate_limit import Standing

TIERS: Mapping[str, tuple[int, int]] = {"free": (60, 10), "pro": (300, 50), "enterprise": (1000, 1000)}
"""Requests a minute, and burst. `enterprise` is "1000+" and "custom" on the page."""


class OrganizationLimit:
    def __init__(self) -> None:
        self._opened = 0.0
        self._used = 0
        self._level: float | None = None
        self._at = 0.0

    def spend(self, tier: str, now: float) -> Standing:
        """Count one request. A refused one is not counted (a guess)."""
        requests, burst = TIERS[tier]
        if now >= self._opened + 60 or now < self._opened:
            self._opened, self._used = now, 0
        if self._level is None or now < self._at:
            self._level = float(burst)
        else:
            self._level = min(float(burst), self._level + (now - self._at) * requests / 60)
        self._at = now
        wait = 0.0
        if self._used >= requests:
            wait = self._opened + 60 - now
        if self._level < 1:
            wait = max(wait, (1 - self._level) * 60 / requests)
        if not wait:
            self._used += 1
            self._level -= 1
        return Standing(
            allowed=not wait,
            limit=requests,
            remaining=max(0, requests - self._used),
            reset=math.ceil(self._opened + 60),
            retry_after=math.ceil(wait),
        )
