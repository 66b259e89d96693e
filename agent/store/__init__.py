"""REMEMBER: inventory, journal, history, status, cache and budget ledger in one SQL database.

``Store`` is the one way in and is loaded on first use, so that ``agent.store.status`` (what the verbs ``status`` and
``history`` read with) starts without SQLAlchemy. No secret value is ever handed to this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.store.store import Store

__all__ = ["Store"]


def __getattr__(name: str) -> Any:
    if name == "Store":
        from agent.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
