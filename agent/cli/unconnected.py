"""Targets without a connection, for plans that are made from git or a snapshot alone: no credential, no call.

Used by ``proposing`` and ``snapshots``. What a check has at hand may be anybody's, so that the state store is left out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from agent.cli.opening import NOWHERE, Footing, everyone_of, secrets_of, server_of
from agent.cli.options import Options, chosen
from agent.cli.reading import known_secrets, platforms_of, refuse_unknown_kinds
from agent.clock import SystemClock
from agent.config.model import Config
from agent.live.nowhere import Nowhere
from agent.reconcile.target import Neighbours, Target
from agent.source import Source
from agent.store.store import Store


@contextmanager
def unconnected(
    config: Config, options: Options, source: Source, known: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[tuple[Target, ...]]:
    """The chosen targets. ``known`` are fingerprints of each target's secrets that a snapshot tells."""
    whole, config = config, chosen(config, options)
    clock, chance = SystemClock(), random.SystemRandom()
    platforms, everyone = platforms_of(config), everyone_of(whole)
    refuse_unknown_kinds(options, platforms.values())
    redactor = known_secrets(config)
    footing = Footing(source, stateless=True, follows=False, known=known or {})
    store = Store.open(NOWHERE, clock=clock, write=False)
    try:
        yield tuple(
            Target(
                target,
                platforms[name],
                Nowhere(platforms[name], name),
                source,
                store,
                secrets_of(target, store.installation_key, redactor, footing),
                clock,
                chance,
                server_of(target, platforms[name]) or "",
                blocking=asyncio.to_thread,
                neighbours=Neighbours(everyone, name),
            )
            for name, target in config.targets.items()
        )
    finally:
        store.close()
