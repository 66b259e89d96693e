"""The short form of ``python -m tests.system.memory``: the same agent and the same two folders, with few manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.memory import judge, play
from tests.system.stage import PATIENCE, Stage

MANIFESTS = 60


@pytest.mark.row("L6")
def test_a_folder_over_its_limit_is_refused_and_the_agent_goes_on_within_its_memory(tmp_path: Path) -> None:
    with Stage(tmp_path / "stage") as stage:
        measured = play(stage, MANIFESTS, PATIENCE)
    assert judge(measured, MANIFESTS) == []
    assert 20.0 < measured.agent < 256.0 and measured.together > 20.0, "what is measured is a whole agent"
