"""The page `agent/docs/how-to/real-server.md`, typed as it says, against the server that it names.

The server is started by the page's own file and command, in the environment that ``tests.platforms.servers`` made: what
is left out is the install, which is that environment's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.fences import fits, steps
from tests.docs.reader import Reader
from tests.platforms.servers import SERVERS, Running, needs, running
from tests.sessions.session import ROOT, Processes

PAGE = ROOT / "agent" / "docs" / "how-to" / "real-server.md"
SERVER = SERVERS["kinto"]
PRINTED_PORT = "8888"
pytestmark = [pytest.mark.slow, needs("kinto")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(SERVER, tmp_path / "server") as served:
        yield served


@pytest.fixture
def reader(tmp_path: Path, processes: Processes) -> Iterator[Reader]:
    one = Reader(tmp_path, processes)
    yield one
    one.close()


def test_the_server_is_installed_and_started_as_the_page_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    name, shown = next(iter(SERVER.start.files.items()))
    settings = re.search(r"```ini\n(.*?)```", text, re.DOTALL)
    assert settings is not None
    assert (f"In `{name}`:" in text, settings[1]) == (True, shown.replace("{port}", PRINTED_PORT))
    install, start = (line for what, line, _ in steps(text) if what == "command" and "bin/" in line)
    assert install.endswith(f"kinto/bin/pip install -q {SERVER.environment.requirement}")
    assert start.split() == ["kinto/bin/kinto", *(word.replace("{folder}/", "") for word in SERVER.start.command[1:])]


def test_the_page_does_what_it_says(server: Running, reader: Reader) -> None:
    text = PAGE.read_text(encoding="utf-8").replace(f"http://127.0.0.1:{PRINTED_PORT}", server.address)
    given = [(line, shown) for what, line, shown in steps(text) if what == "command" and "kinto/bin/" not in line]
    for line, shown in given:
        printed = reader.run(line)
        assert fits(printed, shown), f"$ {line}\n{printed}\n--- the page shows\n{shown}"
    assert len(given) > 15
    assert reader.run(f'by_hand "{server.address}/v1/buckets/shop/collections/features/records"').endswith('"data":[]}')
