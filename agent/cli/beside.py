"""The store, opened beside whatever agents work with it, for verbs that ask no platform: no connection is made.

Used by ``sync``, ``suspend``, ``decide``, ``doctor`` and their like, which so start without clients of platforms.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.cli.state import state_of
from agent.clock import AgreedClock, Clock, SystemClock
from agent.config.model import Config
from agent.store.store import Store


@contextmanager
def open_beside(config: Config, *, write: bool = True) -> Iterator[tuple[Store, Clock]]:
    """The store, beside whatever agents work with it, and the time as they have it. Raises ConfigError, StoreError."""
    clock = AgreedClock(SystemClock()) if config.sharing.is_shared else SystemClock()
    store = Store.open(state_of(config), clock=clock, write=write)
    try:
        if config.sharing.is_shared:
            store.agree_time()
        yield store, clock
    finally:
        store.close()
