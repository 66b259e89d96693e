"""Objects whose name identifies nothing, and that nobody marks: a person names the one that is meant by its id."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model.change import Action
from agent.model.outcome import Result
from agent.model.ownership import Word
from tests.platforms.conformance.emulated import Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

UNNAMED = [each for each in examples_of_kinds() if not each.kind.unique and each.kind.mark is None and each.kind.id]


@pytest.fixture(params=UNNAMED, ids=str)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Emulated, VirtualLoop]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(request.param, tmp_path, make_template(Path(name)), loop)
        yield emulated, loop
        emulated.close()


def test_one_that_is_named_by_its_id_is_taken_over_without_a_second_one(at: tuple[Emulated, VirtualLoop]) -> None:
    emulated, loop = at

    async def story() -> None:
        emulated.commit(emulated.document)
        await emulated.written(Action.CREATE)
        made = emulated.world.commits[-1]
        (key,) = emulated.store.rows("main")
        emulated.store.forget(key, tombstone=False)  # nobody's from now on
        server_id = str((made.after or {})["id"])
        emulated.store.say([Word(key, "adopt", "ann", emulated.clock.now(), None, server_id)])
        (outcome,) = (await emulated.one_pass()).outcomes
        assert (outcome.change.action, outcome.result) == (Action.ADOPT, Result.DONE)
        assert emulated.store.rows("main")[key].server_id == server_id
        assert emulated.store.words("main") == {}
        await emulated.rest()
        emulated.count(made.type, 1)

    run(story(), loop)
