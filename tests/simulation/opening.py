"""One target of the agent as the simulations open it: the real one, all of it, but for the way to the platform."""

from __future__ import annotations

import random
from typing import Any

import httpx

from agent.apply.secrets import SecretValues
from agent.clock import Clock
from agent.config.model import Limits, TargetConfig
from agent.definitions.platform import Window
from agent.live.api import open_api
from agent.live.budget_registry import BudgetRegistry
from agent.live.connection import Connection
from agent.reconcile.target import Target
from agent.secrets import Secret
from agent.store.store import Store
from tests.platforms.folders import loaded

PLATFORM = "dataos/v1"
RESERVE = 0.2


def config_of(name: str, server: str, **words: Any) -> TargetConfig:
    """Workflows of one workspace, healed and pruned; ``words`` say otherwise."""
    usual: dict[str, Any] = {"defaults": {"workspace": "public"}, "prune": True, "drift": "heal", "limits": Limits()}
    return TargetConfig(name, PLATFORM, server=server, **(usual | words))


def open_target(
    config: TargetConfig,
    *,
    token: str,
    wire: httpx.AsyncBaseTransport,
    source: Any,
    store: Store,
    clock: Clock,
    budgets: BudgetRegistry,
    chance: random.Random,
    concurrency: int = 8,
    windows: tuple[Window, ...] | None = None,
) -> Target:
    """``wire`` is the way to the platform, ``budgets`` are those of the process that the target belongs to;
    ``windows`` stand for those of the definition."""
    platform = loaded(config.platform)
    assert config.server is not None
    connection = Connection(
        target=config.name,
        server=config.server,
        credentials={"token": lambda: Secret(token)},
        deadline_seconds=config.deadline_seconds,
        concurrency=concurrency,
        allow_http=True,
    )
    budget = budgets.budget_for(platform, connection, RESERVE, windows)
    api = open_api(platform, connection, clock=clock, budget=budget, random=chance, writable=True, transport=wire)
    secrets = SecretValues({}, store.installation_key)
    return Target(config, platform, api, source, store, secrets, clock, chance, config.server)
