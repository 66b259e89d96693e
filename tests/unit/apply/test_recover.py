"""A create whose answer was lost, without a list: what a read does not find is not believed alone, nor early."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.apply.recover import Recovery, recover
from agent.apply.secrets import SecretValues
from agent.definitions.platform import Kind
from agent.model.identity import Key
from agent.model.inventory import Intent
from agent.plan.rules import RuleBooks
from agent.store.store import Store
from tests.unit.live.made_up import KEY, RESOURCE, Answers, VirtualClock, api_of, with_kind
from tests.unit.store.builders import HandClock, url_of

KIND = replace(RESOURCE, list=None)
DEADLINE = 30.0
"""Seconds in which a call may still land."""
CREATE = Intent("op-1", "p", KEY, "create", "POST", "/resources", "uid", None, "h", None, "c", HandClock().now())
NOTHING = (404, {"error": {"code": "RESOURCE_NOT_FOUND", "message": "no"}})
THERE = (200, {"name": "daily", "workspace": "analytics"})
REFUSED = (403, {"error": {"code": "NO", "message": "not for you"}})
AWAY = (503, {"error": {"code": "AWAY", "message": "back soon"}})


def answered(status: int, value: object) -> httpx.Response:
    body = json.dumps(value).encode()
    return httpx.Response(status, headers={"content-type": "application/json"}, stream=httpx.ByteStream(body))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[Store]:
    store = Store.open(url_of(tmp_path / "state.db"), clock=clock)
    yield store
    store.close()


async def recovered(
    store: Store, answer: Callable[[httpx.Request], httpx.Response], seconds: float, kind: Kind = KIND
) -> dict[Key, str]:
    """What is not decided so many seconds after a create was sent, whose answer was lost."""
    store.open_intent(CREATE, None, {"spec": {}})
    store.sent(KEY.target, CREATE.op_id)
    return await recovery_of(store, answer, seconds, kind)


async def recovery_of(
    store: Store, answer: Callable[[httpx.Request], httpx.Response], seconds: float, kind: Kind = KIND
) -> dict[Key, str]:
    """What is not decided so many seconds after the create was to be sent."""
    clock = VirtualClock()
    api = api_of(Answers(answer), platform=with_kind(kind), clock=clock)
    recovery = Recovery(store, api, RuleBooks({kind.name: kind}), SecretValues({}, b"k" * 32).fingerprint, DEADLINE)
    async with clock.running():
        return await recover(recovery, KEY.target, HandClock().now() + seconds)


@pytest.mark.parametrize(("seconds", "decided"), [(DEADLINE + 9.0, False), (DEADLINE + 10.0, True)])
async def test_k4_what_lands_last_of_all_is_waited_for_until_reads_show_it(
    store: Store, seconds: float, decided: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return answered(*(THERE if request.url.path.endswith("/resources") else NOTHING))

    undecided = await recovered(store, answer, seconds, replace(KIND, settle_seconds=10.0))
    assert (KEY not in undecided) == decided


@pytest.mark.row("T2")
async def test_a_call_of_a_process_that_died_is_in_doubt_from_the_first_look_on(store: Store, clock: HandClock) -> None:
    """It may have been frozen for an hour between intent and send, and have died right after."""

    def answer(request: httpx.Request) -> httpx.Response:
        return answered(*(THERE if request.url.path.endswith("/resources") else NOTHING))

    store.open_intent(CREATE, None, {"spec": {}})
    clock.time += 3600.0
    enough = DEADLINE + KIND.settle_seconds
    undecided = await recovery_of(store, answer, 3600.0)
    assert "it may still land" in undecided[KEY]
    assert "it may still land" in (await recovery_of(store, answer, 3600.0 + enough - 1.0))[KEY]
    assert await recovery_of(store, answer, 3600.0 + enough) == {}, "what was seen first is kept in the store"
    assert store.open_intents(KEY.target) == ()


@pytest.mark.parametrize(
    ("probe", "second", "told"),
    [
        pytest.param(THERE, NOTHING, None, id="agreed"),
        pytest.param(THERE, THERE, "a read finds nothing, and the next one finds it", id="disagree"),
        pytest.param(THERE, REFUSED, "a read finds nothing, and the next one told nothing: not for you", id="refused"),
        pytest.param(THERE, AWAY, "a read finds nothing, and the next one told nothing: ", id="away"),
        pytest.param(NOTHING, NOTHING, "a read finds nothing, as all do", id="blind"),
    ],
)
async def test_what_the_second_read_came_to_is_told_as_it_was(
    store: Store, probe: tuple[int, object], second: tuple[int, object], told: str | None
) -> None:
    reads: list[tuple[int, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/resources"):
            return answered(*probe)
        reads.append(second if reads else NOTHING)
        return answered(*reads[-1])

    undecided = await recovered(store, answer, 1000.0)
    assert len(store.open_intents(KEY.target)) == len(undecided) == (told is not None)
    if told is not None:
        assert told in undecided[KEY]
