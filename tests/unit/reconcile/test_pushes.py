"""A push says "look at git": which ones do, how often, and that one which brought nothing costs no call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.config.model import SourceConfig
from agent.reconcile.pushes import Pushes
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import workflow

FILES = {"alpha.yaml": workflow("alpha", 1), "beta.yaml": workflow("beta", 1)}
URL = "https://git.example.com/team/platform.git"
MAIN = {"ref": "refs/heads/main", "repository": {"full_name": "team/platform", "default_branch": "main"}}
PROJECT = {"ref": "refs/heads/main", "project": {"path_with_namespace": "Team/Platform", "default_branch": "main"}}


def judged(source: SourceConfig, body: Any, event: str = "push") -> str:
    """By a receiver whose wake-up is not waited for."""

    class Clock:
        def now(self) -> float:
            return 0.0

        def monotonic(self) -> float:
            return 0.0

        async def sleep(self, seconds: float) -> None:
            raise AssertionError(seconds)

    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    pushes = Pushes(source, Clock(), lambda: None)
    pushes._waits = True
    return pushes.receive(content, event)


@pytest.mark.parametrize(
    ("source", "body", "event", "word"),
    [
        ({"branch": "main"}, MAIN, "push", "accepted"),
        ({"branch": "main"}, MAIN, "", "accepted"),
        ({"branch": "main"}, MAIN, "ping", "ignored"),
        ({"branch": "main"}, MAIN, "pull_request", "ignored"),
        ({"branch": "main"}, PROJECT, "Push Hook", "accepted"),
        ({"branch": "main"}, PROJECT | {"object_kind": "push"}, "System Hook", "accepted"),
        ({"branch": "main"}, {"object_kind": "user_create"}, "System Hook", "ignored"),
        ({"branch": "main"}, MAIN | {"ref": "refs/heads/other"}, "push", "ignored"),
        ({"branch": "main"}, MAIN | {"ref": "refs/tags/main"}, "push", "ignored"),
        ({"branch": "main"}, MAIN | {"repository": {"full_name": "team/else"}}, "push", "ignored"),
        ({"branch": "main"}, MAIN | {"repository": {"full_name": "xteam/platform"}}, "push", "ignored"),
        ({"branch": "main"}, MAIN | {"repository": None}, "push", "accepted"),
        ({"branch": "main"}, MAIN | {"repository": {"full_name": 7}}, "push", "accepted"),
        ({"tag": "v1"}, MAIN | {"ref": "refs/tags/v1"}, "push", "accepted"),
        ({"tag": "v1"}, MAIN, "push", "ignored"),
        ({"commit": "a" * 40}, MAIN, "push", "ignored"),
        ({}, MAIN, "push", "accepted"),
        ({}, MAIN | {"ref": "refs/heads/other"}, "push", "ignored"),
        ({}, {"ref": "refs/heads/other"}, "push", "accepted"),
        ({}, {}, "", "accepted"),
        ({}, {"push": {"changes": []}}, "repo:push", "accepted"),
        ({}, {}, "push", "malformed"),
        ({}, {"ref": 5}, "push", "malformed"),
        ({}, {"ref": 5}, "", "malformed"),
        ({}, None, "push", "malformed"),
        ({}, [], "push", "malformed"),
        ({}, b"{", "push", "malformed"),
        ({}, b"[" * 10_000 + b"]" * 10_000, "push", "malformed"),
        ({}, b'{"ref": "refs/heads/main", "ref": "refs/heads/main"}', "push", "malformed"),
        ({}, b"\xff", "push", "malformed"),
    ],
)
def test_what_is_followed_is_looked_at(source: dict[str, str], body: Any, event: str, word: str) -> None:
    assert judged(SourceConfig(url=URL, **source), body, event) == word


def test_a_repository_on_this_machine_has_no_name_to_compare() -> None:
    assert judged(SourceConfig(path=Path(), branch="main"), MAIN) == "accepted"
    assert judged(SourceConfig(url="ssh://git@git.example.com/mirrors/team/platform"), MAIN) == "accepted"


def pushes_of(at: AtWork) -> Pushes:
    return Pushes(SourceConfig(url=URL, branch="main"), at.scene.clock, lambda: at.wakeups.poke("push"))


def test_a_push_is_acted_on_at_once(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        at.sent()
        at.commit(alpha=workflow("alpha", 2))
        assert pushes_of(at).receive(json.dumps(MAIN).encode(), "push") == "accepted"
        await at.pass_time(0.5)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, FILES, story, stirs=False)


def test_a_push_that_brings_nothing_costs_a_look_at_git_and_no_pass(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        pushes = pushes_of(at)
        await at.pass_time(2.5 * INTERVAL)
        at.sent()
        reports, fetches = len(at.reports), at.scene.target.heads.fetches["fetched"]
        body = json.dumps(MAIN).encode()
        for _ in range(100):  # a hundred a second for ten seconds
            for _ in range(10):
                pushes.receive(body, "push")
            await at.pass_time(0.1)
        assert at.sent() == [] and len(at.reports) == reports
        assert 8 <= at.scene.target.heads.fetches["fetched"] - fetches <= 11, "one a second"
        assert pushes.counts == {"accepted": 1000}
        assert at.loop.tally.wakeups["push"] <= 11

    play_at_work(tmp_path, FILES, story, stirs=False)


def test_a_push_amid_a_storm_is_still_acted_on_within_its_second(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        pushes = pushes_of(at)
        await at.pass_time(2.5 * INTERVAL)
        at.sent()
        body = json.dumps(MAIN).encode()
        for tenth in range(30):
            pushes.receive(body, "push")
            if tenth == 15:
                at.commit(beta=workflow("beta", 2))
            await at.pass_time(0.1)
        assert at.writes() == ["PUT beta"]

    play_at_work(tmp_path, FILES, story, stirs=False)


def test_a_source_that_could_never_be_read_is_tried_when_a_push_comes(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(3600.0)
        assert not at.scene.target.last.desired
        at.scene.target.blocking = blocking[0]
        pushes_of(at).receive(json.dumps(MAIN).encode(), "push")
        await at.pass_time(1.5)
        assert at.scene.target.last.desired is not None

    blocking: list[Any] = []

    def prepare(scene: Any) -> None:
        from agent.errors import SourceError

        blocking.append(scene.target.blocking)

        async def fails(step: Any) -> Any:
            raise SourceError("the repository cannot be reached")

        scene.target.blocking = fails

    play_at_work(tmp_path, FILES, story, stirs=False, prepare=prepare)
