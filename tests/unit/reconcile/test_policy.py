"""A target's policy in real passes: ignored leaves in diff and apply alike, and floods of repairs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agent.model.change import Action
from agent.model.outcome import Report
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import INTERVAL, Scene, workflow, wrapped


def play(folder: Path, story: Callable[[Scene], Awaitable[None]], files: dict[str, bytes]) -> None:
    loop = VirtualLoop()
    scene = Scene(folder, loop, files, 1.0)
    try:
        run(story(scene), loop)
    finally:
        scene.close()


async def passed(scene: Scene, **words: Any) -> Report:
    return await reconcile_once(
        scene.target, Wish(scene.source.fetch(), interval_seconds=INTERVAL, fresh=True, **words)
    )


def sent(report: Report, action: Action) -> int:
    assert report.plan is not None
    return report.plan.count(action)


def test_an_ignored_leaf_is_neither_shown_nor_written(tmp_path: Path) -> None:
    """Also one of every element of a list, when another leaf of that element is written."""

    async def story(scene: Scene) -> None:
        await passed(scene)
        dag = [{"name": "task", "spec": {"stack": "flare:9.9"}}]
        change = {"workflow": {"schedule": {"cron": "0 9 * * *"}, "dag": dag}}
        scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        await scene.clock.sleep(30.0)
        report = await passed(scene)
        assert report.plan is not None and report.plan.changes == ()
        assert {each.why for each in report.plan.suppressed} == {"ignored"}
        text = wrapped("alpha", 1, ignore=ignored).replace(b"version: v1", b"version: v1\n  description: another")
        scene.commit(alpha=text)
        assert sent(await passed(scene), Action.UPDATE) == 1
        live = next(each for each in scene.sandbox.resources() if each["name"] == "alpha")
        assert live["description"] == "another"
        assert live["spec"]["workflow"]["schedule"]["cron"] == "0 9 * * *"
        assert live["spec"]["workflow"]["dag"][0]["spec"]["stack"] == "flare:9.9"

    ignored = ["/workflow/schedule/cron", "/workflow/dag/*/spec/stack"]
    play(tmp_path, story, {"alpha.yaml": wrapped("alpha", 1, ignore=ignored)})


def test_a28_repairs_stop_after_a_share_within_a_day_until_a_person_allows_them(tmp_path: Path) -> None:
    names = [f"job{number:02}" for number in range(10)]

    async def edited(scene: Scene, *which: str) -> None:
        await scene.clock.sleep(30.0)
        for name in which:
            change = {"workflow": {"schedule": {"cron": "0 23 * * *"}}}
            scene.sandbox.person_edit("workflow", name, change, workspace="public")

    async def story(scene: Scene) -> None:
        await passed(scene)
        for name in names[:3]:
            await edited(scene, name)
            assert sent(await passed(scene), Action.UPDATE) == 1
        await edited(scene, names[3])
        scene.restart()
        held = await passed(scene)
        assert sent(held, Action.UPDATE) == 0
        assert held.outcomes[0].code == "UpdateLimit" and "after 3 within a day" in held.outcomes[0].message
        assert sent(await passed(scene, confirm_changes=2), Action.UPDATE) == 0
        assert sent(await passed(scene), Action.UPDATE) == 0  # another number allows nothing, now or later
        assert sent(await passed(scene, confirm_changes=1), Action.UPDATE) == 1
        await edited(scene, names[4])
        assert sent(await passed(scene), Action.UPDATE) == 1  # the count began anew
        await scene.clock.sleep(90_000.0)
        await edited(scene, *names[5:8])
        assert sent(await passed(scene), Action.UPDATE) == 3  # another day

    play(tmp_path, story, {f"{name}.yaml": workflow(name, 1) for name in names})
