"""The short form of ``python -m tests.platforms.imports``: one object of each kind of two platforms, over a socket."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.platforms.imports import play
from tests.simulation.places import memory_folder


def test_what_people_made_becomes_a_repository_without_a_difference() -> None:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        told = play(1, Path(name), ("dataloop/v1", "dataops-live/v4"))
    assert told.resources == told.files >= 5
    assert told.secrets == told.waiting == 0
    assert "diff at the end" in told.seconds
