"""A wall clock that jumps while the agent is at work (T1): no wait becomes longer, and no doubt shorter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow

FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta")}
HOUR = 3600.0


def by_hand(at: AtWork, name: str, hour: int) -> None:
    change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
    at.scene.sandbox.person_edit("workflow", name, change, workspace="public")


def hour_of(at: AtWork, name: str) -> str:
    (found,) = [each for each in at.scene.sandbox.resources() if each["name"] == name]
    return str(found["spec"]["workflow"]["schedule"]["cron"]).split()[1]


@pytest.mark.parametrize("ahead", [HOUR, -1_769_999_000.0])
@pytest.mark.row("T1")
def test_polls_commits_and_drift_keep_their_pace_whatever_the_wall_clock_says(ahead: float, tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(5 * INTERVAL)
        before = len(at.sent())
        at.scene.clock.wrong_by += ahead
        await at.pass_time(5 * INTERVAL)
        lists = at.sent()
        assert before / 2 <= len(lists) <= 2 * before, "it looks as often as before"
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(10.0)
        assert hour_of(at, "alpha") == "2"
        by_hand(at, "beta", 9)
        await at.pass_time(6 * INTERVAL)
        assert hour_of(at, "beta") == "1", "drift is found within the goal of five minutes, and some"
        assert {each.error for each in at.reports} == {""}

    def prepare(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, verify_seconds=300.0)

    play_at_work(tmp_path, FILES, story, prepare=prepare)


@pytest.mark.parametrize(("ahead", "dies"), [(0.0, False), (HOUR, False), (-HOUR, False), (-HOUR, True)])
@pytest.mark.row("T1", "K4", "K12")
def test_a_clock_that_jumps_ends_no_doubt(ahead: float, dies: bool, tmp_path: Path) -> None:
    """A create is under way when the clock jumps: it is waited for as long as ever, and no longer."""

    async def story(at: Scene) -> None:
        await at.look(woken_by_git=False)
        at.sandbox.faults.add({"fault": "reset", "method": "POST", "times": 1})
        at.commit(gamma=workflow("gamma", 1))
        await at.look(woken_by_git=False)
        at.clock.wrong_by += ahead
        if dies:
            at.restart()
        mark = at.mark
        for _ in range(3):
            await at.clock.sleep(6.0)
            await at.look(woken_by_git=False)
        assert "POST resources" not in at.sent_since(mark)
        await at.clock.sleep(60.0)  # the deadline of a call, and the time in which reads settle
        await at.look(woken_by_git=False)
        assert at.sent_since(mark).count("POST resources") == 1, "it was proved absent then, and made"

    loop = VirtualLoop()
    scene = Scene(tmp_path, loop, dict(FILES))
    try:
        run(story(scene), loop)
    finally:
        scene.close()
