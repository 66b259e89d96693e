"""What the whole suite shares with the tool that runs it."""

from __future__ import annotations

import os

pytest_plugins = ["tests.reading_verbs"]


def pytest_xdist_auto_num_workers() -> int:
    """Twice the processors: half of the suite's time is spent waiting for child processes and their clocks."""
    return 2 * (os.cpu_count() or 1)
