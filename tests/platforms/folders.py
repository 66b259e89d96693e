"""The platform folders that travel with the package. Knows no platform by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from agent.definitions.load import available, load_platform
from agent.definitions.platform import Platform
from agent.validate.examples import defaults_of

__all__ = ["defaults_of", "folders", "loaded"]


def folders() -> list[tuple[str, Path]]:
    """Every bundled definition: ``acme/v1`` and its folder."""
    return sorted(available().items())


@cache
def loaded(name: str) -> Platform:
    return load_platform(name)
