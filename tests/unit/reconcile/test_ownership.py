"""Whose an object is, by a person's word: taken over once, let go undeleted, through lost answers too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.identity import Key
from agent.model.outcome import Report
from agent.model.ownership import Word
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, document, workflow

ALPHA = Key("main", "Workflow", (("workspace", "public"),), "alpha")


def play(folder: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    loop = VirtualLoop()
    scene = Scene(folder, loop, {"alpha.yaml": workflow("alpha", 1), "beta.yaml": workflow("beta", 1)})
    try:
        run(story(scene), loop)
    finally:
        scene.close()


def said(scene: Scene, verb: Any) -> None:
    scene.target.store.say([Word(ALPHA, verb, "ann", scene.clock.now())])


def alpha(scene: Scene) -> dict[str, Any]:
    return next(each for each in scene.sandbox.resources() if each["name"] == "alpha")


def marks(scene: Scene) -> list[str]:
    return [tag for tag in alpha(scene).get("tags") or () if tag.startswith("datakeel.")]


def told(report: Report) -> list[tuple[str, str]]:
    """What was to be done with alpha, and how it ended."""
    return [
        (each.change.action.value, each.code or each.result.value)
        for each in report.outcomes
        if each.change.key == ALPHA
    ]


def test_what_is_let_go_stays_live_unmarked_and_is_not_taken_over_again_by_itself(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        said(scene, "release")
        assert told(await scene.look()) == [("release", "done")]
        assert marks(scene) == [] and ALPHA not in scene.target.store.rows("main")
        for _ in range(2):
            assert told(await scene.look()) == [("hold", "Released")]
        scene.commit(alpha=None)
        assert told(await scene.look()) == []
        assert alpha(scene) and scene.target.store.words("main") == {}

    play(tmp_path, story)


@pytest.mark.parametrize("fault", ["answer-lost", "server-error", "server-error-after", "reset"])
def test_a_lost_answer_to_letting_go_is_looked_at_and_never_sent_blindly(tmp_path: Path, fault: str) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        said(scene, "release")
        scene.sandbox.faults.add({"fault": fault, "times": 1, "method": "PUT"})
        await scene.look()
        scene.restart()
        for _ in range(3):
            await scene.clock.sleep(60.0)
            await scene.look()
        assert marks(scene) == [] and ALPHA not in scene.target.store.rows("main")
        assert len([each for each in scene.sandbox.commits if each.method == "PUT"]) == 1
        assert not scene.target.store.open_intents("main")

    play(tmp_path, story)


def test_letting_go_of_what_git_no_longer_names_deletes_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.look()
        said(scene, "release")
        scene.commit(alpha=None)
        assert told(await scene.look()) == [("release", "done")]
        await scene.look()
        assert alpha(scene) and marks(scene) == [] and scene.target.store.words("main") == {}

    play(tmp_path, story)


def test_another_owners_mark_makes_way_once_a_person_says_so(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.person_create(document("alpha", 1, tags=["datakeel.other/abcdefghijkl", "sales"]))
        assert told(await scene.look()) == [("hold", "OwnedByOther")]
        said(scene, "adopt")
        assert told(await scene.look()) == [("adopt", "done")]
        (mark,) = marks(scene)
        assert mark.startswith("datakeel.main/") and "sales" in alpha(scene)["tags"]
        assert scene.target.store.words("main") == {}
        assert told(await scene.look()) == []

    play(tmp_path, story)


def test_consent_is_to_what_was_shown_and_to_nothing_else(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.sandbox.person_create(document("alpha", 5))
        scene.target.store.say([Word(ALPHA, "adopt", "ann", scene.clock.now(), "another digest")])
        assert told(await scene.look()) == [("hold", "ConsentOutdated")]
        assert marks(scene) == []

    play(tmp_path, story)


@pytest.mark.parametrize("fault", ["answer-lost", "server-error", "server-error-after", "reset"])
def test_an_adoption_whose_answer_was_lost_has_landed_only_if_the_mark_is_there(tmp_path: Path, fault: str) -> None:
    """The content is as git says before and after: it proves nothing."""

    async def story(scene: Scene) -> None:
        scene.sandbox.person_create(document("alpha", 1))
        scene.sandbox.faults.add({"fault": fault, "times": 1, "method": "PUT"})
        await scene.look()
        for _ in range(3):
            await scene.clock.sleep(60.0)
            await scene.look()
        assert len(marks(scene)) == 1 and scene.target.store.rows("main")[ALPHA].in_sync
        scene.commit(alpha=None)
        report = await scene.look()
        assert report.plan is not None and report.plan.count(Action.DELETE) == 1

    play(tmp_path, story)
