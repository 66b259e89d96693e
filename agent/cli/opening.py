"""Configuration -> sources, stores, connections, targets: everything that a verb works with, opened and closed.

Used by the other modules of this folder that do something. Things are opened in the order in which their faults are
cheapest to tell: definitions, source, store, credentials.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial

from agent.apply.secrets import NamedSecrets, SecretValues
from agent.cli.options import Options, chosen
from agent.cli.output import tell
from agent.cli.reading import known_secrets, platforms_of, refuse_unknown_kinds, source_of
from agent.cli.state import state_of
from agent.clock import AgreedClock, Clock, SystemClock
from agent.config.model import Config, TargetConfig
from agent.config.settings import check_settings
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import ConfigError
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.reconcile.target import Neighbour, Neighbours, Target
from agent.reconcile.tenure import held_for_a_person
from agent.secrets import Reader, Redactor, Secret, rights_to_write
from agent.source import Source
from agent.store.holding import Sharing
from agent.store.store import Store

NOWHERE = "sqlite:////nonexistent/datakeel/none.db"
"""A store that is not there: one is kept in memory instead, and read only."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What one command works with; ``config`` has only the chosen targets."""

    config: Config
    source: Source
    store: Store
    targets: tuple[Target, ...]
    redactor: Redactor
    bench: Bench


@dataclass(frozen=True, slots=True)
class Bench:
    """What targets are made with; all of one command share it."""

    source: Source
    store: Store
    redactor: Redactor
    clock: Clock
    budgets: BudgetRegistry
    verb: str
    writable: bool
    footing: Footing | None = None
    chance: random.Random = field(default_factory=random.SystemRandom)
    opened: list[Target] = field(default_factory=list)

    async def close(self) -> None:
        """The connections of all targets that were made here."""
        for each in self.opened:
            await each.api.close()

    def made(
        self, target: TargetConfig, platform: Platform, everyone: Mapping[str, Neighbour], several: bool
    ) -> Target:
        """The target, connected to nothing yet; ``several`` agents may work at it. Raises ConfigError, for a missing
        credential too.
        """
        check_settings(target, platform)
        connection = connection_of(target, platform, self.redactor, self.verb)
        api = open_api(
            platform,
            connection,
            clock=self.clock,
            budget=self.budgets.budget_for(platform, connection, target.reserve, target.budget),
            random=self.chance,
            writable=self.writable,
            redactor=self.redactor,
        )
        made = Target(
            target,
            platform,
            api,
            self.source,
            self.store,
            secrets_of(target, self.store.installation_key, self.redactor, self.footing),
            self.clock,
            self.chance,
            connection.server or "",
            blocking=asyncio.to_thread,
            neighbours=Neighbours(everyone, target.name),
            among_several=several,
        )
        self.opened.append(made)
        return made


@dataclass(frozen=True, slots=True)
class Footing:
    """What a comparison of revisions stands on instead of what the configuration says.

    ``stateless``: the state store is not to be believed, or not there. ``follows``: whether references to secrets may
    be followed; ``known`` are fingerprints of a target's secrets that somebody else made.
    """

    source: Source
    stateless: bool = False
    follows: bool = True
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@asynccontextmanager
async def open_targets(
    config: Config, options: Options, *, writable: bool, footing: Footing | None = None, in_turns: bool = False
) -> AsyncIterator[Opened]:
    """``in_turns``: whoever asks takes the leases of targets himself; else a writer holds them from now to the end."""
    whole, config = config, chosen(config, options)
    platforms = platforms_of(config)
    refuse_unknown_kinds(options, platforms.values())
    redactor = known_secrets(config)
    async with AsyncExitStack() as stack:
        source = footing.source if footing is not None else stack.enter_context(source_of(config, options, redactor))
        if writable:
            make_state_folder(config)
        clock = AgreedClock(SystemClock()) if config.sharing.is_shared else SystemClock()
        place = NOWHERE if footing is not None and footing.stateless else state_of(config)
        store = Store.open(place, clock=clock, write=writable)
        stack.callback(store.close)
        if writable:
            _begin_to_write(store, config)
        elif config.sharing.is_shared and place != NOWHERE:
            store.agree_time()
        chance = random.SystemRandom()
        budgets = BudgetRegistry(clock, store, chance, store.installation_key, gives_way=not writable)
        stack.callback(budgets.close)
        bench = Bench(source, store, redactor, clock, budgets, options.verb, writable, footing)
        stack.push_async_callback(bench.close)
        everyone, several = everyone_of(whole), whole.sharing.replicas > 1
        targets = tuple(
            [bench.made(target, platforms[name], everyone, several) for name, target in config.targets.items()]
        )
        if writable and store.sharing is not None and not in_turns:
            await stack.enter_async_context(held_for_a_person(store, targets))
        yield Opened(config, source, store, targets, redactor, bench)


