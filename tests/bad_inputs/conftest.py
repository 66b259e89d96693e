"""What the tests of bad input share: one sandbox a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bad_inputs.bench import Benches
from tests.sessions.session import Processes


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Iterator[Benches]:
    made = Benches(tmp_path_factory.mktemp("bad-inputs"), processes)
    yield made
    made.sandbox.stop()
