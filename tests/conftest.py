"""What the whole suite shares with the tool that runs it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
import structlog

from tests.sessions.session import Processes

pytest_plugins = ["tests.reading_verbs"]


def pytest_xdist_auto_num_workers() -> int:
    """Twice the processors: half of the suite's time is spent waiting for child processes and their clocks."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Nine thousand tests stay until the end in each worker: no collection of garbage looks at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def own_log_words() -> Iterator[None]:
    """Simulations and fuzzers silence the log for their process; the files after them in it hear again."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One process of this worker that has imported everything and forks for every command."""
    started = Processes()
    yield started
    started.close()
