"""The page `agent/docs/how-to/your-own-platform.md`, done as it says: every file, every command, every output.

The API is a real server that knows nothing of datakeel.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.fences import fits, steps
from tests.docs.reader import Reader
from tests.sessions.session import Processes

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "agent" / "docs" / "how-to" / "your-own-platform.md"
_PRINTED_PORT = "127.0.0.1:8099"
_SERVE = "python -m tests.platforms.bookshelf 8099"


@pytest.fixture
def shell(tmp_path: Path, processes: Processes) -> Iterator[Reader]:
    one = Reader(tmp_path, processes)
    yield one
    one.close()


@pytest.fixture
def address() -> Iterator[str]:
    """Where the bookshelf is, started by the page's own command but for its port."""
    assert _SERVE in PAGE.read_text(encoding="utf-8")
    command = [sys.executable, *_SERVE.replace("8099", "0").split()[1:]]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rpartition("http://")[2]
        server.terminate()


def test_the_page_does_what_it_says(shell: Reader, address: str) -> None:
    text = PAGE.read_text(encoding="utf-8").replace(_PRINTED_PORT, address)
    done = []
    for what, first, second in steps(text):
        done.append(what)
        if what == "file":
            shell.run(f"cat > {first} <<'END'\n{second}END")
        elif first != _SERVE:
            printed = shell.run(first)
            assert fits(printed, second), f"$ {first}\n{printed}\n--- the page shows\n{second}"
    assert done.count("file") == 6
    assert done.count("command") > 12
    listed = json.loads(shell.run(f'curl -s -H "X-Api-Key: $BOOKSHELF_KEY" http://{address}/api/books'))
    assert [(book["slug"], book["copies"]) for book in listed["books"]] == [("dune", 2)]  # healed, and emma is gone
    assert "nothing is missing" in shell.run("datakeel explain promises bookshelf")
