"""A store that lost its newest commits, as after a failover: the real walk over a store that was put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Report
from agent.model.ownership import Word
from agent.reconcile.once import reconcile_once
from agent.reconcile.setback import MEMORY
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow

Play = Callable[[Scene], Coroutine[Any, Any, None]]
SECONDS = 60.0


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    def played(story: Play) -> None:
        loop = VirtualLoop()
        files = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma", "delta")}
        scene = Scene(tmp_path, loop, files)

        async def whole() -> None:
            await look(scene)
            await look(scene)
            await story(scene)

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


async def look(scene: Scene, **words: Any) -> Report:
    await scene.clock.sleep(SECONDS)
    return await reconcile_once(scene.target, Wish(interval_seconds=30.0, patient=True, **words))


def keep(scene: Scene) -> None:
    """A copy of the store, as a standby has it."""
    scene.target.store.close()
    shutil.copyfile(scene._path, scene._path.with_name("standby.db"))
    scene.target = scene._made()


def put_back(scene: Scene) -> None:
    """The standby takes over; what was written since is lost."""
    scene.target.store.close()
    for file in scene._path.parent.glob("state.db*"):
        file.unlink()
    shutil.copyfile(scene._path.with_name("standby.db"), scene._path)
    scene.target = scene._made()


def told(scene: Scene) -> None:
    """`datakeel doctor --after-failover`, as far as the store goes."""
    scene.target.store.set_back([scene.target.name], {MEMORY: {"at": scene.clock.now(), "who": "ann"}})


async def released(scene: Scene, name: str) -> None:
    """A person lets an object go, and its manifest leaves git: from then on it is theirs."""
    key = next(key for key in scene.target.store.rows("main") if key.name == name)
    scene.target.store.say([Word(key, "release", "ann", scene.clock.now())])
    scene.commit(**{name: None})
    await look(scene)
    assert key not in scene.target.store.rows("main")


def names(scene: Scene) -> set[str]:
    return {each["name"] for each in scene.sandbox.resources()}


def held(report: Report) -> dict[str, str]:
    return {each.change.key.name: each.change.reason for each in report.outcomes if each.change.action is Action.HOLD}


@pytest.mark.row("S7")
def test_what_was_let_go_after_the_last_commit_that_survived_is_not_deleted(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        keep(scene)
        await released(scene, "beta")
        put_back(scene)
        told(scene)
        for _ in range(3):
            assert held(await look(scene)) == {"beta": "OwnershipUnproved"}, "our mark is off, whatever the store says"
        assert names(scene) == {"alpha", "beta", "gamma", "delta"}
        key = next(key for key in scene.target.store.rows("main") if key.name == "beta")
        scene.target.store.say([Word(key, "release", "ann", scene.clock.now())])
        assert held(await look(scene)) == {}
        scene.commit(gamma=None)
        assert held(await look(scene)) == {}, "a whole pass had no delete to hold: the store is believed again"
        assert names(scene) == {"alpha", "beta", "delta"}

    play(story)


@pytest.mark.row("S7")
def test_a_person_confirms_the_deletes_of_a_store_that_was_set_back(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        keep(scene)
        scene.commit(gamma=None)
        put_back(scene)
        told(scene)
        report = await look(scene)
        assert held(report) == {"gamma": "StoreSetBack"}
        assert any("--confirm-deletes 1" in each.message for each in report.outcomes)
        assert held(await look(scene, confirm_deletes=1)) == {}
        scene.commit(delta=None)
        assert held(await look(scene)) == {}
        assert names(scene) == {"alpha", "beta"}

    play(story)


@pytest.mark.row("S7")
def test_what_was_made_and_changed_since_is_found_again_and_made_once(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        keep(scene)
        scene.commit(epsilon=workflow("epsilon", 1), alpha=workflow("alpha", 5))
        await look(scene)
        put_back(scene)
        told(scene)
        mark = scene.mark
        assert held(await look(scene)) == {}
        assert {key.name for key in scene.target.store.rows("main")} == names(scene)
        sent = [each for each in scene.sent_since(mark) if not each.startswith("GET")]
        assert sent == [], "live is as git says: neither made nor changed again"
        reads = {each for each in scene.sent_since(mark) if each.startswith("GET")}
        assert {f"GET {name}" for name in ("alpha", "beta", "gamma", "delta")} <= reads, "all was looked at anew"

    play(story)
