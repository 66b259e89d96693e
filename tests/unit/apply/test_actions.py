"""An action is journalled before it is sent, sent once, and never sent again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.apply.actions import ActionStep, judged, named, remember_generations, run_due
from agent.apply.recover import Recovery, recover
from agent.apply.secrets import SecretValues
from agent.definitions.expressions import Expression, PathTemplate, Template
from agent.definitions.platform import ActionRule, Kind
from agent.live.actions import Subject
from agent.model.inventory import Intent
from agent.model.outcome import Result
from agent.plan.actions import DueAction
from agent.plan.rules import RuleBooks
from agent.store.store import Store
from tests.unit.live.made_up import KEY, RESOURCE, Answers, api_of, with_kind
from tests.unit.store.builders import HandClock, url_of

RUN = ActionRule(
    "run",
    "POST",
    PathTemplate("/resources/{with.type}/{name}/run"),
    body=Template({"n": "${args.n}", "spec": "${spec.version}"}),
    result=Expression("run.id"),
)
PRUNE = replace(RUN, name="prune", done=Expression("state == 'pruned'"))
DROP = replace(RUN, name="drop", method="DELETE", body=None)
KIND: Kind = replace(RESOURCE, actions={rule.name: rule for rule in (RUN, PRUNE, DROP)})
BEFORE = {"name": "daily", "status": "active", "state": "wild"}
DUE = DueAction(KEY, "run", "g1", {"n": 1})


class Platform:
    """Answers reads of one object from ``live`` and everything else by ``answer``; keeps what it saw in the journal."""

    def __init__(self, store: Store, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.live: Any = BEFORE
        self.journal: list[list[str]] = []
        self.memory: list[Any] = []
        self.sent = 0
        self._store = store
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            if self.live is None:
                return answered({"error": {"code": "RESOURCE_NOT_FOUND", "message": "no"}}, 404)
            return answered(self.live)
        self.sent += 1
        self.journal.append([each.intent.action for each in self._store.open_intents(KEY.target)])
        self.memory.append(self._store.target_memory(KEY.target).get("actions"))
        return self._answer(request)


def answered(value: Any, status: int = 200) -> httpx.Response:
    body = json.dumps(value).encode()
    return httpx.Response(status, headers={"content-type": "application/json"}, stream=httpx.ByteStream(body))


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone")


def refusal(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: answered({"error": {"code": "NO", "message": "not so"}}, status)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(url_of(tmp_path / "state.db"), clock=HandClock())
    yield store
    store.close()


SECRETS = SecretValues({}, b"k" * 32)


def step(store: Store, platform: Platform, clock: HandClock | None = None) -> ActionStep:
    numbers = itertools.count()
    api = api_of(Answers(platform), platform=with_kind(KIND))
    return ActionStep(
        api,
        store,
        clock or HandClock(),
        lambda: f"op-{next(numbers)}",
        SECRETS.fingerprint,
        pass_id="p",
        revision="c",
    )


async def recovered(store: Store, platform: Platform, after: float = 1000.0) -> dict[Any, str]:
    api = api_of(Answers(platform), platform=with_kind(KIND))
    recovery = Recovery(store, api, RuleBooks({KIND.name: KIND}), SECRETS.fingerprint, 30.0)
    return await recover(recovery, KEY.target, HandClock().now() + after)


async def test_the_intent_is_durable_before_the_first_byte_and_closed_by_the_answer(store: Store) -> None:
    platform = Platform(store, lambda request: answered({"run": {"id": 5}}))
    performed = await step(store, platform).perform(RUN, Subject(KIND, KEY), {"n": 1})
    assert (performed.result, performed.value) == (Result.DONE, 5)
    assert platform.journal == [["act:run"]]
    assert store.open_intents(KEY.target) == ()


@pytest.mark.parametrize("status", [400, 403, 409, 429])
async def test_a_refusal_closes_it_and_says_why(store: Store, status: int) -> None:
    platform = Platform(store, refusal(status))
    performed = await step(store, platform).perform(RUN, Subject(KIND, KEY), {})
    assert performed.result is Result.NOT_DONE
    assert performed.message == "action `run` was refused: not so"
    assert store.open_intents(KEY.target) == () and platform.sent == 1
    assert performed.outcome().result is Result.NOT_DONE
    assert performed.outcome().terminal is (status in (400, 403))


async def test_an_action_that_cannot_be_built_is_not_journalled(store: Store) -> None:
    platform = Platform(store, refusal(400))
    performed = await step(store, platform).perform(RUN, Subject(KIND, KEY._replace(name="..")), {})
    assert (performed.result, platform.sent, store.open_intents(KEY.target)) == (Result.NOT_DONE, 0, ())


async def test_a_lost_answer_leaves_it_open_and_nothing_sends_it_again(store: Store) -> None:
    platform = Platform(store, lost)
    performed = await step(store, platform).perform(RUN, Subject(KIND, KEY), {})
    assert performed.result is Result.UNKNOWN and "was lost" in performed.message
    for _ in range(3):
        held = await recovered(store, platform)
        assert "datakeel act Workflow/analytics/daily run --forget" in held[KEY]
    assert platform.sent == 1 and len(store.open_intents(KEY.target)) == 1


async def test_the_condition_of_the_definition_proves_it_on_an_object_that_changed(store: Store) -> None:
    platform = Platform(store, lost)
    await step(store, platform).perform(PRUNE, Subject(KIND, KEY, live=BEFORE), {})
    assert "does not show it yet" in (await recovered(store, platform))[KEY]
    platform.live = {**BEFORE, "state": "pruned"}
    assert await recovered(store, platform) == {}
    assert store.open_intents(KEY.target) == () and platform.sent == 1


async def test_a_condition_that_held_before_proves_nothing(store: Store) -> None:
    platform = Platform(store, lost)
    platform.live = {**BEFORE, "state": "pruned"}
    await step(store, platform).perform(PRUNE, Subject(KIND, KEY, live=platform.live), {})
    assert KEY in await recovered(store, platform)


@pytest.mark.parametrize(("rule", "result"), [(RUN, "not_done"), (DROP, "done")])
async def test_an_object_that_is_gone_ends_the_question_but_not_at_once(
    store: Store, rule: ActionRule, result: str
) -> None:
    platform = Platform(store, lost)
    await step(store, platform).perform(rule, Subject(KIND, KEY), {})
    platform.live = None
    assert KEY in await recovered(store, platform, after=1.0)
    assert await recovered(store, platform) == {}
    assert store.query("SELECT result FROM journal", {}) == [(result,)]


async def test_an_object_that_cannot_be_read_leaves_the_question_to_a_person() -> None:
    intent = Intent("o", "p", KEY, "act:run", "POST", "/x", "u", None, "h", None, "c", 0.0)
    api = api_of(refusal(403))
    reply = await api.get(RESOURCE, KEY)
    state, note = judged(KIND, intent, reply, False, SECRETS.fingerprint)
    assert state == "open" and "cannot be read" in note and "--forget" in note
    assert (named(intent), named(replace(intent, action="update"))) == ("action `run`", "an update")


# ---- actions of manifests


async def test_what_is_due_is_remembered_before_it_is_sent(store: Store) -> None:
    platform = Platform(store, lambda request: answered({"run": {"id": 5}}))
    store.remember_target(KEY.target, {"admitted": "c1"})
    (performed,) = await run_due(step(store, platform), [DUE], {}, lambda key: {"version": "v1"})
    assert performed.result is Result.DONE
    assert platform.memory == [{KEY.path: {"run": "g1"}}]
    assert store.target_memory(KEY.target) == {"admitted": "c1", "actions": {KEY.path: {"run": "g1"}}}


@pytest.mark.parametrize(
    ("status", "remembered"), [(400, True), (403, True), (404, True), (409, False), (429, False), (401, False)]
)
async def test_a_refusal_that_may_pass_is_tried_again_and_another_is_not(
    store: Store, status: int, remembered: bool
) -> None:
    code = "RESOURCE_NOT_FOUND" if status == 404 else "NO"
    platform = Platform(store, lambda request: answered({"error": {"code": code, "message": "not so"}}, status))
    await run_due(step(store, platform), [DUE], {}, lambda key: {})
    assert bool(store.target_memory(KEY.target)["actions"]) is remembered
    assert store.open_intents(KEY.target) == ()


async def test_a_lost_answer_stays_remembered_so_that_it_is_not_run_again(store: Store) -> None:
    await run_due(step(store, Platform(store, lost)), [DUE], {}, lambda key: {})
    assert store.target_memory(KEY.target)["actions"] == {KEY.path: {"run": "g1"}}
    assert len(store.open_intents(KEY.target)) == 1


async def test_killed_at_any_commit_it_is_either_in_doubt_or_was_never_sent(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    class Dying(Store):
        commits_left = 10**6

        def _write(self, **words: Any) -> Any:
            type(self).commits_left -= 1
            if type(self).commits_left < 0:
                raise Killed
            return super()._write(**words)

    for commits in range(4):
        url = url_of(tmp_path / f"{commits}.db")
        Dying.commits_left = 10**6
        store = Dying.open(url, clock=HandClock())
        platform = Platform(store, lambda request: answered({"run": {"id": 5}}))
        Dying.commits_left = commits
        try:
            await run_due(step(store, platform), [DUE], {}, lambda key: {})
        except Killed:
            pass
        Dying.commits_left = 10**6
        is_open = bool(store.open_intents(KEY.target))
        is_remembered = bool(store.target_memory(KEY.target).get("actions"))
        assert is_open or is_remembered or not platform.sent
        assert platform.sent == (1 if commits >= 2 else 0)
        store.close()


async def test_an_object_that_cannot_be_found_is_told_and_tried_again(store: Store) -> None:
    platform = Platform(store, refusal(400))
    platform.live = None
    due = replace(DUE, name="prune")
    (performed,) = await run_due(step(store, platform), [due], {}, lambda key: {})
    assert performed.result is Result.NOT_DONE and platform.sent == 0
    assert store.target_memory(KEY.target) == {}


def test_remembering_the_same_again_writes_nothing(store: Store) -> None:
    remember_generations(store, KEY.target, {})
    assert store.target_memory(KEY.target) == {}
