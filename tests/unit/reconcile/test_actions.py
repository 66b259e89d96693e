"""The actions of manifests meet a target: run once a generation, over passes and restarts."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.apply.secrets import SecretValues
from agent.config.model import TargetConfig
from agent.definitions.expressions import PathTemplate
from agent.definitions.platform import ActionRule
from agent.model.identity import Origin, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.manifest import Lifecycle
from agent.model.outcome import Result
from agent.model.resource import Desired, Resource
from agent.reconcile.actions import run_actions
from agent.reconcile.target import Target
from agent.source import Source
from agent.store.store import Store
from tests.unit.live.made_up import KEY, RESOURCE, Answers, api_of, with_kind
from tests.unit.store.builders import HandClock, url_of

RUN = ActionRule("run", "POST", PathTemplate("/{name}/run"))
KIND = replace(RESOURCE, actions={"run": RUN, "wipe": replace(RUN, name="wipe", careful="all is lost")})
PLATFORM = with_kind(KIND)


class NoSource:
    """Nothing of git is read here."""


def answer(request: httpx.Request) -> httpx.Response:
    body = json.dumps({}).encode()
    return httpx.Response(200, headers={"content-type": "application/json"}, stream=httpx.ByteStream(body))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(url_of(tmp_path / "state.db"), clock=HandClock())
    yield store
    store.close()


def target_on(store: Store, wire: Answers) -> Target:
    source: Source = NoSource()  # type: ignore[assignment]
    config = TargetConfig(name="target", platform="madeup/v1", folder="", server=None)
    return Target(
        config,
        PLATFORM,
        api_of(wire, platform=PLATFORM),
        source,
        store,
        SecretValues({}, b"k" * 32),
        HandClock(),
        random.Random(1),
        "https://api.example.com",
    )


def desired(digest: str, actions: Any) -> Desired:
    resource = Resource(KEY, Origin("a.yaml", 1, 1), digest, Lifecycle(actions=actions), (), dict)
    return Desired("target", Revision("c" * 40), {KEY: resource})


def live(store: Store, digest: str) -> None:
    uid = uid_of(PLATFORM.name, KEY)
    store.put_rows([InventoryRow(KEY, uid, in_sync=True, health="ready", applied_digest=digest)])


async def a_pass(store: Store, wire: Answers, git: Desired, *, undecided: Any = ()) -> list[Result]:
    numbers = itertools.count(len(wire.sent))
    outcomes = await run_actions(target_on(store, wire), git, undecided, "p", lambda: f"op-{next(numbers)}", whole=True)
    return [outcome.result for outcome in outcomes]


async def test_an_action_runs_once_a_generation_over_passes(store: Store) -> None:
    wire = Answers(answer)
    git = desired("g1", {"run": {}})
    assert await a_pass(store, wire, git) == []
    live(store, "g1")
    assert await a_pass(store, wire, git, undecided=(KEY,)) == []
    assert await a_pass(store, wire, git) == [Result.DONE]
    assert await a_pass(store, wire, git) == []
    live(store, "g2")
    assert await a_pass(store, wire, desired("g2", {"run": {}})) == [Result.DONE]
    assert wire.sent == [("POST", "/v1/daily/run")] * 2
    assert store.target_memory("target")["actions"] == {KEY.path: {"run": "g2"}}


async def test_a_dangerous_one_is_told_and_not_sent(store: Store) -> None:
    wire = Answers(answer)
    live(store, "g1")
    assert await a_pass(store, wire, desired("g1", {"wipe": {}})) == [Result.HELD]
    assert wire.sent == []


async def test_what_has_left_git_is_forgotten(store: Store) -> None:
    wire = Answers(answer)
    live(store, "g1")
    await a_pass(store, wire, desired("g1", {"run": {}}))
    await a_pass(store, wire, Desired("target", Revision("c" * 40), {}))
    assert store.target_memory("target")["actions"] == {}


async def test_a_target_without_actions_writes_nothing(store: Store) -> None:
    wire = Answers(answer)
    live(store, "g1")
    assert await a_pass(store, wire, desired("g1", {})) == []
    assert store.target_memory("target") == {}