def _begin_to_write(store: Store, config: Config) -> None:
    """Alone on a file; under leases where several may share the store."""
    sharing = config.sharing
    if not sharing.is_shared:
        store.lock()
        return
    # Told apart from all others that share the store, and found again by a person: the machine and the process.
    me = f"{socket.gethostname()[:60]}/{os.getpid()}/{os.urandom(4).hex()}"
    store.share(Sharing(me, sharing.lease_seconds, sharing.lease_seconds / 3), config.targets)


def everyone_of(config: Config) -> Mapping[str, Neighbour]:
    """All targets of the configuration, chosen or not: what one of them names must not be deleted in another."""
    load = cache(partial(load_platform, extra_folders=config.schemas))
    return {name: Neighbour(target, partial(load, target.platform)) for name, target in config.targets.items()}


def server_of(target: TargetConfig, platform: Platform) -> str | None:
    """The target's own server, or that of a definition shipped in the package."""
    return target.server or (platform.server if platform.bundled else None)


def connection_of(target: TargetConfig, platform: Platform, redactor: Redactor, verb: str = "") -> Connection:
    """Where a credential may be sent: the target's own server, or that of a definition shipped in the package."""
    server = server_of(target, platform)
    if server is None:
        raise ConfigError(
            f"target {target.name} names no server",
            why=None if platform.bundled else f"{platform.api_version} is not a definition that travels with datakeel",
            fix=f"targets.{target.name}.server: https://…",
            code="config-invalid",
        )
    called = f"targets.{target.name}.credentials"
    return Connection(
        target=target.name,
        server=server,
        settings=target.settings,
        credentials={
            name: Reader(reference, warn=tell, learn=learning(f"{called}.{name}", redactor, verb))
            for name, reference in target.credentials.items()
        },
        deadline_seconds=target.deadline_seconds,
        concurrency=target.concurrency,
        ca_file=target.ca_file,
        proxy=target.proxy,
        trust_env=target.trust_env,
        allow_http=target.allow_http,
        command=verb,
    )


def learning(called: str, redactor: Redactor, verb: str) -> Callable[[Secret], None]:
    """Teaches the scrubber; in a check of a pull request it also tells of a token that could do more than look."""
    if verb != "diff" or not os.environ.get("CI"):
        return redactor.add
    told: list[Secret] = []

    def learn(secret: Secret) -> None:
        redactor.add(secret)
        if secret not in told:
            told.append(secret)
            rights = rights_to_write(secret)
            if rights:
                tell(f"{called} may do more than read ({', '.join(rights)[:200]}); a check needs a token that reads")

    return learn


def secrets_of(target: TargetConfig, key: bytes, redactor: Redactor, footing: Footing | None) -> SecretValues:
    """What manifests of this target may name; keys and certificates have several lines."""
    readers = {
        name: Reader(reference, several_lines=True, warn=tell, learn=redactor.add)
        for name, reference in target.secrets.items()
    }
    if footing is None:
        return SecretValues(readers, key, redactor.add)
    known = footing.known.get(target.name, {})
    return NamedSecrets(readers, key, redactor.add, follows=footing.follows, known=known)


def make_state_folder(config: Config) -> None:
    """The default store lies in ``.datakeel`` beside the configuration: made when needed, never committed."""
    folder = config.path.parent / ".datakeel"
    if config.state == f"sqlite:///{folder / 'state.db'}" and not folder.is_dir():
        folder.mkdir()
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
