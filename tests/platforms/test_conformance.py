"""Every managed kind of every definition lives through its life on the emulated platform: made, read back, left alone,
changed, removed.

Definitions, kinds and examples are discovered; ``conformance.yaml`` says which emulator serves which definition, and
what the engine cannot do yet. That part is strict: a kind that begins to work must leave the list.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from agent.sandbox import PLATFORMS
from tests.platforms.conformance import Example, Life, examples_of_kinds, live_through, stages_of, surroundings
from tests.platforms.folders import folders, loaded
from tests.simulation.__main__ import make_template, memory_folder

EXAMPLES = list(examples_of_kinds())


def _cases() -> Iterator[object]:
    for example in EXAMPLES:
        lacking = surroundings()[example.definition].get("lacks", {}).get(example.name, {})
        fallen = ""
        for stage in stages_of(example):
            reason = fallen or lacking.get(stage, "")
            fallen = fallen or (reason if stage != "sends" else "")
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            yield pytest.param(example, stage, id=f"{example}-{stage}", marks=marks)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def lives(folder: Path) -> Callable[[Example], Life]:
    template = make_template(folder)

    @cache
    def life_of(example: Example) -> Life:
        place = folder / str(example).replace("/", "-")
        place.mkdir()
        return live_through(example, place, template)

    return life_of


@pytest.mark.parametrize(("example", "stage"), list(_cases()))
def test_a_kind_lives_through(example: Example, stage: str, lives: Callable[[Example], Life]) -> None:
    stages = lives(example).stages
    assert stage in stages, "an earlier stage fell"
    assert stages[stage] == ""


@pytest.mark.parametrize("name", [name for name, _ in folders()])
def test_every_definition_has_an_emulator_or_a_reason_why_not(name: str) -> None:
    known = surroundings()[name]
    assert known.get("emulator") in PLATFORMS or known.get("none")


@pytest.mark.parametrize("name", [name for name, _ in folders() if "emulator" in surroundings().get(name, {})])
def test_every_managed_kind_has_an_example_that_is_lived_through(name: str) -> None:
    shown = {example.kind for example in EXAMPLES if example.definition == name}
    assert shown == {kind.name for kind in loaded(name).kinds.values() if kind.managed}


def test_what_the_engine_lacks_is_told_of_examples_that_exist() -> None:
    shown = {(example.definition, example.name) for example in EXAMPLES}
    lacking = {(name, example) for name, known in surroundings().items() for example in known.get("lacks", {})}
    assert lacking <= shown
