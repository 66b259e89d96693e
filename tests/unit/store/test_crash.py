"""kill -9 and power loss: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from agent.store import status
from agent.store.store import Store
from tests.unit.store.builders import HandClock, url_of
from tests.unit.store.cuts import COMMITS, lengths, write_history

_WRITER = """
import sys
from agent.clock import SystemClock
from agent.store.store import Store
from tests.unit.store.builders import intent, row
store = Store.open(sys.argv[1], clock=SystemClock())
for number in range(100_000):
    name = f"etl-{number:06}"
    store.open_intent(intent(name, name), row(name), {"/a": number})
    print("opened", number, flush=True)
    store.close_intent(name, "done", row=row(name), applied={"/a": number})
    print("closed", number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 7, 60])
@pytest.mark.row("K15")
def test_acknowledged_commits_survive_kill_9(path: Path, lines: int) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, url_of(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline().split() for _ in range(lines)]
        writer.kill()
        heard += [line.split() for line in writer.stdout.read().splitlines()]
        writer.wait()
    opened = {int(number) for word, number in heard if word == b"opened"}
    closed = {int(number) for word, number in heard if word == b"closed"}
    assert status.read_status(url_of(path)) == {"exists": True, "targets": {}, "suspended": [], "config_refused": None}

    store = Store.open(url_of(path), clock=HandClock())
    rows = {int(found.name.removeprefix("etl-")) for found in store.rows("analytics")}
    pending = [int(found.intent.key.name.removeprefix("etl-")) for found in store.open_intents("analytics")]
    assert rows >= closed
    assert rows | set(pending) >= opened
    assert rows == set(range(len(rows)))
    assert pending in ([], [len(rows)])
    assert len(store.applied(store.rows("analytics"))) == len(rows)
    store.close()


@pytest.mark.row("K16")
def test_a_log_cut_at_any_byte_reads_as_a_prefix_of_the_history(path: Path, tmp_path: Path) -> None:
    """The power went in the middle of the log. ``python -m tests.unit.store.cuts`` cuts it at every 512 bytes."""
    log = write_history(path)
    chance = random.Random(1)
    cuts = sorted({0, len(log), *(chance.randrange(len(log)) for _ in range(30))})
    found = lengths(path, log, cuts, tmp_path)
    assert found == sorted(found)
    assert found[0] == 0
    assert len(set(found)) > 10
    assert found[-1] == COMMITS


def test_a_creation_that_dies_leaves_no_store_or_a_whole_one(tmp_path: Path) -> None:
    from agent.store.location import place_new

    def die(count: int) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_new(tmp_path / "state.db", b"content", die)
    assert list(tmp_path.iterdir()) == []
