"""One target, assembled: everything that a pass over it stands on. Built by ``cli/wiring``, used by ``once``."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.config.model import TargetConfig
from agent.definitions.platform import Kind, Platform
from agent.json_schema import Schema
from agent.live.api import ReadApi
from agent.live.calm import Calm
from agent.model.apart import Apart
from agent.model.identity import Revision
from agent.model.window import OPEN
from agent.plan.policy import Policy
from agent.plan.rules import RuleBooks
from agent.reconcile.heads import Heads
from agent.reconcile.hurry import Fresh
from agent.reconcile.jumps import Moments
from agent.reconcile.last import LastDesired
from agent.reconcile.rules import judge_of
from agent.reconcile.schedule import Rhythm
from agent.source import Source
from agent.store.store import Store
from agent.windows import closed_at

Result = TypeVar("Result")


async def inline(step: Callable[[], Result]) -> Result:
    """Run a blocking step where it stands: what the simulation does."""
    return step()


@dataclass(slots=True)
class Neighbour:
    """Another target of the configuration, whether or not it is worked at: it has manifests, and rows in the store."""

    config: TargetConfig
    load: Callable[[], Platform]  # read only when its manifests matter
    last: LastDesired = field(default_factory=LastDesired)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def platform(self) -> Platform:
        return self.load()

    def fingerprint(self) -> Mapping[str, Any]:
        """As that of a target; None for the server where only the definition names it."""
        return _fingerprint(self.config.platform, self.config.server, self.config)


class Neighbours:
    """All targets of a configuration but one. What git says of each is read once, whoever of them asks.

    ``everyone`` is the same for all of them: a copy for each would grow with the square of their number.
    """

    __slots__ = ("_but", "_everyone")

    def __init__(self, everyone: Mapping[str, Neighbour], but: str) -> None:
        self._everyone, self._but = everyone, but

    def __iter__(self) -> Iterator[Neighbour]:
        return (each for name, each in self._everyone.items() if name != self._but)


@dataclass(slots=True)
class Target:
    """``types`` caches the compiled schema of each kind; ``blocking`` runs git where it does not stop the loop."""

    config: TargetConfig
    platform: Platform
    api: ReadApi
    source: Source
    store: Store
    secrets: SecretValues
    clock: Clock
    random: random.Random
    server: str
    blocking: Callable[[Callable[[], Any]], Awaitable[Any]] = inline
    last: LastDesired = field(default_factory=LastDesired)
    neighbours: Iterable[Neighbour] = ()
    among_several: bool = False  # other agents may work at this target, each in its turn
    heads: Heads = field(default_factory=Heads)
    subject: str | None = None  # whom the credential speaks for, as it is kept
    walking: str | None = None  # the commit of the pass under way
    listed_at: float | None = None  # on the monotonic clock: when all lists were last asked for, whatever came of it
    secrets_seen: Mapping[str, str] = field(default_factory=dict)  # fingerprints that all that is applied has
    list_calls: int = 0  # what that cost
    blocked: frozenset[Any] = frozenset()  # what the last look had to wait for in other targets
    fresh: Fresh = field(default_factory=Fresh)
    moments: Moments = field(default_factory=Moments)
    rhythm: Rhythm | None = None  # of the loop that looks around; a single run has none
    twins: tuple[Any, TargetConfig, Sequence[Neighbour]] | None = None  # see ``neighbours``
    apart: Apart = field(default_factory=Apart)
    calm: Calm = field(default_factory=Calm)
    _types: dict[str, Schema] = field(default_factory=dict)
    _books: RuleBooks | None = None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def books(self) -> RuleBooks:
        if self._books is None:
            self._books = RuleBooks(self.platform.kinds)
        return self._books

    def types(self, kind: Kind) -> Schema | None:
        if kind.schema is None:
            return None
        if kind.name not in self._types:
            self._types[kind.name] = Schema(kind.schema, kind.schema_path)
        return self._types[kind.name]

    def policy(
        self,
        revision: Revision,
        *,
        careful: bool,
        confirm_deletes: int | None = None,
        confirm_changes: int | None = None,
        ignore_windows: bool = False,
    ) -> Policy:
        config = self.config
        return Policy(
            prune=config.prune,
            drift=config.drift,
            drift_kinds=config.drift_kinds,
            adopt=config.adopt,
            limits=config.limits,
            confirm_deletes=confirm_deletes,
            confirm_changes=confirm_changes,
            confirmed=frozenset(config.confirmed),
            careful=careful,
            suspended=self.store.suspensions(self.name),
            closed=OPEN if ignore_windows else closed_at(config.windows, self.clock.now()),
            judge=judge_of(config, self.source, revision),
        )

    def begin_anew(self) -> None:
        """Another agent has worked here since: what this one remembers of live, and of its own passes, may be wrong.

        What git says stays: it is known by its content.
        """
        self.fresh, self.heads, self.calm = Fresh(), Heads(), Calm()
        self.listed_at, self.walking, self.moments = None, None, Moments()
        self.secrets_seen, self.blocked, self.list_calls = {}, frozenset(), 0

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def fingerprint(self) -> Mapping[str, Any]:
        """What tells one live system from another; a change against the inventory stops the target."""
        return _fingerprint(self.platform.api_version, self.server, self.config)


def _fingerprint(platform: str, server: str | None, config: TargetConfig) -> Mapping[str, Any]:
    return {"platform": platform, "server": server, "settings": dict(config.settings)}
