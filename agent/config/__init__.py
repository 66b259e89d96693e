"""``datakeel.yaml``: what is watched, where, with which credential and under which policy.

:func:`load_config` reads and checks everything; :func:`find_state` reads the one key that ``status`` and ``history``
need. The parts are loaded on first use, so that those two start in a few milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.config.state import CONFIG_NAME, find_config, find_state

if TYPE_CHECKING:
    from agent.config.load import load_config
    from agent.config.model import Config, Limits, SourceConfig, TargetConfig

__all__ = [
    "CONFIG_NAME",
    "Config",
    "Limits",
    "SourceConfig",
    "TargetConfig",
    "find_config",
    "find_state",
    "load_config",
]


def __getattr__(name: str) -> Any:
    if name == "load_config":
        from agent.config import load

        return load.load_config
    if name in ("Config", "Limits", "SourceConfig", "TargetConfig"):
        from agent.config import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
