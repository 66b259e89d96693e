"""`movedFrom` where the platform can give an object another name: one update in place, no delete and no create."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action, Cause
from agent.model.outcome import Result
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

RENAMING = [each for each in examples_of_kinds() if each.kind.rename is not None]


@pytest.fixture(params=RENAMING, ids=str)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Emulated, VirtualLoop]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(request.param, tmp_path, make_template(Path(name)), loop)
        yield emulated, loop
        emulated.close()


def moved(document: Any, **spec: Any) -> Any:
    """The same manifest under another name, and what else git changes with it."""
    made = copy.deepcopy(dict(document))
    made["lifecycle"] = {**made.get("lifecycle", {}), "movedFrom": made["metadata"]["name"]}
    made["metadata"] = {**made["metadata"], "name": made["metadata"]["name"] + "-anew"}
    made["spec"] = {**made["spec"], **spec}
    return made


def test_some_platform_renames() -> None:
    assert {each.kind.name for each in RENAMING} == {"Project"}


@pytest.mark.parametrize("spec", [{}, {"description": "another one"}], ids=["alone", "with-a-change"])
def test_a_move_is_one_update_in_place(at: tuple[Emulated, VirtualLoop], spec: dict[str, str]) -> None:
    emulated, loop = at

    async def story() -> None:
        emulated.commit(emulated.document)
        await emulated.written(Action.CREATE)
        made = emulated.world.commits[-1]
        await emulated.clock.sleep(BETWEEN_PASSES)
        before = len(emulated.world.commits)
        emulated.commit(moved(emulated.document, **spec))
        (outcome,) = (await emulated.one_pass()).outcomes
        assert (outcome.change.action, outcome.change.cause, outcome.result) == (Action.UPDATE, Cause.MOVE, Result.DONE)
        assert outcome.change.fields[0].path == "metadata.name"
        (commit,) = emulated.world.commits[before:]
        assert (commit.after or {})["id"] == (made.after or {})["id"]
        (row,) = emulated.store.rows("main").values()
        assert row.key.name.endswith("-anew") and row.in_sync
        await emulated.rest()

    run(story(), loop)


@pytest.mark.parametrize("fault", ["answer-lost", "server-error", "server-error-after", "reset"])
def test_a_rename_whose_answer_was_lost_is_looked_at(at: tuple[Emulated, VirtualLoop], fault: str) -> None:
    emulated, loop = at

    async def story() -> None:
        emulated.commit(emulated.document)
        await emulated.written(Action.CREATE)
        made = emulated.world.commits[-1]
        await emulated.clock.sleep(BETWEEN_PASSES)
        before = len(emulated.world.commits)
        emulated.commit(moved(emulated.document))
        emulated.world.faults.add({"fault": fault, "method": "PUT", "times": 1})
        for _ in range(5):
            await emulated.one_pass()
            await emulated.clock.sleep(BETWEEN_PASSES)
        assert [each.method for each in emulated.world.commits[before:]] == ["PUT"]
        assert (emulated.world.commits[-1].after or {})["id"] == (made.after or {})["id"]
        (row,) = emulated.store.rows("main").values()
        assert row.key.name.endswith("-anew")
        await emulated.rest()

    run(story(), loop)
