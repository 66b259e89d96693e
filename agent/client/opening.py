"""Arguments of ``connect`` -> a :class:`Session`. Nothing is sent; every mistake is told before the first call.

Two ways in: a platform with what it needs, or a target of a ``datakeel.yaml``, with that file's server, credentials,
secrets and budget, and the state in which an agent beside this program keeps its ledger: each then counts the calls of
the other.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.apply.secrets import SecretValues
from agent.client.kinds import Kinds
from agent.client.session import Session
from agent.clock import AgreedClock, Clock, SystemClock
from agent.config.checks import is_loopback, normal_server
from agent.config.model import Config, TargetConfig
from agent.config.policy_words import budget_of
from agent.config.references import reference_faults, reference_of
from agent.config.settings import check_settings
from agent.definitions.extra_folders import faults_of_folders
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform, Window
from agent.errors import ConfigError, UsageError
from agent.live.api import WriteApi, open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.plan.rules import RuleBooks
from agent.secrets import Reader, Redactor, Secret
from agent.validate.findings import nearest, one_of

if TYPE_CHECKING:
    import httpx

    from agent.store.store import Store

NAME = "python"
"""The target's name where there is no target, and what the platform's own log is told that asks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of ``connect``; ``words`` are those that the definition gives a meaning to."""

    platform: str | None = None
    target: str | None = None
    config: str | os.PathLike[str] | None = None
    server: str | None = None
    schemas: Sequence[str | os.PathLike[str]] = ()
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    state: str | None = None
    budget: Sequence[Mapping[str, Any]] | str | None = None
    reserve: float = 0.2
    deadline: float = 30.0
    wait_max: float | None = 300.0
    ca_file: str | os.PathLike[str] | None = None
    proxy: str | None = None
    trust_env: bool = False
    allow_http: bool = False
    transport: httpx.AsyncBaseTransport | None = None
    words: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, platform: str | None, arguments: Mapping[str, Any]) -> Wanted:
        """From keywords as they were given; those that are no argument here are words of the definition."""
        own = {each.name for each in fields(cls)} - {"platform", "words"}
        known = {name: value for name, value in arguments.items() if name in own}
        known = {name: value for name, value in known.items() if value is not None or name == "wait_max"}
        words = {name: value for name, value in arguments.items() if name not in own}
        return cls(platform, words=words, **known)


class Asked:
    """A credential that a function yields: asked when it is first needed, and again once the platform refused it."""

    def __init__(self, ask: Callable[[], Any], learn: Callable[[Secret], None]) -> None:
        self._ask = ask
        self._learn = learn
        self._kept: Secret | None = None

    def __call__(self) -> Secret:
        if self._kept is None:
            told = self._ask()
            self._kept = told if isinstance(told, Secret) else Secret(str(told))
            self._learn(self._kept)
        return self._kept

    @property
    def waits(self) -> bool:
        """It may take long: the connection then asks in a thread of its own."""
        return self._kept is None

    def forget(self) -> None:
        self._kept = None


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
    sorted_words = _sorted(platform, wanted)
    credentials = _sources({**sorted_words["credentials"], **wanted.credentials}, redactor)
    target = TargetConfig(
        name=NAME,
        platform=platform.api_version,
        server=_server(wanted, platform),
        settings={**sorted_words["settings"], **wanted.settings},
        defaults={**sorted_words["defaults"], **wanted.defaults},
        reserve=wanted.reserve,
        budget=_windows(wanted.budget),
        deadline_seconds=wanted.deadline,
        ca_file=Path(wanted.ca_file) if wanted.ca_file is not None else None,
        proxy=wanted.proxy,
        trust_env=wanted.trust_env,
        allow_http=wanted.allow_http or _stays_here(wanted.server),
    )
    connection = _connection(target, credentials)
    secrets = _sources(wanted.secrets, redactor)
    return _session(wanted, platform, target, connection, secrets, redactor, SystemClock(), wanted.state)


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
            budget=budgets.budget_for(platform, connection, target.reserve, target.budget),
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
        wanted.wait_max,
        partial(_release, budgets, store),
    )


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


def _windows(written: Sequence[Mapping[str, Any]] | str | None) -> tuple[Window, ...] | None:
    """Call limits as a configuration writes them. Raises UsageError."""
    try:
        return budget_of(written)
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            f"budget={written!r} is not understood", fix='budget="off", or [{"requests": 300, "per": "1m"}]'
        ) from None


def _sorted(platform: Platform, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Words of the definition by what they are; None counts as not said, as of a variable that is not set."""
    places = {
        "credentials": {name for scheme in platform.auth for name in scheme.secrets},
        "settings": set(platform.settings),
        "defaults": {word.word for kind in platform.kinds.values() for word in kind.scope},
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in places}
    for word, value in wanted.words.items():
        place = next((name for name, words in places.items() if word in words), None)
        if place is None:
            known = sorted(set().union(*places.values()))
            fix = nearest(word, known) or f"{platform.api_version} knows {', '.join(known) or 'none'}"
            raise UsageError(f"connect() takes no `{word}` for {platform.api_version}", fix=fix)
        if value is not None:
            found[place][word] = value
    return found


def _sources(values: Mapping[str, Any], redactor: Redactor) -> dict[str, Callable[[], Secret]]:
    """Each as what yields it: a text, a function, or a reference as a configuration has it (``{"env": "TOKEN"}``)."""
    sources: dict[str, Callable[[], Secret]] = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            _check_reference(name, value)
            reference = reference_of(dict(value), Path.cwd(), frozenset())
            sources[name] = Reader(reference, several_lines=True, learn=redactor.add)
        elif callable(value):
            sources[name] = Asked(value, redactor.add)
        elif isinstance(value, str):
            secret = value if isinstance(value, Secret) else Secret(value)
            redactor.add(secret)
            sources[name] = partial(_itself, secret)
        else:
            raise UsageError(f"`{name}` is a {type(value).__name__}", fix="a text, a function, or {'env': 'NAME'}")
    return sources


def _check_reference(name: str, value: Mapping[str, Any]) -> None:
    fault = next(iter(reference_faults((), {name: dict(value)})), None)
    if fault is not None:
        raise ConfigError(f"`{name}`: {fault.what}", fix=fault.fix, code=fault.code)


def _itself(secret: Secret) -> Secret:
    return secret


def _no_credential(platform: Platform) -> ConfigError:
    ways: Iterable[str] = (", ".join(f"{name}=…" for name in scheme.secrets) for scheme in platform.auth)
    return ConfigError(
        f"no credential is said that {platform.api_version} can use",
        code="credential-missing",
        fix=f"connect(…, {' or '.join(ways)}); a variable that is not set counts as none",
    )
