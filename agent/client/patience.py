"""A budget that a program does not wait for longer than it said. Made by ``opening``; the transport asks it.

A wait is refused before the call is sent, so that nothing is in doubt. What the platform asks for by a 429 is part of
it: the budget knows its pauses.
"""

from __future__ import annotations

from typing import Any

from agent.client.errors import RateLimitError
from agent.live.budget import Budget
from agent.live.purpose import Purpose


class Patience:
    """``budget`` as it is, but for calls whose turn is more than ``seconds`` off. ``platform`` is for the message."""

    def __init__(self, budget: Budget, seconds: float, platform: str) -> None:
        self._budget = budget
        self._seconds = seconds
        self._platform = platform

    def __getattr__(self, name: str) -> Any:
        return getattr(self._budget, name)

    async def admit(self, purpose: Purpose) -> float:
        """Raises RateLimitError, and nothing is sent."""
        self._refuse(purpose)
        return await self._budget.admit(purpose)

    async def pause_over(self, purpose: Purpose) -> None:
        """The same for a 429 that came while the call waited for a connection."""
        self._refuse(purpose)
        await self._budget.pause_over(purpose)

    def _refuse(self, purpose: Purpose) -> None:
        wait = self._budget.wait_needed(purpose)
        if wait > self._seconds:
            raise RateLimitError(
                f"the call limits of {self._platform} let the next call go in {wait:.0f} s, and wait_max is "
                f"{self._seconds:g} s; nothing was sent",
                retry_after=wait,
            )
