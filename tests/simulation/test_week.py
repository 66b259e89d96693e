"""The short form of the week; ``python -m tests.simulation.week`` is the long one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.places import memory_folder
from tests.simulation.week import Plan, lines_of, play


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        yield Path(name)


@pytest.mark.parametrize("sliding", [False, True], ids=["fixed", "sliding"])
def test_no_window_is_exceeded_and_nobody_waits(sliding: bool, folder: Path) -> None:
    told = play(Plan(workflows=40, hours=0.75, goal_seconds=600.0, sliding=sliding, seed=5, busy=4.0), folder)
    assert told.violations == [], "\n".join(lines_of(told))
    assert told.took["git"] and told.took["event"] and told.took["silent"], "all three sorts happened"
    assert told.ages[-1] <= 600.0
    assert told.calls["person"] > 10
