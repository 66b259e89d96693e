"""What the whole suite shares with the tool that runs it."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["tests.reading_verbs"]

# Files that wait for child processes and real clocks. Begun last, one of them would be all that is still running.
_PATIENT = ("tests/system/", "tests/bad_inputs/", "tests/simulation/", "tests/canaries/", "tests/sessions/")


def pytest_xdist_auto_num_workers() -> int:
    """Twice the processors: half of the suite's time is spent waiting for child processes and their clocks."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first that wait; `--no-loadscope-reorder` keeps xdist from preferring files with many tests."""
    items.sort(key=lambda item: not item.nodeid.startswith(_PATIENT))
