"""The loop reads what is oldest, a few at a time: spread over its goal, within the budget, in nobody's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.reconcile.inbox import Inbox
from agent.reconcile.loop import Loop
from agent.source import Wakeups
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow

GOAL = 300.0
INTERVAL = 60.0
NAMES = [f"flow-{number:02}" for number in range(12)]
Play = Callable[["Agent"], Coroutine[Any, Any, None]]


class Agent:
    """A loop at work over a dozen workflows."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.wakeups = Wakeups(clock=scene.clock)
        self.inbox = Inbox(scene.target.platform, {}, scene.clock, lambda: self.wakeups.poke("event"))
        self.loop = Loop([scene.target], self.wakeups, INTERVAL, inboxes={"main": self.inbox})

    async def pass_time(self, seconds: float) -> None:
        await self.scene.clock.sleep(seconds)

    def reads_since(self, mark: int) -> list[tuple[float, str]]:
        """Moment and name of each read by key."""
        return [
            (each.time, each.path.rsplit("/", 1)[-1])
            for each in self.scene.sandbox.requests[mark:]
            if each.method == "GET" and "flow-" in each.path
        ]

    def edit(self, name: str, hour: int) -> None:
        change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
        self.scene.sandbox.person_edit("workflow", name, change, workspace="public")

    def event(self, name: str) -> None:
        told = {"type": "workflow", "name": name, "workspace": "public", "status": "active"}
        self.inbox.receive(json.dumps({"event": "resource.updated", "resource": told}).encode())

    def hour(self, name: str) -> str:
        record = next(each for each in self.scene.sandbox.resources() if each["name"] == name)
        return str(record["spec"]["workflow"]["schedule"]["cron"]).split()[1]

    def status(self) -> dict[str, Any]:
        return dict(self.scene.target.store.status()["main"]["status"])


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    def played(story: Play, verify_seconds: float = GOAL) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, {f"{name}.yaml": workflow(name, 1) for name in NAMES}, verify_seconds)

        async def whole() -> None:
            agent = Agent(scene)
            running = asyncio.ensure_future(agent.loop.run())
            await agent.pass_time(120.0)
            try:
                await story(agent)
            finally:
                agent.loop.stop()
                await running

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


def test_each_object_is_read_within_the_goal_and_no_oftener_than_needed(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        mark = at.scene.mark
        await at.pass_time(3 * GOAL)
        (known,) = at.status()["knowledge"]
        assert (known["objects"], known["goal_seconds"], known["reached"]) == (len(NAMES), GOAL, True)
        assert 0 <= known["p50_seconds"] <= known["p95_seconds"] <= known["max_seconds"] <= GOAL
        assert known["max_seconds"] >= 0.6 * GOAL, "read no oftener than the goal asks for"
        assert at.status()["looking"]["list_seconds"] == INTERVAL
        reads = at.reads_since(mark)
        moments: dict[str, list[float]] = {name: [] for name in NAMES}
        for moment, name in reads:
            moments[name].append(moment)
        for name, seen in moments.items():
            assert len(seen) >= 3, name
            assert all(later - earlier <= GOAL for earlier, later in pairwise(seen)), name
        assert len(reads) <= 3 * len(NAMES) / 0.9 + 2

    play(story)


def test_reads_are_spread_and_come_in_no_burst(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        mark = at.scene.mark
        await at.pass_time(GOAL)
        moments = [moment for moment, _ in at.reads_since(mark)]
        for start in moments:
            assert sum(1 for moment in moments if start <= moment < start + 60.0) <= 4

    play(story)


def test_drift_that_nobody_told_of_is_healed_within_the_goal(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        at.edit(NAMES[7], 5)
        assert at.hour(NAMES[7]) == "5"
        mark = at.scene.mark
        await at.pass_time(GOAL)
        assert at.hour(NAMES[7]) == "1"
        writes = [each for each in at.scene.sandbox.requests[mark:] if each.method == "PUT"]
        assert len(writes) == 1
        # The others of its slice were as git says: they are read once, and not again for its sake.
        names = [name for _, name in at.reads_since(mark)]
        assert all(names.count(name) <= 2 for name in NAMES if name != NAMES[7])

    play(story)


def test_what_is_gone_is_judged_by_a_look_at_everything(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        at.scene.sandbox.person_delete("workflow", NAMES[3], workspace="public")
        await at.pass_time(GOAL)
        assert at.hour(NAMES[3]) == "1"

    play(story)


def test_with_too_small_a_budget_all_of_it_is_used_and_commits_and_events_wait_for_none_of_it(
    play: Callable[..., None],
) -> None:
    async def story(at: Agent) -> None:
        mark = at.scene.mark
        for turn, name in enumerate(NAMES[:2]):
            await at.pass_time(600.0)
            at.scene.commit(**{name: workflow(name, 6 + turn)})
            at.wakeups.poke("git")
            await at.pass_time(3.0)
            assert at.hour(name) == str(6 + turn)
            at.edit(NAMES[8 + turn], 5)
            at.event(NAMES[8 + turn])
            await at.pass_time(3.0)
            assert at.hour(NAMES[8 + turn]) == "1"
        status = at.status()
        (known,) = status["knowledge"]
        assert not known["reached"] and known["round_seconds"] > 30.0
        assert known["max_seconds"] <= 1.2 * known["round_seconds"] + INTERVAL
        assert status["looking"]["wanted_per_hour"] > status["looking"]["calls_per_hour"]
        sent = at.scene.sandbox.requests[mark:]
        assert not [each for each in sent if each.status == 429]
        # 720 of 800 usable calls an hour, and the few of two commits and two events.
        assert 0.9 * 240 <= len(sent) <= 240 + 30

    play(story, 30.0)


def test_while_the_platform_is_away_nothing_is_swept_and_lists_keep_their_pace(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        at.scene.sandbox.faults.add({"fault": "unavailable"})
        mark = at.scene.mark
        await at.pass_time(900.0)
        # A list and one read a minute, each tried three times by the connection.
        assert len(at.scene.sandbox.requests[mark:]) <= 2 * 3 * (900 / INTERVAL + 1) + 30
        at.scene.sandbox.faults.clear()
        mark = at.scene.mark
        await at.pass_time(240.0)
        assert {name for _, name in at.reads_since(mark)} == set(NAMES)

    play(story, 120.0)


def test_one_object_that_cannot_be_read_keeps_no_other_from_its_turn(play: Callable[..., None]) -> None:
    async def story(at: Agent) -> None:
        at.scene.sandbox.faults.add({"fault": "server-error", "path": f"*{NAMES[2]}*"})
        mark = at.scene.mark
        await at.pass_time(2 * GOAL)
        names = [name for _, name in at.reads_since(mark)]
        assert all(names.count(name) >= 2 for name in NAMES)
        assert names.count(NAMES[2]) <= 4 * 3, "each of its turns is three tries of the connection"

    play(story)
