"""An event leads to what it names and nothing further; whatever it says, only what was read decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Report
from agent.reconcile.inbox import Inbox
from agent.reconcile.loop import Loop
from agent.source import Wakeups
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow

INTERVAL = 3600.0
FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")}

HANDMADE = {
    "name": "handmade",
    "version": "v1",
    "type": "workflow",
    "workspace": "public",
    "workflow": {"schedule": {"cron": "0 0 * * *"}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]},
}

Play = Callable[["Agent"], Coroutine[Any, Any, None]]


class Agent:
    """A loop at work over three workflows that agree with git, and what it sent since."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.wakeups = Wakeups(clock=scene.clock)
        self.inbox = Inbox(scene.target.platform, {}, scene.clock, lambda: self.wakeups.poke("event"))
        self.reports: list[Report] = []
        self.loop = Loop([scene.target], self.wakeups, INTERVAL, self.reports.append, inboxes={"main": self.inbox})
        self.mark = 0

    def event(self, name: str, *, status: str = "active", kind: str = "workflow", workspace: str = "public") -> str:
        told = {"type": kind, "name": name, "workspace": workspace, "status": status}
        return self.inbox.receive(json.dumps({"event": "resource.updated", "resource": told}).encode())

    def edit(self, name: str, hour: int) -> None:
        change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
        self.scene.sandbox.person_edit("workflow", name, change, workspace="public")

    async def pass_time(self, seconds: float) -> None:
        await self.scene.clock.sleep(seconds)

    def sent(self) -> list[str]:
        """Since the last call."""
        mark, self.mark = self.mark, self.scene.mark
        return self.scene.sent_since(mark)

    def status(self) -> dict[str, Any]:
        return dict(self.scene.target.store.status()["main"]["status"])

    def only_report_drift(self) -> None:
        self.scene.target.config = replace(self.scene.target.config, drift="report")


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a story beside the running loop. The first pass is over and its settle window too; nothing is due."""

    def played(story: Play, prepare: Callable[[Scene], Awaitable[None] | None] = lambda scene: None) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, FILES)

        async def whole() -> None:
            await scene.look(woken_by_git=False)
            prepare(scene)
            await scene.clock.sleep(60.0)
            agent = Agent(scene)
            running = asyncio.ensure_future(agent.loop.run())
            await agent.pass_time(60.0)
            agent.sent()
            agent.reports.clear()
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


def test_what_is_in_sync_costs_its_read_and_no_pass(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        planned = at.loop.paces["main"].next_at
        at.event("beta")
        await at.pass_time(1.0)
        assert at.sent() == ["GET beta"]
        assert at.reports == []
        assert at.loop.paces["main"].next_at == planned

    play(story)


def test_drift_is_healed_at_once_by_the_ordinary_plan(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        at.edit("beta", 5)
        at.event("beta")
        await at.pass_time(2.0)
        # The glance, then the ordinary pass: its read, its write, its confirmation.
        assert at.sent() == ["GET beta", "GET beta", "PUT beta", "GET beta"]
        (report,) = at.reports
        assert [(each.change.action, each.change.cause) for each in report.outcomes] == [(Action.UPDATE, "drift")]
        assert at.status()["in_sync"] == 3

    play(story)


def test_what_an_event_says_changes_nothing(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        for status in ("deleted", "failed", "gone"):
            at.event("beta", status=status)
            await at.pass_time(5.0)
        assert at.sent() == ["GET beta"] * 3
        assert at.reports == []

    play(story)


def test_several_events_of_a_moment_are_one_look(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        for name in ("alpha", "beta", "alpha", "beta"):
            at.event(name)
        await at.pass_time(0.5)
        assert sorted(at.sent()) == ["GET alpha", "GET beta"]
        assert at.inbox.counts == {"accepted": 4}

    play(story)


@pytest.mark.row("L1")
def test_a_flood_costs_a_read_a_second(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        for _ in range(1000):
            at.event("beta")
            await at.pass_time(0.01)
        sent = at.sent()
        assert set(sent) == {"GET beta"}
        assert 8 <= len(sent) <= 11
        assert at.reports == []

    play(story)


@pytest.mark.parametrize(
    ("name", "kind", "workspace"),
    [("handmade", "workflow", "public"), ("no-such", "workflow", "public"), ("beta", "depot", ""), ("beta", "x", "y")],
)
def test_what_git_does_not_name_is_not_even_looked_at(
    play: Callable[[Play], None], name: str, kind: str, workspace: str
) -> None:
    async def story(at: Agent) -> None:
        at.scene.sandbox.person_create(HANDMADE)
        at.event(name, kind=kind, workspace=workspace)
        await at.pass_time(30.0)
        assert at.sent() == []
        assert at.reports == []

    play(story)


def test_what_has_left_git_is_not_deleted_for_an_event_s_sake(play: Callable[..., None]) -> None:
    """All three deletes are held by their limit; one at a time, events would lead past it."""

    def prepare(scene: Scene) -> None:
        scene.commit(**dict.fromkeys(("alpha", "beta", "gamma")), delta=workflow("delta", 1))

    async def story(at: Agent) -> None:
        assert at.status()["held"] == 3
        before = dict(at.scene.sandbox.records)
        for name in ("alpha", "beta", "gamma"):
            at.event(name, status="deleted")
            await at.pass_time(5.0)
        assert at.sent() == []
        assert dict(at.scene.sandbox.records) == before

    play(story, prepare)


def test_a_deletion_is_judged_by_a_look_at_everything(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        at.scene.sandbox.person_delete("workflow", "beta", workspace="public")
        at.event("beta", status="deleted")
        await at.pass_time(10.0)
        sent = at.sent()
        # The glance and the probe that proves its 404; then lists, and the read that decides.
        assert sent[:2] == ["GET beta", "GET resources"]
        assert sent.count("GET beta") == 3 and "POST resources" in sent
        assert "GET alpha" not in sent
        (report,) = at.reports
        assert [(each.change.action, each.change.key.name) for each in report.outcomes] == [(Action.CREATE, "beta")]

    play(story)


def test_events_do_not_lead_past_the_limit_for_missing_objects(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        for name in ("alpha", "beta", "gamma"):
            at.scene.sandbox.person_delete("workflow", name, workspace="public")
        for name in ("alpha", "beta", "gamma"):
            at.event(name, status="deleted")
            await at.pass_time(30.0)
        assert not [word for word in at.sent() if word.startswith("POST")]
        assert all(outcome.change.action is Action.HOLD for report in at.reports for outcome in report.outcomes)

    play(story)


def test_drift_elsewhere_stays_in_the_status_and_is_not_read_again(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        at.only_report_drift()
        at.edit("alpha", 5)
        at.event("alpha")
        await at.pass_time(10.0)
        assert at.sent() == ["GET alpha", "GET alpha"]
        assert at.status()["drift"] == 1
        at.event("beta")
        await at.pass_time(10.0)
        assert at.sent() == ["GET beta"]
        assert at.status()["drift"] == 1, "a look at beta says nothing of alpha"
        at.edit("alpha", 1)
        at.event("alpha")
        await at.pass_time(10.0)
        assert at.sent() == ["GET alpha", "GET alpha"]
        assert at.status()["drift"] == 0

    play(story)


def test_replays_for_known_drift_are_paced_by_what_they_cost(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        at.only_report_drift()
        for name in ("alpha", "beta", "gamma"):
            at.edit(name, 5)
            at.event(name)
        await at.pass_time(60.0)
        at.sent()
        for _ in range(1000):
            at.event("beta")
            await at.pass_time(0.1)
        assert len(at.sent()) <= 101

    play(story)


def test_the_echo_of_our_own_write_is_not_read_again(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        at.edit("beta", 5)
        at.event("beta")
        while not [word for word in at.scene.sent_since(at.mark) if word == "PUT beta"]:
            await at.pass_time(0.001)
        at.event("beta")
        await at.pass_time(120.0)
        sent = at.sent()
        assert sent.count("GET beta") <= 4
        assert len(at.reports) == 1

    play(story)


def test_a_target_that_fails_is_left_alone(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        pace = at.loop.paces["main"]
        pace.failures, pace.next_at = 3, at.scene.clock.monotonic() + 40.0
        at.event("beta")
        await at.pass_time(35.0)
        assert at.sent() == []
        await at.pass_time(10.0)
        assert pace.failures == 0
        assert at.sent()[-1:] == ["GET beta"], "the pass that was due anyway went well; now the event may be looked at"

    play(story)


def test_events_that_never_end_do_not_push_the_poll_ahead_of_them(play: Callable[[Play], None]) -> None:
    async def story(at: Agent) -> None:
        planned = at.loop.paces["main"].next_at
        while at.scene.clock.monotonic() < planned + 30:
            at.event("beta")
            await at.pass_time(60.0)
        assert "GET resources" in at.sent()
        assert len(at.reports) == 1

    play(story)
