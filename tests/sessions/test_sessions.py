"""Every session plays as it is written down. `DATAKEEL_REWRITE_SESSIONS=1` writes down how it plays now.

Rewriting still fails on a status or a file that the script does not announce; read the difference before you keep it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from tests.sessions.session import HERE, Processes, Session

SESSIONS = sorted(path.parent.name for path in HERE.glob("*/script"))
REWRITE = os.environ.get("DATAKEEL_REWRITE_SESSIONS") == "1"


@pytest.mark.parametrize("name", SESSIONS)
def test_the_session_plays_as_written(name: str, tmp_path: Path, processes: Processes) -> None:
    output, requests = Session(HERE / name / "script", tmp_path, processes).play()
    _compare(HERE / name / "output.txt", output)
    _compare(HERE / name / "requests.txt", requests)


def _compare(path: Path, now: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if REWRITE:
        if now:
            path.write_text(now, encoding="utf-8")
        else:
            path.unlink(missing_ok=True)
        return
    difference = "".join(difflib.unified_diff(before.splitlines(True), now.splitlines(True), str(path.name), "now"))
    assert now == before, f"{difference}\nDATAKEEL_REWRITE_SESSIONS=1 writes the new one"
