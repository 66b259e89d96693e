"""The configuration as frozen values, defaults applied, paths absolute, durations in seconds.

Built by ``config.load`` only; read by source, live, reconcile and cli. Holds references to secrets, never secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agent.errors import Where
from agent.model.alert import MARKER, TYPES
from agent.model.limits import Limits as Limits
from agent.model.rendering import NO_VARIABLES, Variables
from agent.model.window import ApplyWindow

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from agent.definitions.platform import Window
    from agent.policy.rule import Rule
    from agent.secrets import Reference

DriftPolicy = Literal["heal", "report", "off"]
AdoptPolicy = Literal["never", "ifIdentical", "ifMarked", "always"]


@dataclass(frozen=True, slots=True)
class HookConfig:
    """How webhooks prove where they come from: by the one secret that only we and they know."""

    secret: Reference


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may sign commits: files of keys, ``ssh`` as ``ssh-keygen`` reads allowed signers, ``gpg`` as it exports."""

    ssh: Path | None = None
    gpg: Path | None = None


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What is watched: exactly one of ``url``, ``path`` and ``mount``; at most one of ``branch``, ``tag``, ``commit``.

    ``mount`` is a folder that somebody else publishes, which has none of these, and no credentials.
    """

    url: str | None = None
    path: Path | None = None
    mount: Path | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    interval_seconds: float = 60.0
    credentials: Mapping[str, Reference] = field(default_factory=dict)
    known_hosts: Path | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    allow_http: bool = False
    signers: Signers | None = None  # who may sign what is followed; None: nobody has to
    hook: HookConfig | None = None


class Address(NamedTuple):
    """Where something listens; port 0 takes a free one. ``asked``: somebody wrote it, so it must be had."""

    host: str
    port: int
    asked: bool = True


PAGES = Address("127.0.0.1", 8642, asked=False)
PROBES = Address("127.0.0.1", 8643, asked=False)


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Who may look: who knows the token, or whom one of these proxies names in this header (in lower case)."""

    token: Reference | None = None
    user_header: str | None = None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The agent's own HTTP: pages and receivers at ``listen``, health and metrics at ``probes``; None: not at all.

    ``hooks`` is an address for the receivers alone, which are then nowhere else. ``hosts`` are the names by which the
    agent may be called where it listens beyond this machine; empty: any.
    """

    listen: Address | None = PAGES
    probes: Address | None = PROBES
    hooks: Address | None = None
    auth: AuthConfig | None = None
    hosts: tuple[str, ...] = ()
    metrics_open: bool = False


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """Platform + server + credential + folder + policy: the unit of work, of plan and of budget.

    ``platform`` names definition and version (``acme/v1``). ``budget`` None: the definition's windows; empty: no
    limit; else these. ``folder`` is relative to the repository, without slashes at its ends; "" is all of it.
    ``overlays`` are folders like it, whose overlays are laid over its manifests in this order.
    ``allow_http`` is also true where the server is the loopback address. ``others`` are the names of the other targets,
    None where nobody knows them. ``subject`` is whom the credential must speak for; None: whom it always spoke for.
    ``rules`` are those for every target and its own.
    """

    name: str
    platform: str
    server: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Reference] = field(default_factory=dict)
    secrets: Mapping[str, Reference] = field(default_factory=dict)
    confirmed: tuple[str, ...] = ()
    folder: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prune: bool = False
    drift: DriftPolicy = "report"
    drift_kinds: Mapping[str, DriftPolicy] = field(default_factory=dict)
    adopt: AdoptPolicy = "ifIdentical"
    limits: Limits = field(default_factory=Limits)
    windows: tuple[ApplyWindow, ...] = ()
    reserve: float = 0.2
    verify_seconds: float = 300.0
    verify_kinds: Mapping[str, float] = field(default_factory=dict)
    ready_timeout_seconds: float = 300.0
    deadline_seconds: float = 30.0
    concurrency: int = 8
    budget: tuple[Window, ...] | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    trust_env: bool = False
    allow_http: bool = False
    subject: str | None = None
    hook: HookConfig | None = None
    depends_on: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    others: Set[str] | None = None
    overlays: tuple[str, ...] = ()
    variables: Variables = NO_VARIABLES

    def goal_seconds(self, kind: str) -> float:
        """How old the knowledge of a kind's live content may become."""
        return self.verify_kinds.get(kind, self.verify_seconds)


@dataclass(frozen=True, slots=True)
class SharingConfig:
    """How many agents share a state at most, and how long the lease of a target lasts. ``is_file``: it is one file."""

    replicas: int = 1
    lease_seconds: float = 90.0
    is_file: bool = True

    @property
    def is_shared(self) -> bool:
        """Whether targets are worked at under leases: on a server always, where nothing else keeps others off."""
        return self.replicas > 1 or not self.is_file


USUAL = frozenset(TYPES) - {MARKER}
"""What a sink is told that does not say: everything but the marks of deployments."""


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Exactly one of ``url`` and ``url_from``. ``body`` None: a CloudEvents document; else what is sent instead."""

    url: str | None = None
    url_from: Reference | None = None
    secret: Reference | None = None
    token: Reference | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """Exactly one of ``webhook`` and ``chat`` (an address of apprise). ``targets`` None: all."""

    webhook: WebhookConfig | None = None
    chat: Reference | None = None
    types: frozenset[str] = USUAL
    targets: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class NotificationsConfig:
    """``patience_seconds``: how long something that may end by itself lasts before anybody is told."""

    patience_seconds: float = 300.0
    sinks: Mapping[str, SinkConfig] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. ``state`` is a database URL and may hold a password: show it through ``secrets.mask_url``.

    ``origins`` maps a pointer to the environment variable that set it, for those that tell where a value came from.
    ``variables`` are the places of those of all targets, which a target may give other values.
    """

    path: Path
    source: SourceConfig
    state: str = field(repr=False)
    schemas: tuple[Path, ...]
    targets: Mapping[str, TargetConfig]
    origins: Mapping[str, str] = field(default_factory=dict)
    server: ServerConfig = ServerConfig()
    variables: Mapping[str, Where] = field(default_factory=dict)
    snapshot_key: Reference | None = None  # what snapshots are signed with
    state_password: Reference | None = None
    sharing: SharingConfig = SharingConfig()
    notifications: NotificationsConfig = field(default_factory=NotificationsConfig)
    policy_files: tuple[Path, ...] = ()
