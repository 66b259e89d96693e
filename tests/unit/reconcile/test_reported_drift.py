"""Drift that is only reported is read at the pace of the sweep, and told in every pass all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.at_work import INTERVAL, AtWork, Story, play_at_work
from tests.unit.reconcile.scene import Scene, document, workflow, wrapped

GOAL = 300.0
NAMES = [f"flow-{number:02}" for number in range(6)]
FILES = {f"{name}.yaml": wrapped(name, 1) for name in NAMES}


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Six workflows that a person has changed, each of which was read once since."""

    def played(story: Story, *, edited: int = len(NAMES)) -> None:
        async def whole(at: AtWork) -> None:
            await at.pass_time(120.0)
            for name in NAMES[:edited]:
                edit(at, name, 5)
            await at.pass_time(1.2 * GOAL)
            assert at.status()["drift"] == edited
            at.sent()
            await story(at)

        def prepare(scene: Scene) -> None:
            scene.target.config = replace(scene.target.config, drift="report", verify_seconds=GOAL)

        play_at_work(tmp_path, FILES, whole, prepare=prepare)

    return played


def edit(at: AtWork, name: str, hour: int) -> None:
    change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
    at.scene.sandbox.person_edit("workflow", name, change, workspace="public")


def hours(at: AtWork) -> Mapping[str, str]:
    live = at.scene.sandbox.resources()
    return {each["name"]: each["spec"]["workflow"]["schedule"]["cron"].split()[1] for each in live}


def reads(words: list[str]) -> dict[str, int]:
    return {name: words.count(f"GET {name}") for name in NAMES}


def test_each_is_read_once_in_its_goal_and_told_all_the_while(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * GOAL)
        assert all(2 <= times <= 3 for times in reads(at.sent()).values())
        assert (at.status()["drift"], at.status()["in_sync"]) == (len(NAMES), 0)
        assert {each["name"] for each in at.status()["drift_list"]} == set(NAMES)
        assert at.status()["verified_p95_seconds"] <= GOAL
        assert set(hours(at).values()) == {"5"}

    play(story)


def test_a_commit_waits_for_none_of_them(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        at.commit(**{NAMES[3]: wrapped(NAMES[3], 7)})
        await at.pass_time(1.0)
        assert at.sent()[:3] == [f"GET {NAMES[3]}", f"PUT {NAMES[3]}", f"GET {NAMES[3]}"]
        assert hours(at)[NAMES[3]] == "7"
        await at.pass_time(INTERVAL)
        assert at.status()["drift"] == len(NAMES) - 1

    play(story)


def test_what_changes_again_is_told_anew_and_what_is_put_back_no_longer(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        edit(at, NAMES[0], 6)
        edit(at, NAMES[1], 1)
        await at.pass_time(1.2 * GOAL)
        told = {change.key.name: change for change in last_plan(at)}
        assert set(told) == {*NAMES} - {NAMES[1]}
        assert [(each.before, each.after) for each in told[NAMES[0]].fields] == [("0 6 * * *", "0 1 * * *")]
        assert [(each.before, each.after) for each in told[NAMES[2]].fields] == [("0 5 * * *", "0 1 * * *")]

    play(story)


def last_plan(at: AtWork) -> list[Any]:
    plan = at.reports[-1].plan
    assert plan is not None
    return [change for change in plan.changes if change.action is Action.NONE]


def test_the_word_that_heals_is_heeded_at_once(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        at.scene.target.config = replace(at.scene.target.config, drift="heal")
        await at.pass_time(1.5 * INTERVAL)
        assert hours(at)[NAMES[0]] == "1"

    play(story, edited=1)


def test_so_is_the_word_of_a_manifest(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        at.commit(**{NAMES[0]: wrapped(NAMES[0], 1, drift="heal")})
        await at.pass_time(1.0)
        assert hours(at)[NAMES[0]] == "1"

    play(story, edited=2)


def test_what_was_deleted_by_hand_is_told_at_the_same_pace(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        at.scene.sandbox.person_delete("workflow", NAMES[4], workspace="public")
        await at.pass_time(1.1 * INTERVAL)
        assert [change.key.name for change in last_plan(at)] == [NAMES[4]]
        at.sent()
        await at.pass_time(2 * GOAL)
        assert reads(at.sent())[NAMES[4]] <= 3
        assert at.status()["drift"] == 1
        at.commit(**{NAMES[5]: workflow(NAMES[5], 3)})
        await at.pass_time(1.0)
        assert at.status()["drift"] == 1, "a pass that lists nothing tells it too"
        at.sent()
        at.commit(**{NAMES[4]: wrapped(NAMES[4], 1, drift="heal")})
        await at.pass_time(INTERVAL)
        assert at.status()["drift"] == 0 and NAMES[4] in hours(at)

    play(story, edited=0)


def test_what_somebody_makes_again_is_seen_in_the_list(play: Callable[..., None]) -> None:
    async def story(at: AtWork) -> None:
        at.scene.sandbox.person_delete("workflow", NAMES[4], workspace="public")
        await at.pass_time(2 * INTERVAL)
        at.sent()
        at.scene.sandbox.person_create(document(NAMES[4], 5))
        await at.pass_time(1.1 * INTERVAL)
        assert reads(at.sent())[NAMES[4]] >= 1
        assert hours(at)[NAMES[4]] == "5" and at.status()["held"] == 1, "theirs, and held for that"

    play(story, edited=0)


@pytest.mark.parametrize("patient", [True, False])
def test_a_new_process_knows_what_was_told_and_a_person_looks_anew(tmp_path: Path, patient: bool) -> None:
    loop = VirtualLoop()
    scene = Scene(tmp_path, loop, {f"{name}.yaml": wrapped(name, 1, drift="report") for name in NAMES[:2]})

    async def story() -> None:
        await scene.look()
        await scene.clock.sleep(60.0)
        scene.sandbox.person_edit(
            "workflow", NAMES[0], {"workflow": {"schedule": {"cron": "0 5 * * *"}}}, workspace="public"
        )
        first = await reconcile_once(scene.target, Wish(fresh=True))
        mark = scene.mark
        scene.restart()
        again = await reconcile_once(scene.target, Wish(patient=patient))
        assert (f"GET {NAMES[0]}" in scene.sent_since(mark)) is not patient
        assert first.plan is not None and again.plan is not None
        assert [each.fields for each in again.plan.changes] == [each.fields for each in first.plan.changes]
        assert len(again.plan.changes) == 1

    try:
        run(story(), loop)
    finally:
        scene.close()
