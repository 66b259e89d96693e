"""A snapshot: the plan by it is the plan by looking, and nothing is in it that git and a plan would not tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Refused
from agent.model.canonical import from_json, to_json
from agent.model.change import Action, Plan
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.reconcile.looking import look
from agent.reconcile.picture import look_at_picture
from agent.reconcile.proposal import proposal_of
from agent.reconcile.snapshot import picture_in, snapshot_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.store.store import Store
from tests.simulation.kill import Life
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, document, workflow

CANARY = "canary-77aa31"
FILES = {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")}
FILES["beta.yaml"] = FILES["beta.yaml"].replace(b'"flare:7.0"', b'"flare:7.0", envs: {DB_PASSWORD: canary-77aa31}')


def play(folder: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    loop = VirtualLoop()
    scene = Scene(folder, loop, FILES)
    try:
        run(story(scene), loop)
    finally:
        scene.close()


async def taken(scene: Scene) -> dict[str, Any]:
    """A snapshot of now, through a file."""
    seen = await look(scene.target, Wish(scene.source.fetch(), fresh=True, careful=True))
    part = from_json(to_json(snapshot_of(scene.target, seen, scene.clock.now())))
    assert isinstance(part, dict)
    return part


def elsewhere(scene: Scene, folder: Path) -> Target:
    """The same target where nothing is remembered and nothing may be sent."""
    store = Store.open(f"sqlite:///{folder}/none.db", clock=scene.clock, write=False)
    return scene.made("main" if scene.target.name == "main" else scene.target.name, store, Life())


def planned(scene: Scene, folder: Path, part: dict[str, Any], *, proposal: bool = False) -> Plan:
    target = elsewhere(scene, folder)
    try:
        picture = picture_in(part, target)
        head = scene.source.fetch()
        asked = proposal_of(target, scene.source.revisions[0][0], head) if proposal else None
        desired = read_desired(scene.source, head, target.config, target.platform, None, LastDesired())
        mark = scene.mark
        plan = look_at_picture(target, picture, desired, Wish(careful=True), asked).plan
        assert scene.mark == mark, "nothing is sent"
        return plan
    finally:
        target.store.close()


def click(scene: Scene, name: str) -> None:
    change = {"workflow": {"dag": [{"name": "other"}]}}
    scene.sandbox.person_edit(type="workflow", name=name, workspace="public", change=change)


def told(plan: Plan) -> list[tuple[str, str]]:
    return sorted((change.action.value, change.key.name) for change in plan.changes)


def test_the_plan_by_a_snapshot_is_the_plan_by_looking(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        await asyncio.sleep(3600.0)
        click(scene, "beta")
        scene.sandbox.person_create(document("stray", 5))
        part = await taken(scene)
        scene.commit(alpha=workflow("alpha", 2), gamma=None, new=workflow("new", 1))
        seen = await look(scene.target, Wish(scene.source.fetch(), fresh=True, careful=True))
        plan = planned(scene, tmp_path, part)
        assert told(plan) == [("create", "new"), ("delete", "gamma"), ("update", "alpha"), ("update", "beta")]
        assert plan.digest == seen.plan.digest
        assert [stray.key.name for stray in plan.strays] == ["stray"]
        assert plan.complete

    play(tmp_path, story)


def test_a_proposal_is_planned_by_a_snapshot_as_well(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        await asyncio.sleep(3600.0)
        click(scene, "beta")
        part = await taken(scene)
        scene.commit(alpha=workflow("alpha", 2))
        assert told(planned(scene, tmp_path, part, proposal=True)) == [("update", "alpha")]

    play(tmp_path, story)


def test_a_snapshot_holds_no_secret_and_nothing_that_git_does_not_write(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        change = {"description": "written by hand, with a loot-99", "owner": "loot-98"}
        scene.sandbox.person_edit(type="workflow", name="gamma", workspace="public", change=change)
        part = await taken(scene)
        text = json.dumps(part, default=str)
        assert CANARY not in text
        assert "loot-9" not in text
        assert "flare:7.0" in text

    play(tmp_path, story)


def test_what_a_snapshot_does_not_know_is_held(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.sandbox.person_create(document("stray", 5))
        part = await taken(scene)
        scene.commit(stray=workflow("stray", 5), new=workflow("new", 1))
        plan = planned(scene, tmp_path, part)
        assert told(plan) == [("create", "new"), ("hold", "stray")]
        assert not plan.complete
        part["lists"] = []
        plan = planned(scene, tmp_path, part)
        assert {change.action for change in plan.changes} == {Action.HOLD}, "no whole list proves that `new` is absent"

    play(tmp_path, story)


def test_a_snapshot_of_another_system_or_definition_is_refused(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        part = await taken(scene)
        for word, value, code in (
            ("system", part["system"] | {"server": "https://elsewhere.example"}, "snapshot-refused"),
            ("definition", "0" * 32, "snapshot-outdated"),
        ):
            with pytest.raises(Refused) as caught:
                planned(scene, tmp_path, part | {word: value})
            assert caught.value.error_code == code

    play(tmp_path, story)
