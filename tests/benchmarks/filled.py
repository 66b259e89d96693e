"""Many resources that are live already, written into the state of a sandbox before it starts: no request for each.

Called by ``stage`` for sizes that a walk would create in half an hour. Bodies and marks are those of the agent itself,
so that its next pass finds its own work everywhere.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from agent.config.model import SourceConfig, TargetConfig
from agent.definitions.load import load_platform
from agent.model.identity import uid_of
from agent.plan.compose import compose_create, mark_text
from agent.plan.rules import RuleBooks
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.sandbox.app import create_app
from agent.sandbox.world import World
from agent.source import open_source


def fill(place: Path, revision: str, config: TargetConfig, token: str) -> None:
    """Everything that ``revision`` of the repository below ``place`` names, as the agent would have created it."""
    platform = load_platform("dataos/v1")
    state = place / "sandbox.db"
    source = open_source(SourceConfig(path=place / "repository"), place / "cache")
    source.fetch()
    last = LastDesired()
    desired = read_desired(source, source.resolve(revision), config, platform, None, last)
    assert not desired.problems, desired.problems[:3]
    world: World = create_app(token=token, state=state, limits=False).state.sandbox
    books = RuleBooks(platform.kinds)
    for key, resource in desired.resources.items():
        mark = platform.kinds[key.kind].mark
        text = mark_text(mark, key.target, uid_of(platform.name, key), key.name) if mark is not None else None
        body = compose_create(books.of(key), resource.read(), text)
        world.person_create(
            {"name": key.name, "type": key.kind.lower(), **body, **dict(key.scope)}, person=world.tokens[token].owner
        )
    world.close()
    source.close()
    with sqlite3.connect(state) as file:
        file.execute("DELETE FROM commits")  # nobody judges them, and a sandbox loads them all
    file.close()
