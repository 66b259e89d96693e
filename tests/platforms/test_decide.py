"""A create whose answer was lost, of a kind that nothing identifies: a person decides, and the agent heeds it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.deciding import decide
from agent.cli.options import Options, Selector
from agent.config.model import Config, SourceConfig
from agent.errors import UsageError
from agent.model.change import Action
from agent.model.outcome import Result
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

UNNAMED = [each for each in examples_of_kinds() if not each.kind.unique and each.kind.mark is None]


@pytest.fixture(params=UNNAMED, ids=str)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Emulated, VirtualLoop]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(request.param, tmp_path, make_template(Path(name)), loop)
        yield emulated, loop
        emulated.close()


def config_of(at: Emulated, folder: Path) -> Config:
    state = f"sqlite:///{folder / 'state.db'}"
    return Config(folder / "datakeel.yaml", SourceConfig(path=folder), state, (), {"main": at.target.config})


async def in_doubt(emulated: Emulated, fault: str) -> Selector:
    """The create is sent and its answer lost; the next pass asks about what is told here."""
    created = emulated.kind.create
    assert created is not None
    emulated.world.faults.add({"fault": fault, "method": created.method, "times": 1})
    emulated.commit(emulated.document)
    (outcome,) = (await emulated.one_pass()).outcomes
    assert outcome.result is Result.UNKNOWN
    await emulated.clock.sleep(BETWEEN_PASSES)
    (held,) = (await emulated.one_pass()).outcomes
    assert (held.change.reason, held.result) == ("NeedsDecision", Result.HELD)
    assert f"datakeel decide {held.change.key.path} --made ID, or --not-made" in held.message
    return Selector.parse(held.change.key.path)


def test_one_that_was_made_is_ours_from_then_on_and_no_second_one_is_made(
    at: tuple[Emulated, VirtualLoop], tmp_path: Path
) -> None:
    emulated, loop = at

    async def story() -> None:
        asked = await in_doubt(emulated, "answer-lost")
        commit = emulated.world.commits[-1]
        server_id = str((commit.after or {})["id"])
        with pytest.raises(UsageError, match="is found again by its id"):
            decide(config_of(emulated, tmp_path), Options(), asked, made=True, server_id="")
        decide(config_of(emulated, tmp_path), Options(), asked, made=True, server_id=server_id)
        await emulated.rest()
        (row,) = emulated.store.rows("main").values()
        assert (row.server_id, row.in_sync) == (server_id, True)
        emulated.count(commit.type, 1)

    run(story(), loop)


def test_one_that_was_not_made_is_made_once(at: tuple[Emulated, VirtualLoop], tmp_path: Path) -> None:
    emulated, loop = at

    async def story() -> None:
        asked = await in_doubt(emulated, "reset")
        with pytest.raises(UsageError, match="no create of Other/thing is in doubt"):
            decide(config_of(emulated, tmp_path), Options(), Selector.parse("Other/thing"), made=False, server_id=None)
        decide(config_of(emulated, tmp_path), Options(), asked, made=False, server_id=None)
        await emulated.written(Action.CREATE)
        await emulated.rest()
        emulated.count(emulated.world.commits[-1].type, 1)

    run(story(), loop)
