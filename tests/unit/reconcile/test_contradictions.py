"""What a platform says in one breath and denies in the next is not known: nothing is forgotten or made for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Result
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow

Story = Callable[[Scene], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Story], None]:
    def played(story: Story) -> None:
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop, {"a.yaml": workflow("a", 1), "b.yaml": workflow("b", 1)})
        try:
            run(story(scene), loop)
        finally:
            scene.close()

    return played


@pytest.mark.parametrize(
    ("after", "woken_by_git", "says"),
    [
        pytest.param(60, False, "the list of a moment ago shows it", id="for what the list shows"),
        # A commit wakes a look without lists: what it does not find is forgotten once a list lacks it too.
        pytest.param(20, True, "no whole list", id="that no list agrees with"),
    ],
)
def test_a_404_by_itself_forgets_nothing(
    play: Callable[[Story], None], after: int, woken_by_git: bool, says: str
) -> None:
    async def story(scene: Scene) -> None:
        await scene.look(woken_by_git=False)
        await scene.clock.sleep(after)
        scene.commit(b=None)
        scene.sandbox.faults.add(
            {"fault": "not-found", "method": "GET", "path": "/v1/resources/workflow/b", "times": 1}
        )
        report = await scene.look(woken_by_git=woken_by_git)
        (outcome,) = report.outcomes
        assert (outcome.change.action, outcome.result) == (Action.HOLD, Result.HELD)
        assert says in outcome.message
        await scene.clock.sleep(60)
        report = await scene.look(woken_by_git=False)
        assert [(each.change.action, each.result) for each in report.outcomes] == [(Action.DELETE, Result.DONE)]

    play(story)
