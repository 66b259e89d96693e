"""Protection outlives its manifest, in real passes: two commits lift it, and no failure, restart or loss does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.errors import AgentError
from agent.model.change import Action
from agent.model.outcome import Report
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow, wrapped

TWO_COMMITS = "protected; lift `protect` in one commit, remove the manifest in a later one"


def play(folder: Path, story: Callable[[Scene], Awaitable[None]], **lifecycle: object) -> None:
    loop = VirtualLoop()
    others = {f"{name}.yaml": workflow(name, 1) for name in ("beta", "gamma")}
    scene = Scene(folder, loop, {"alpha.yaml": wrapped("alpha", 1, **lifecycle), **others})
    try:
        run(story(scene), loop)
    finally:
        scene.close()


def is_live(scene: Scene, name: str = "alpha") -> bool:
    return any(each["name"] == name for each in scene.sandbox.resources())


def reasons(report: Report) -> list[str]:
    return [outcome.code for outcome in report.outcomes if outcome.change.key.name == "alpha"]


def test_one_commit_lifts_protection_and_a_later_one_deletes(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=wrapped("alpha", 1))
        await scene.look()
        scene.commit(alpha=None)
        await scene.look()
        assert not is_live(scene)

    play(tmp_path, story, protect=True)


def test_a_file_that_goes_together_with_its_protection_is_held_and_says_how_to_go_on(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=None)
        for _ in range(3):
            report = await scene.look()
            assert reasons(report) == ["Protected"] and report.outcomes[0].message == TWO_COMMITS
        scene.restart()
        assert reasons(await scene.look()) == ["Protected"] and is_live(scene)

    play(tmp_path, story, protect=True)


def test_protection_counts_from_a_pass_that_failed(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=wrapped("alpha", 1, protect=True))
        scene.sandbox.faults.add({"fault": "forbidden", "times": 50, "probability": 1.0})
        try:
            await scene.look()
        except AgentError:
            pass
        scene.sandbox.faults.clear()
        scene.commit(alpha=None)
        assert reasons(await scene.look()) == ["Protected"] and is_live(scene)

    play(tmp_path, story)


def test_protection_counts_though_the_change_beside_it_is_refused(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=wrapped("alpha", 2, protect=True))
        scene.sandbox.faults.add({"fault": "forbidden", "times": 50, "probability": 1.0, "method": "PUT"})
        await scene.look()
        scene.sandbox.faults.clear()
        scene.commit(alpha=None)
        assert reasons(await scene.look()) == ["Protected"] and is_live(scene)

    play(tmp_path, story)


def test_a_lost_store_finds_protection_in_git_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.lose_state()
        report = await scene.look()
        assert {outcome.change.action for outcome in report.outcomes} == {Action.ADOPT}
        scene.commit(alpha=None)
        assert reasons(await scene.look()) == ["Protected"] and is_live(scene)

    play(tmp_path, story, protect=True)


def test_what_left_git_while_the_store_was_lost_is_nobodys_to_delete(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.lose_state()
        scene.commit(alpha=None)
        for _ in range(2):
            report = await scene.look()
            assert report.plan is not None and not report.plan.count(Action.DELETE)
        assert is_live(scene)

    play(tmp_path, story, protect=True)


def test_a_broken_manifest_lifts_no_protection(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        scene.commit(alpha=wrapped("alpha", 1).replace(b"schedule", b"shedule"))
        await scene.look()
        scene.commit(alpha=None)
        assert reasons(await scene.look()) == ["Protected"] and is_live(scene)

    play(tmp_path, story, protect=True)
