"""The short form of the sweep over pairs of deaths; ``python -m tests.simulation.pairs`` plays thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.pairs import Pair, play
from tests.simulation.places import make_template


@pytest.mark.parametrize("pair", [Pair(7, 33, 12), Pair(17, 47, 4)], ids=str)
def test_an_agent_that_dies_and_dies_again_while_it_recovers_comes_to_the_same_end(pair: Pair, tmp_path: Path) -> None:
    told = play(pair, tmp_path, make_template(tmp_path))
    assert told is not None
    assert told.kills == 2
    assert told.violations == []
    first, second = (line for line in told.log if "killed at" in line)
    assert first < second
