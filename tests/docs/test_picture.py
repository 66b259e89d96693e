"""The picture of a plan in README shows what the program prints today."""

from __future__ import annotations

from pathlib import Path

from tests.docs.emulator import free_port
from tests.docs.picture import PICTURE, drawn, worded
from tests.sessions.session import Processes


def test_the_picture_shows_what_the_program_prints(tmp_path: Path, processes: Processes) -> None:
    shown = PICTURE.read_text(encoding="utf-8")
    assert worded(drawn(tmp_path, processes, free_port())) == worded(shown), (
        "python -m tests.docs.picture draws it anew"
    )
    assert "1 delete, 2 update, 1 create" in worded(shown)
