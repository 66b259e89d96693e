"""The short form of the simulation; ``python -m tests.simulation`` is the long one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.model.inventory import Intent, InventoryRow
from tests.simulation import story
from tests.simulation.kill import MortalStore
from tests.simulation.places import place
from tests.simulation.story import Happening, tell, workflow

SEEDS = 8
SHORT = [
    Happening(
        0.0, "commit", {"files": {"a.json": workflow("alpha", "0 1 * * *"), "b.json": workflow("beta", "0 1 * * *")}}
    ),
    Happening(40.0, "commit", {"files": {"a.json": workflow("alpha", "0 2 * * *")}}),
]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_invariant_is_broken(seed: int, folder: Path, template: Path) -> None:
    told = tell(seed, place(folder, f"calm-{seed}"), template=template)
    assert told.violations == [], f"python -m tests.simulation --seed {seed} --story"


@pytest.mark.parametrize("seed", range(SEEDS, 2 * SEEDS))
def test_no_invariant_is_broken_by_a_death(seed: int, folder: Path, template: Path) -> None:
    kill = random.Random(f"kill/{seed}").randint(1, 120)
    told = tell(seed, place(folder, f"killed-{seed}"), kill_at=kill, template=template)
    assert told.violations == [], f"python -m tests.simulation --seed {seed} --kill {kill} --story"


def test_one_seed_tells_one_story(folder: Path, template: Path) -> None:
    first = tell(7, place(folder, "first"), kill_at=33, template=template)
    second = tell(7, place(folder, "second"), kill_at=33, template=template)
    assert first.log == second.log
    assert first.live == second.live


@pytest.mark.row("K1", "K2", "K3", "K5", "K6", "K7", "K8", "K10", "K11", "K12")
def test_dying_between_any_two_effects_comes_to_the_same_end(folder: Path, template: Path) -> None:
    whole = tell(0, place(folder, "whole"), template=template, happenings=SHORT)
    assert whole.violations == []
    assert len(whole.effects) > 60
    for point in range(1, len(whole.effects) + 1, 3):  # the command takes each: `close --sweep`
        told = tell(0, place(folder, f"point-{point}"), kill_at=point, template=template, happenings=SHORT)
        assert told.violations == [], f"killed at {point} ({whole.effects[point - 1]})"
        assert told.live == whole.live, f"another end after a death at {point} ({whole.effects[point - 1]})"


class NoJournal(MortalStore):
    """A wrong store: it forgets to write intents down."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None:
        return None


class NoInventory(MortalStore):
    """A wrong store: what was created is not remembered."""

    def close_intent(self, op_id: str, result: str, **words: Any) -> bool:
        return super().close_intent(op_id, result)

    def put_rows(self, rows: Any, applied: Any = None) -> None:
        return None


@pytest.mark.parametrize(("wrong", "invariant"), [(NoJournal, "I11"), (NoInventory, "I4")])
def test_the_judge_catches_a_wrong_agent(
    wrong: type[MortalStore], invariant: str, folder: Path, template: Path
) -> None:
    """A harness that nobody tried to fool proves nothing."""
    removed = [*SHORT[:1], Happening(40.0, "commit", {"files": {"c.json": workflow("gamma", "0 1 * * *")}})]
    told = tell(0, place(folder, f"wrong-{invariant}"), template=template, happenings=removed, store=wrong)
    assert any(violation.startswith(invariant) for violation in told.violations)


def test_a_story_is_drawn_before_it_is_played() -> None:
    assert story.draw_story(3) == story.draw_story(3)
    assert story.draw_story(3) != story.draw_story(4)
