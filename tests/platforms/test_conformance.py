"""Every managed kind of every definition lives through its life on the emulated platform: made, read back, changed by
git and by people, replaced, removed. What goes wrong meanwhile is in ``test_conformance_scenes.py``.

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
from tests.platforms.conformance.derived import OF_EXAMPLE, exemption
from tests.platforms.conformance.examples import Example, examples_of_kinds, surroundings
from tests.platforms.conformance.life import ENDS_WITH
from tests.platforms.conformance.life import STAGES as STAGES_OF_LIFE
from tests.platforms.conformance.suite import STAGES, lacking, live_through, stages_of
from tests.platforms.folders import folders, loaded
from tests.simulation.places import make_template, memory_folder

EXAMPLES = list(examples_of_kinds())
WITH_EMULATOR = [name for name, _ in folders() if "emulator" in surroundings().get(name, {})]


def _cases() -> Iterator[object]:
    for example in EXAMPLES:
        fallen = ""
        for stage in STAGES_OF_LIFE:
            reason = fallen or lacking(example, stage)
            fallen = fallen or (reason if stage in ENDS_WITH else "")
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            if not exemption(example, stage):
                yield pytest.param(example, stage, id=f"{example}-{stage}", marks=marks)


@pytest.fixture(scope="module")
def lives() -> Iterator[Callable[[Example], dict[str, str]]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        template = make_template(Path(name))

        @cache
        def life_of(example: Example) -> dict[str, str]:
            place = Path(name) / str(example).replace("/", "-")
            place.mkdir()
            return live_through(example, place, template)

        yield life_of


@pytest.mark.parametrize(("example", "stage"), list(_cases()))
def test_a_kind_lives_through(example: Example, stage: str, lives: Callable[[Example], dict[str, str]]) -> None:
    stages = lives(example)
    assert stage in stages, "an earlier stage fell"
    assert stages[stage] == ""


@pytest.mark.parametrize("name", [name for name, _ in folders()])
def test_every_definition_has_an_emulator_or_a_reason_why_not(name: str) -> None:
    known = surroundings()[name]
    assert known.get("emulator") in PLATFORMS or known.get("none")


@pytest.mark.parametrize("name", WITH_EMULATOR)
def test_every_managed_kind_has_an_example_that_is_lived_through(name: str) -> None:
    shown = {example.kind_name for example in EXAMPLES if example.definition == name}
    assert shown == {kind.name for kind in loaded(name).kinds.values() if kind.managed}


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_is_only_words(stage: str) -> None:
    """Whatever definitions exempt their kinds from, each stage is gone through by one kind at least."""
    assert [example for example in EXAMPLES if not exemption(example, stage)]


def test_what_one_example_cannot_show_another_one_of_its_kind_does() -> None:
    shown = {(example.definition, example.kind_name, stage) for example in EXAMPLES for stage in stages_of(example)}
    silent = [
        (str(example), stage)
        for example in EXAMPLES
        for stage in STAGES
        if exemption(example, stage).startswith(OF_EXAMPLE)
        and (example.definition, example.kind_name, stage) not in shown
    ]
    assert silent == []


def test_what_the_engine_lacks_is_told_of_examples_and_stages_that_exist() -> None:
    shown = {(example.definition, example.name, stage) for example in EXAMPLES for stage in STAGES}
    told = {
        (name, example, stage)
        for name, known in surroundings().items()
        for example, stages in known.get("lacks", {}).items()
        for stage in stages
    }
    assert told <= shown
