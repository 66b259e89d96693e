"""Arguments of ``connect`` -> a :class:`Session`. Nothing is sent; every mistake is told before the first call.

Two ways in: a platform with what it needs, or a target of a ``datakeel.yaml``, with that file's server, credentials,
secrets and budget, and the state in which an agent beside this program keeps its ledger: each then counts the calls of
the other.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from agent.apply.secrets import SecretValues
from agent.client.kinds import Kinds
from agent.client.patience import Patience
from agent.client.session import Session
from agent.client.wanted import Wanted, sorted_words, sources_of, windows_of
from agent.clock import AgreedClock, Clock, SystemClock
from agent.config.checks import is_loopback, normal_server
from agent.config.model import Config, TargetConfig
from agent.config.settings import check_settings
from agent.definitions.extra_folders import faults_of_folders
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import ConfigError, UsageError
from agent.live.api import WriteApi, open_api
from agent.live.budget import Budget
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.plan.rules import RuleBooks
from agent.secrets import Redactor, Secret
from agent.validate.findings import nearest, one_of

if TYPE_CHECKING:
    from agent.store.store import Store

NAME = "python"
"""The target's name where there is no target, and what the platform's own log is told that asks."""


def open_session(wanted: Wanted) -> Session:
    """Raises UsageError, ConfigError and DefinitionError."""
    redactor = Redactor()
    if wanted.platform is None:
        return _of_target(wanted, redactor)
    if wanted.target is not None or wanted.config is not None:
        raise UsageError("a platform and a target of a configuration exclude each other", fix="say one of them")
    folders = [Path(folder) for folder in wanted.schemas]
    fault = next(iter(faults_of_folders(folders)), None)
    if fault is not None:
        raise ConfigError(f"schemas: {folders[fault.index]} {fault.what}", why=fault.why, fix=fault.fix)
    platform = load_platform(wanted.platform, extra_folders=folders) if folders else _bundled(wanted.platform)
    said = sorted_words(platform, wanted)
    credentials = sources_of({**said["credentials"], **wanted.credentials}, redactor)
    target = TargetConfig(
        name=NAME,
        platform=platform.api_version,
        server=_server(wanted, platform),
        settings={**said["settings"], **wanted.settings},
        defaults={**said["defaults"], **wanted.defaults},
        reserve=wanted.reserve,
        budget=windows_of(wanted.budget),
        deadline_seconds=wanted.deadline,
        ca_file=Path(wanted.ca_file) if wanted.ca_file is not None else None,
        proxy=wanted.proxy,
        trust_env=wanted.trust_env,
        allow_http=wanted.allow_http or _stays_here(wanted.server),
    )
    connection = _connection(target, credentials)
    secrets = sources_of(wanted.secrets, redactor)
    state = _shared_state(wanted.state)
    return _session(wanted, platform, target, connection, secrets, redactor, SystemClock(), state)


@lru_cache(maxsize=8)
def _bundled(name: str) -> Platform:
    """What travels with the package does not change while a program runs, and many clients may be made of it."""
    return load_platform(name)


def _of_target(wanted: Wanted, redactor: Redactor) -> Session:
    """A target of a configuration, wired as the command line does."""
    from agent.cli.opening import connection_of, secrets_of
    from agent.cli.state import state_of
    from agent.config import load_config

    own: dict[str, Any] = {
        "server": wanted.server,
        "state": wanted.state,
        "schemas": wanted.schemas,
        "credentials": wanted.credentials,
    }
    own |= {
        "budget": wanted.budget,
        "settings": wanted.settings,
        "defaults": wanted.defaults,
        "secrets": wanted.secrets,
        **wanted.words,
    }
    said = [name for name, value in own.items() if value]
    if said:
        what = f"`{said[0]}` is the configuration's to say, as no platform is named here"
        raise UsageError(what, fix=f"connect('PLATFORM', {said[0]}=…), or write it into the configuration")
    path = Path(wanted.config) if wanted.config is not None else None
    config = load_config(path, os.environ, Path.cwd())
    target = config.targets[_one_target(config, wanted.target)]
    platform = load_platform(target.platform, extra_folders=config.schemas)
    connection = connection_of(target, platform, redactor, NAME)
    clock = AgreedClock(SystemClock()) if config.sharing.is_shared else SystemClock()

    def secrets_under(key: bytes) -> SecretValues:
        return secrets_of(target, key, redactor, None)

    shared = config.sharing.is_shared
    return _session(
        wanted, platform, target, connection, secrets_under, redactor, clock, state_of(config), agreed=shared
    )


def _session(
    wanted: Wanted,
    platform: Platform,
    target: TargetConfig,
    connection: Connection,
    secrets: Mapping[str, Callable[[], Secret]] | Callable[[bytes], SecretValues],
    redactor: Redactor,
    clock: Clock,
    state: str | None,
    *,
    agreed: bool = False,
) -> Session:
    check_settings(target, platform)
    store = _store(state, clock) if state is not None else None
    if store is not None and agreed:
        store.agree_time()
    key = store.installation_key if store is not None else os.urandom(32)
    chance = random.SystemRandom()
    # Beside an agent a program gives way, as every command that only looks does: what git asks for comes first.
    budgets = BudgetRegistry(clock, store, chance, key, gives_way=wanted.platform is None)
    try:
        api = open_api(
            platform,
            connection,
            clock=clock,
            budget=_patient(budgets.budget_for(platform, connection, target.reserve, target.budget), wanted, platform),
            random=chance,
            writable=True,
            transport=wanted.transport,
            redactor=redactor,
        )
    except ConfigError as error:
        _release(budgets, store)
        if error.error_code == "credential-missing" and wanted.platform is not None:
            raise _no_credential(platform) from error
        raise
    assert isinstance(api, WriteApi)
    return Session(
        platform,
        target.name,
        api,
        Kinds(platform),
        RuleBooks(platform.kinds),
        target.defaults,
        secrets(key) if callable(secrets) else SecretValues(secrets, key, redactor.add),
        redactor,
        clock,
        chance,
        partial(_release, budgets, store),
    )


def _patient(budget: Budget, wanted: Wanted, platform: Platform) -> Budget:
    if wanted.wait_max is None:
        return budget
    return cast(Budget, Patience(budget, wanted.wait_max, platform.api_version))


def _connection(target: TargetConfig, credentials: Mapping[str, Callable[[], Secret]]) -> Connection:
    return Connection(
        target=target.name,
        server=target.server,
        settings=target.settings,
        credentials=credentials,
        deadline_seconds=target.deadline_seconds,
        ca_file=target.ca_file,
        proxy=target.proxy,
        trust_env=target.trust_env,
        allow_http=target.allow_http,
        concurrency=target.concurrency,
        command=NAME,
    )


def _store(state: str, clock: Clock) -> Store:
    from agent.store.store import Store

    return Store.open(state, clock=clock, write=False)


def _shared_state(state: str | None) -> str | None:
    """Raises ConfigError for a state that is not there: it would be one in memory, and nothing would be shared."""
    if state is None:
        return None
    from agent.store.location import has_store, path_of

    path = path_of(state)
    if path is not None and not has_store(path):
        raise ConfigError(
            f"there is no state at {path}, so that nothing would be shared",
            fix="name the state that an agent, or `datakeel apply`, has made; or leave state= out",
        )
    return state


def _release(budgets: BudgetRegistry, store: Store | None) -> None:
    budgets.close()
    if store is not None:
        store.close()


def _one_target(config: Config, name: str | None) -> str:
    names = list(config.targets)
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise UsageError("which target?", fix=f"connect(target=…), {one_of(names)}")
    if name not in names:
        raise UsageError(f"the configuration has no target `{name}`", fix=nearest(name, names) or one_of(names))
    return name


def _server(wanted: Wanted, platform: Platform) -> str:
    """The server that is said, or that of a definition shipped in the package."""
    server = wanted.server or (platform.server if platform.bundled else None)
    if not server:
        raise ConfigError(
            f"{platform.api_version} has a server of its own at every installation, and none is said",
            fix="connect(…, server='https://…')",
        )
    try:
        return normal_server(server)
    except ValueError:
        return server  # told with its reason when the connection is made


def _stays_here(server: str | None) -> bool:
    try:
        return server is not None and is_loopback(urlsplit(server).hostname or "")
    except ValueError:
        return False


def _no_credential(platform: Platform) -> ConfigError:
    ways: Iterable[str] = (", ".join(f"{name}=…" for name in scheme.secrets) for scheme in platform.auth)
    return ConfigError(
        f"no credential is said that {platform.api_version} can use",
        code="credential-missing",
        fix=f"connect(…, {' or '.join(ways)}); a variable that is not set counts as none",
    )
