"""A newer commit ends what an older one still waits for: readiness, the budget, settling, a backoff."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.definitions.platform import Window
from agent.model.change import Action
from agent.model.outcome import Result
from agent.reconcile.loop import Loop
from agent.source import Wakeups
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.pair import Pair
from tests.unit.reconcile.scene import Scene, workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")}


def needing(name: str, hour: int, needs: str) -> bytes:
    """A workflow that waits until another one is ready."""
    content = {"schedule": {"cron": f"0 {hour} * * *"}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]}
    manifest = {
        "apiVersion": "dataos/v1",
        "kind": "Workflow",
        "metadata": {"name": name, "workspace": "public"},
        "lifecycle": {"dependsOn": [f"Workflow/{needs}"]},
        "spec": {"version": "v1", "workflow": content},
    }
    return json.dumps(manifest).encode()


def never_ready(scene: Scene) -> None:
    scene.sandbox.switches.ready_after = 10_000.0
    scene.target.config = replace(scene.target.config, ready_timeout_seconds=600.0)


@pytest.mark.parametrize("stirs", [True, False])
@pytest.mark.row("G16")
def test_a_wait_for_readiness_ends_with_the_next_commit(tmp_path: Path, stirs: bool) -> None:
    """A source that nobody watches is asked once an interval, also while a pass waits."""

    async def story(at: AtWork) -> None:
        await at.pass_time(30.0)
        assert at.reports == [], "the pass waits for `first` before it makes `second`"
        at.sent()
        at.commit(third=workflow("third", 3))
        await at.pass_time(1.0 if stirs else 1.1 * INTERVAL)
        assert {each["name"] for each in at.scene.sandbox.resources()} == {"first", "third"}
        skipped = [each for each in at.reports[0].outcomes if each.result is Result.SKIPPED]
        assert [each.change.key.name for each in skipped] == ["second"]
        held = {each.change.key.name: each.change.reason for each in at.reports[1].outcomes if each.change.reason}
        assert held == {"second": "DependencyNotReady"}, "nor does the newer pass make it before its time"
        at.scene.sandbox.switches.ready_after = 0.0
        at.scene.sandbox.person_edit("workflow", "first", {"tags": ["touched"]}, workspace="public")
        await at.pass_time(2 * INTERVAL)
        assert {each["name"] for each in at.scene.sandbox.resources()} == {"first", "second", "third"}

    files = {"first.yaml": workflow("first", 1), "second.json": needing("second", 2, "first")}
    play_at_work(tmp_path, files, story, stirs=stirs, prepare=never_ready)


def test_a_wait_for_the_budget_ends_and_what_was_not_sent_is_planned_from_the_newer_commit(tmp_path: Path) -> None:
    """Three updates wait for the next window; before it opens git changes one of them again."""

    async def story(at: AtWork) -> None:
        await at.pass_time(300.0)
        at.sent()
        usable = at.mark + 4  # three reads and a write; a fifth of the window is people's
        at.scene.target.api.budget.tighten([Window(-(-usable * 5 // 4), 3600.0)], 0.0)
        at.commit(alpha=workflow("alpha", 2), beta=workflow("beta", 2), gamma=workflow("gamma", 2))
        await at.pass_time(5.0)
        assert at.writes() == ["PUT alpha"], "the window is full"
        before = len(at.reports)
        at.commit(beta=workflow("beta", 3))
        await at.pass_time(1.0)
        assert len(at.reports) == before + 1, "the pass ended at once"
        assert {each.code for each in at.reports[-1].outcomes if each.result is Result.SKIPPED} == {"Superseded"}
        await at.pass_time(7300.0)
        crons = {each["name"]: each["spec"]["workflow"]["schedule"]["cron"] for each in at.scene.sandbox.resources()}
        assert crons == {"alpha": "0 2 * * *", "beta": "0 3 * * *", "gamma": "0 2 * * *"}
        updates = [each for each in at.scene.sandbox.commits if each.method == "PUT" and each.name == "beta"]
        assert [each.after["spec"]["workflow"]["schedule"]["cron"] for each in updates if each.after] == ["0 3 * * *"]

    play_at_work(tmp_path, FILES, story)


def test_a_wait_for_settling_ends_and_the_window_stays_in_force(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(300.0)
        at.sent()
        at.scene.sandbox.switches.lag = 5.0  # the first look after a write shows what was before
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(0.2)
        assert at.writes() == ["PUT alpha"]
        reports = len(at.reports)
        at.commit(beta=workflow("beta", 2))
        await at.pass_time(0.2)
        assert len(at.reports) > reports
        assert at.writes() == ["PUT beta"], "alpha is not written again, though what is read is still old"
        await at.pass_time(300.0)
        assert at.writes() == []

    play_at_work(tmp_path, FILES, story)


@pytest.mark.parametrize("stirs", [True, False])
def test_a_backoff_is_not_gits(tmp_path: Path, stirs: bool) -> None:
    """What refuses us for hours is asked every fifteen minutes; a commit is acted on within a poll all the same."""

    async def story(at: AtWork) -> None:
        await at.pass_time(300.0)
        at.scene.sandbox.faults.add({"fault": "unauthorized"})
        await at.pass_time(3 * 3600.0)
        assert at.loop.paces["main"].failures > 5, "left alone for longer and longer"
        at.reports.clear()
        await at.pass_time(1800.0)
        assert len(at.reports) <= 4
        at.scene.sandbox.faults.clear()
        at.sent()
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(1.0 if stirs else 1.2 * INTERVAL)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, FILES, story, stirs=stirs)


def test_commits_that_follow_each_other_closely_end_with_the_last(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(300.0)
        for hour in range(2, 12):
            at.commit(alpha=workflow("alpha", hour))
            await at.pass_time(0.01)
        await at.pass_time(60.0)
        (alpha,) = [each for each in at.scene.sandbox.resources() if each["name"] == "alpha"]
        assert alpha["spec"]["workflow"]["schedule"]["cron"] == "0 11 * * *"
        assert at.reports[-1].count(Result.NOT_DONE) == 0
        assert all(each.change.action is Action.UPDATE for report in at.reports[-3:] for each in report.outcomes)

    play_at_work(tmp_path, FILES, story)


def test_commits_that_keep_coming_let_the_next_target_have_its_turn(tmp_path: Path) -> None:
    """``north`` has no calls left, so that each commit finds its pass waiting; ``south`` is written all the same."""
    files = {"north/beta.yaml": workflow("beta", 1), "south/alpha.yaml": workflow("alpha", 1)}
    timeline = VirtualLoop()
    pair = Pair(tmp_path, timeline, files)
    wakeups = Wakeups(clock=pair.clock)
    agent = Loop([*pair.targets.values()], wakeups, INTERVAL)

    async def story() -> None:
        running = asyncio.ensure_future(agent.run())
        await pair.clock.sleep(300.0)
        pair.targets["north"].api.budget.tighten([Window(1, 36_000.0)], 0.0)
        pair.put(north__beta=workflow("beta", 2))
        wakeups.poke("git")
        for hour in range(2, 6):
            await pair.clock.sleep(20.0)
            pair.put(south__alpha=workflow("alpha", hour))
            wakeups.poke("git")
        await pair.clock.sleep(5.0)
        live = {each["name"]: each["spec"]["workflow"]["schedule"]["cron"] for each in pair.sandbox.resources()}
        agent.stop()
        agent.halt()
        await running
        assert live == {"alpha": "0 5 * * *", "beta": "0 1 * * *"}

    try:
        run(story(), timeline)
    finally:
        pair.close()
