"""``datakeel sync`` from the agent's side: requests in the store are taken up, looked after and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from agent.cli.exits import status_of_reports
from agent.model.request import LookRequest
from agent.reconcile.asked import EVERY_SECONDS, Asked
from tests.unit.reconcile.at_work import AtWork, play_at_work
from tests.unit.reconcile.scene import workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta")}


class Desk:
    """A person who asks beside the loop."""

    def __init__(self, at: AtWork) -> None:
        self.at = at
        self.store = at.scene.target.store
        status = lambda report: status_of_reports([report])  # noqa: E731
        self.asked = Asked(self.store, at.scene.clock, at.loop.ask, status, lambda: set(at.loop.paces))
        at.loop.after = self.asked.after

    def ask(self, revision: str | None = None, target: str = "main") -> int:
        return self.store.ask([target], revision, "ann")[0]

    def request(self, number: int) -> LookRequest:
        return self.store.requests([number])[0]

    async def answer(self, number: int, seconds: float = 120.0) -> dict[str, Any] | None:
        """The answer, once there is one; None when there is none in time."""
        for _ in range(int(seconds / EVERY_SECONDS)):
            found = self.request(number).answer
            if found is not None:
                return dict(found)
            await self.at.pass_time(EVERY_SECONDS)
        return None


Story = Callable[[Desk], Coroutine[Any, Any, None]]


def play(folder: Path, story: Story, **words: Any) -> None:
    async def whole(at: AtWork) -> None:
        desk = Desk(at)
        await at.pass_time(5.0)
        watching = asyncio.ensure_future(desk.asked.watch())
        try:
            await story(desk)
        finally:
            watching.cancel()

    play_at_work(folder, FILES, whole, **words)


def test_a_request_is_taken_up_within_a_second_and_answered_after_one_look(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.at.pass_time(10.0)
        desk.at.sent()
        number = desk.ask()
        await desk.at.pass_time(2 * EVERY_SECONDS)
        assert desk.request(number).seen_at is not None
        answer = await desk.answer(number, seconds=5.0)
        assert answer is not None
        assert (answer["status"], answer["applied"], answer["held"], answer["failed"]) == (0, 0, 0, 0)
        assert "GET resources" in desk.at.sent(), "a person wants the lists to be read as well"
        before = len(desk.at.reports)
        await desk.at.pass_time(5.0)
        assert len(desk.at.reports) == before, "answered once, it is not looked for again"

    play(tmp_path, story, interval=3600.0)


def test_a_commit_that_nobody_has_told_the_agent_of_is_applied_and_answered(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        number = desk.ask(desk.at.scene.source.fetch().commit)
        answer = await desk.answer(number)
        assert answer is not None
        assert (answer["status"], answer["applied"]) == (0, 2)
        assert answer["revision"] == desk.at.scene.source.fetch().commit

    play(tmp_path, story, stirs=False, interval=3600.0)


def test_a_commit_that_was_overtaken_is_answered_by_the_one_after_it(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.at.commit(alpha=workflow("alpha", 2))
        older = desk.at.scene.source.fetch().commit
        desk.at.commit(alpha=workflow("alpha", 3))
        answer = await desk.answer(desk.ask(older[:8]))
        assert answer is not None
        assert answer["revision"] != older
        assert answer["status"] == 0

    play(tmp_path, story, stirs=False, interval=3600.0)


def test_a_commit_that_fails_is_answered_as_failed(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.at.scene.sandbox.faults.add({"do": "answer", "status": 400, "method": ["PUT"], "path": "*/alpha"})
        desk.at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        answer = await desk.answer(desk.ask(desk.at.scene.source.fetch().commit))
        assert answer is not None
        assert (answer["status"], answer["applied"], answer["failed"]) == (5, 1, 1)

    play(tmp_path, story, stirs=False, interval=3600.0)


def test_a_lost_answer_is_waited_for_until_it_is_known_what_became_of_it(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        fault = {"do": "answer", "status": 500, "method": ["PUT"], "path": "*/alpha", "times": 1}
        desk.at.scene.sandbox.faults.add(fault)
        desk.at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2))
        answer = await desk.answer(desk.ask(desk.at.scene.source.fetch().commit), seconds=300.0)
        assert answer is not None
        assert (answer["status"], answer["applied"], answer["held"]) == (0, 2, 0)

    play(tmp_path, story, stirs=False)


def test_a_commit_that_never_comes_is_not_answered_and_costs_one_look(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        before = len(desk.at.reports)
        number = desk.ask("0" * 40)
        assert await desk.answer(number, seconds=30.0) is None
        assert len(desk.at.reports) == before + 1
        desk.store.withdraw([number])
        assert desk.store.requests([number]) == ()

    play(tmp_path, story, interval=3600.0)


def test_requests_for_targets_of_other_agents_are_left_to_them(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        number = desk.ask(target="elsewhere")
        await desk.at.pass_time(5.0)
        assert desk.request(number).seen_at is None

    play(tmp_path, story, interval=3600.0)


def test_what_an_agent_did_not_answer_the_next_one_does(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        number = desk.ask()
        desk.store.mark_seen([number])  # by one that died of it
        answer = await desk.answer(number, seconds=5.0)
        assert answer is not None

    play(tmp_path, story, interval=3600.0)
