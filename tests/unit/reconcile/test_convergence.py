"""What never comes to rest is named and stopped: leaves that a server does not keep, leaves with two writers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Report
from agent.reconcile.looking import look
from agent.reconcile.wish import Wish
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow

FILES = {"alpha.yaml": workflow("alpha", 1), "beta.yaml": workflow("beta", 1)}


def sweeping(scene: Scene, every: float = INTERVAL) -> None:
    """Everything is read again each minute, or in another time."""
    scene.target.config = replace(scene.target.config, verify_seconds=every)


def stubborn(scene: Scene) -> None:
    """The server takes every write of alpha with 200 and answers with its own cron."""
    rule = {"do": "set", "at": "/spec/workflow/schedule/cron", "value": "0 7 * * *", "method": "GET", "path": "*/alpha"}
    scene.sandbox.faults.add(rule)
    sweeping(scene)


def edit(at: AtWork, hour: int, name: str = "alpha") -> None:
    change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
    at.scene.sandbox.person_edit("workflow", name, change, workspace="public")


async def quiet(at: AtWork) -> Mapping[str, tuple[str, str]]:
    """What a diff that reads everything does not show as a change, and why."""
    seen = await look(at.scene.target, Wish(at.scene.source.fetch(), fresh=True))
    return {each.path: (each.why, each.rule) for each in seen.plan.suppressed}


async def sweep(at: AtWork, every: float = INTERVAL) -> Report:
    """A pass that reads everything anew, as the loop's sweep does in its time."""
    at.reports.clear()
    await at.pass_time(4 * every)
    return at.reports[-1]


@pytest.mark.row("A22", "K9")
def test_a_leaf_that_the_server_does_not_keep_is_written_twice_and_then_named(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(20 * INTERVAL)
        assert at.writes().count("PUT alpha") == 1, "the create, and one more try"
        why, rule = (await quiet(at))["workflow.schedule.cron"]
        assert why == "not kept by the server"
        assert rule == (
            'written twice: git asks for "0 1 * * *", the platform answers "0 7 * * *"; to leave it to them for good, '
            "add to the manifest: lifecycle: {ignore: [/workflow/schedule/cron]}"
        )
        await at.pass_time(20 * INTERVAL)
        assert at.writes() == []
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(5 * INTERVAL)
        assert at.writes() == ["PUT alpha"] * 2, "another value is asked for, and proved twice"

    play_at_work(tmp_path, FILES, story, prepare=stubborn)


def test_what_was_not_kept_is_tried_again_with_another_definition(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(20 * INTERVAL)
        await sweep(at)
        at.writes()
        target = at.scene.target
        target.platform = target.api.platform = replace(target.platform, digest="another")
        await at.pass_time(20 * INTERVAL)
        assert at.writes() == ["PUT alpha"] * 2
        assert (await quiet(at))["workflow.schedule.cron"][0] == "not kept by the server"

    play_at_work(tmp_path, FILES, story, prepare=stubborn)


@pytest.mark.row("H2")
def test_a_leaf_that_somebody_else_writes_too_is_put_back_twice_and_then_left_alone(tmp_path: Path) -> None:
    """Another agent with another store, a script, a person: whoever it is, it is told and not fought."""

    async def story(at: AtWork) -> None:
        await sweep(at)
        at.writes()
        for _ in range(10):
            edit(at, 9)
            await at.pass_time(2 * INTERVAL)
        assert at.writes() == ["PUT alpha"] * 2
        (held,) = at.reports[-1].outcomes
        assert (held.change.action, held.change.reason) == (Action.HOLD, "Flapping")
        assert held.message == (
            '`workflow.schedule.cron` was put back to "0 1 * * *" twice and is "0 9 * * *" again: '
            "somebody else writes it. It is left alone; to leave it to them for good, add to the manifest: "
            "lifecycle: {ignore: [/workflow/schedule/cron]}"
        )
        assert [each.type for each in at.reports[-1].conditions if each.status] == ["Stalled"]
        assert at.status()["held"] == 1 and at.status()["in_sync"] == 1

    play_at_work(tmp_path, FILES, story, prepare=sweeping)


def test_the_other_leaves_of_such_an_object_are_kept_as_git_says(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await sweep(at)
        for _ in range(3):
            edit(at, 9)
            await at.pass_time(2 * INTERVAL)
        at.writes()
        change = {"workflow": {"dag": [{"name": "task", "spec": {"stack": "flare:9.9"}}]}}
        at.scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        await at.pass_time(2 * INTERVAL)
        assert at.writes() == ["PUT alpha"]
        (alpha,) = [each for each in at.scene.sandbox.resources() if each["name"] == "alpha"]
        section = alpha["spec"]["workflow"]
        assert (section["schedule"]["cron"], section["dag"][0]["spec"]["stack"]) == ("0 9 * * *", "flare:7.0")

    play_at_work(tmp_path, FILES, story, prepare=sweeping)


@pytest.mark.parametrize("how", ["git", "another value", "a day"])
def test_it_is_put_back_again_once_something_is_new(tmp_path: Path, how: str) -> None:
    interval = 15 * INTERVAL if how == "a day" else INTERVAL

    async def story(at: AtWork) -> None:
        await sweep(at, interval)
        for _ in range(3):
            edit(at, 9)
            await at.pass_time(2 * interval)
        at.writes()
        if how == "git":
            at.commit(alpha=workflow("alpha", 2))
        elif how == "another value":
            edit(at, 10)
        await at.pass_time(25 * 3600.0 if how == "a day" else 2 * INTERVAL)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, FILES, story, interval=interval, prepare=lambda scene: sweeping(scene, interval))


def test_what_the_server_fills_in_is_never_a_reason_to_write(tmp_path: Path) -> None:
    """Defaults that a read shows and no manifest says: not at first, not later, not after a restart."""

    def filling(scene: Scene) -> None:
        scene.sandbox.switches.section_defaults = {"workflow": {"title": "made up by the server", "retries": 3}}
        scene.sandbox.switches.server_tags = True
        scene.sandbox.switches.sort_tags = True
        sweeping(scene)

    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        assert at.writes() == ["POST resources"] * 2
        await sweep(at)
        at.scene.restart()
        at.loop.targets = [at.scene.target]
        await sweep(at)
        defaults: dict[str, Any] = {"workflow": {"title": "and made up anew", "retries": 4}}
        at.scene.sandbox.person_edit("workflow", "alpha", defaults, workspace="public")
        report = await sweep(at)
        assert at.writes() == []
        assert report.outcomes == () and report.plan is not None and report.plan.unchanged == 2

    play_at_work(tmp_path, FILES, story, prepare=filling)
