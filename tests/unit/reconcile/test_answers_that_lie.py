"""What the platform says at the wrong moment: it is there already, it is gone, nothing is there, nobody is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.definitions.expressions import Expression
from agent.model.change import Action
from agent.model.outcome import Report, Result
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")
FILES = {f"{name}.yaml": workflow(name, 1) for name in NAMES}
Play = Callable[[Scene], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Play], None]:
    """A story at a scene where five workflows are live and agree with git."""

    def played(story: Play) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, dict(FILES))

        async def whole() -> None:
            await scene.look(woken_by_git=False)
            await scene.clock.sleep(60.0)
            await story(scene)

        try:
            run(whole(), loop)
        finally:
            scene.close()

    return played


def by_hand(scene: Scene, name: str, hour: int) -> None:
    content = {"schedule": {"cron": f"0 {hour} * * *"}, "dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]}
    scene.sandbox.person_create(
        {"name": name, "version": "v1", "type": "workflow", "workspace": "public", "workflow": content}
    )


def writes(scene: Scene, mark: int) -> list[str]:
    return [word for word in scene.sent_since(mark) if not word.startswith("GET")]


def results(report: Report) -> dict[str, Any]:
    return {each.change.key.name: each.result for each in report.outcomes}


@pytest.mark.row("A3")
def test_exists_to_our_own_create_whose_answer_was_lost_is_ours(play: Callable[[Play], None]) -> None:
    """The answer is lost and the look after it too; once it can be looked at, its mark tells whose it is."""

    async def story(scene: Scene) -> None:
        scene.commit(zeta=workflow("zeta", 1))
        scene.sandbox.faults.add({"fault": "answer-lost", "method": "POST", "times": 1})
        mark = scene.mark
        assert results(await scene.look())["zeta"] is Result.UNKNOWN
        await scene.clock.sleep(60.0)
        await scene.look(woken_by_git=False)
        assert writes(scene, mark) == ["POST resources"]
        assert "zeta" in {key.name for key in scene.target.store.rows("main")}
        assert scene.target.store.open_intents("main") == ()

    play(story)


@pytest.mark.row("A4")
def test_exists_without_an_intent_of_ours_is_a_conflict_and_the_others_go_on(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        by_hand(scene, "zeta", 9)
        scene.commit(zeta=workflow("zeta", 1), eta=workflow("eta", 1))
        report = await scene.look(woken_by_git=False)
        told = {each.change.key.name: (each.result, each.change.reason) for each in report.outcomes}
        assert told == {"zeta": (Result.HELD, "Conflict"), "eta": (Result.DONE, "")}
        assert "exists, not managed" in next(e.message for e in report.outcomes if e.result is Result.HELD)

    play(story)


@pytest.mark.row("A5", "A6")
def test_what_is_gone_when_it_is_to_be_written_is_made_again_and_when_it_is_to_go_has_gone(
    play: Callable[[Play], None],
) -> None:
    async def story(scene: Scene) -> None:
        missing = {"fault": "not-found", "times": 1}
        scene.sandbox.faults.add({**missing, "method": "PUT"})
        scene.commit(alpha=workflow("alpha", 2))
        report = await scene.look()
        assert results(report) == {"alpha": Result.NOT_DONE}
        report = await scene.look(woken_by_git=False)
        assert results(report) == {"alpha": Result.DONE}, "it is looked at anew, and nothing is taken for granted"
        scene.sandbox.faults.add({**missing, "method": "DELETE"})
        scene.sandbox.person_delete("workflow", "beta", workspace="public")
        scene.commit(beta=None)
        await scene.look(woken_by_git=False)
        assert "beta" not in {key.name for key in scene.target.store.rows("main")}

    play(story)


@pytest.mark.row("A25")
def test_an_empty_list_and_a_404_for_everything_change_nothing(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.faults.add({"fault": "empty-list", "path": "/v1/resources"})
        scene.sandbox.faults.add({"fault": "not-found", "method": "GET", "path": "/v1/resources/workflow/*"})
        mark = scene.mark
        scene.commit(zeta=workflow("zeta", 1))
        report = await scene.look(woken_by_git=False)
        assert writes(scene, mark) == []
        assert {each.result for each in report.outcomes} == {Result.HELD}
        assert {key.name for key in scene.target.store.rows("main")} == set(NAMES)

    play(story)


@pytest.mark.row("A23")
def test_what_a_list_leaves_out_is_asked_for_by_its_key(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.faults.add({"fault": "short-list", "path": "/v1/resources", "times": 1})
        mark = scene.mark
        report = await scene.look(woken_by_git=False)
        assert writes(scene, mark) == [] and report.outcomes == ()

    play(story)


@pytest.mark.row("A37")
def test_what_is_deleted_and_still_readable_is_not_deleted_again(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.switches.delete_delay = 1000.0
        scene.restart()
        target = scene.target
        kinds = dict(target.platform.kinds)
        kinds["Workflow"] = replace(kinds["Workflow"], gone=Expression("status == 'deleted'"))
        target.platform = target.api.platform = replace(target.platform, kinds=kinds)
        scene.commit(alpha=None)
        mark = scene.mark
        for _ in range(3):
            await scene.look(woken_by_git=False)
            await scene.clock.sleep(60.0)
        assert writes(scene, mark) == ["DELETE alpha"]
        scene.commit(alpha=workflow("alpha", 1))
        report = await scene.look(woken_by_git=False)
        assert [each.change.reason for each in report.outcomes] == ["GoneElsewhere"]
        assert writes(scene, mark) == ["DELETE alpha"], "nor made again while its name is taken"

    play(story)


@pytest.mark.row("S5")
def test_a_lost_store_is_rebuilt_from_marks_without_a_write_and_nothing_is_deleted(
    play: Callable[[Play], None],
) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(alpha=None)
        scene.target.store.close()
        for path in scene._path.parent.glob("state.db*"):
            path.unlink()
        scene.target = scene._made()
        mark = scene.mark
        report = await scene.look(woken_by_git=False)
        assert writes(scene, mark) == []
        assert {each.change.action for each in report.outcomes} == {Action.ADOPT}
        rows = {key.name: row.proof for key, row in scene.target.store.rows("main").items()}
        assert rows == dict.fromkeys(NAMES[1:], "rebuilt")
        assert "alpha" in {each["name"] for each in scene.sandbox.resources()}, "nobody can prove whose it is to delete"

    play(story)


@pytest.mark.row("G8")
def test_a_moved_file_costs_no_call_beyond_the_look(play: Callable[[Play], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.look(woken_by_git=False)
        scene.files["elsewhere/renamed.yaml"] = scene.files.pop("alpha.yaml")
        scene.source.commit(scene.files)
        mark = scene.mark
        report = await scene.look()
        assert scene.sent_since(mark) == [] and report.outcomes == ()

    play(story)


@pytest.mark.row("A30")
def test_a_day_without_the_platform_costs_little_and_ends_by_itself(tmp_path: Path) -> None:
    interval = 5 * INTERVAL

    async def story(at: AtWork) -> None:
        await at.pass_time(5 * interval)
        at.scene.sandbox.faults.add({"fault": "unavailable"})
        at.sent()
        at.reports.clear()
        await at.pass_time(86_400.0)
        assert len(at.reports) <= 86_400 / interval + 10, "a line a pass at the most"
        assert len(at.sent()) <= 86_400 / interval * 6
        assert len(json.dumps(at.status(), default=str)) < 20_000
        at.scene.sandbox.faults.clear()
        at.commit(alpha=workflow("alpha", 2))
        await at.pass_time(5 * interval)
        assert at.writes() == ["PUT alpha"]

    play_at_work(tmp_path, {"alpha.yaml": FILES["alpha.yaml"]}, story, interval=interval)
