"""What the state store tells of itself and of the agents that share it, and the word that it was set back.

Used by the verb ``doctor``. No platform is called and no lease is taken, so it may be asked beside agents at work.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from agent.cli.beside import open_beside
from agent.cli.options import Options, chosen
from agent.cli.suspending import who
from agent.clock import SystemClock
from agent.config.model import Config
from agent.reconcile import setback
from agent.secrets import mask_url
from agent.store.holding import Sharing
from agent.store.leases import Standing
from agent.store.store import Store

_HINTS_TRIED, _HINT_SECONDS = 10, 0.2


@dataclass(frozen=True, slots=True)
class TargetState:
    """``standing`` is None where no lease is kept; ``open_calls`` have no end that anybody saw.

    ``forsaken``: nobody came although it was due long ago. ``doubted``: the store was set back, and deletes are held.
    """

    name: str
    standing: Standing | None
    open_calls: int
    forsaken: bool
    doubted: bool


@dataclass(frozen=True, slots=True)
class StoreState:
    """``ahead_seconds`` is how far this machine's clock is ahead of the server's, ``hints`` whether its notifications
    are heard from here: both None where the store is a file.
    """

    place: str
    shared: bool
    ahead_seconds: float | None
    hints: bool | None
    targets: tuple[TargetState, ...]


def examine(config: Config, options: Options) -> StoreState:
    """Look, and change nothing. Raises ConfigError, StoreError, UsageError."""
    names, on_server = chosen(config, options).targets, not config.sharing.is_file
    with open_beside(config, write=on_server) as (store, clock):
        own = SystemClock().now()
        ahead = own - clock.now() if on_server else None
        standings = {each.target: each for each in store.standings()} if config.sharing.is_shared else {}
        targets = tuple(_target_state(store, config, name, standings) for name in names)
        hints = _hears(store) if on_server else None
    return StoreState(mask_url(config.state), config.sharing.is_shared, ahead, hints, targets)


def set_back(config: Config, options: Options) -> None:
    """The store has lost its newest commits: leases end, all is read again, and deletes wait for a whole look.

    Raises ConfigError, UsageError; StoreError, also when an agent has a file for its own.
    """
    names = tuple(chosen(config, options).targets)
    with open_beside(config) as (store, clock):
        _take_part(store, config)
        store.set_back(names, {setback.MEMORY: {"at": clock.now(), "who": who()}})
        if config.sharing.is_shared:
            store.hint()


def _take_part(store: Store, config: Config) -> None:
    if not config.sharing.is_shared:
        store.lock()
        return
    seconds = config.sharing.lease_seconds
    me = f"{socket.gethostname()[:60]}/{os.getpid()}/doctor"
    store.share(Sharing(me, seconds, seconds / 3), config.targets)


def _target_state(store: Store, config: Config, name: str, standings: Mapping[str, Standing]) -> TargetState:
    standing = standings.get(name)
    patience = config.sharing.lease_seconds * 4 / 3 + config.targets[name].deadline_seconds
    forsaken = standing is not None and standing.lasts <= 0 and standing.due_in < -patience
    doubted = setback.doubt_of(store.target_memory(name)) != ("", "")
    return TargetState(name, standing, len(store.open_intents(name)), forsaken, doubted)


def _hears(store: Store) -> bool:
    """Whether what one session tells is heard in another one: behind a pooler in transaction mode it is not."""
    heard = threading.Event()
    listener = store.listen(heard.set)
    if listener is None:
        return False
    try:
        for _ in range(_HINTS_TRIED):  # until the session listens
            store.hint()
            if heard.wait(_HINT_SECONDS):
                return True
        return False
    finally:
        listener.close()
