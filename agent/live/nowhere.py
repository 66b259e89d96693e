"""What stands in the place of a connection where a plan asks nothing of a platform: any use of it is our mistake."""

from __future__ import annotations

from typing import Any

from agent.definitions.platform import Platform
from agent.live.api import ReadApi


class Nowhere(ReadApi):
    """Knows the platform, holds no credential, and can send nothing."""

    def __init__(self, platform: Platform, target: str) -> None:
        self.platform = platform
        self.target = target

    def __getattribute__(self, name: str) -> Any:
        if name in ("platform", "target", "close") or name.startswith("__"):
            return super().__getattribute__(name)
        raise AssertionError(f"a plan without a call asks the connection for `{name}`")

    async def close(self) -> None:
        """Nothing was opened."""
