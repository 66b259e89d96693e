"""The short form of the kill sweep; ``python -m tests.system.kill_sweep --kills 200`` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.kill_sweep import sweep
from tests.system.script import draw_script


def test_one_seed_draws_one_script_of_every_kind_of_change() -> None:
    first, second = draw_script(3, 40), draw_script(3, 40)
    assert first == second
    assert draw_script(4, 40) != first
    assert first.counts.keys() >= {"create", "update", "remove", "rename", "move", "return"}
    assert len(first.commits) == 40 and all(first.commits)


@pytest.mark.slow
@pytest.mark.row("K3", "K5", "K6", "K8", "K10", "K11", "K12")
def test_an_agent_killed_again_and_again_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    calm, killed = sweep(tmp_path, kills=6, seed=2, commits=5, settle=0.0)
    assert calm.wrong == []
    assert killed.wrong == []
    assert (killed.kills, killed.starts) == (6, 7)
    assert calm.live == killed.live
