from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.store import Store
from tests.unit.store.builders import HandClock, url_of


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path, clock: HandClock) -> Iterator[Store]:
    store = Store.open(url_of(path), clock=clock)
    yield store
    store.close()
