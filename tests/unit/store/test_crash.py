"""kill -9 and power loss: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.store import status
from agent.store.store import Store
from tests.unit.store.builders import HandClock, intent, row, url_of

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
def test_acknowledged_commits_survive_kill_9(path: Path, lines: int) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, url_of(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        heard = [writer.stdout.readline().split() for _ in range(lines)]
        writer.kill()
        heard += [line.split() for line in writer.stdout.read().splitlines()]
        writer.wait()
    opened = {int(number) for word, number in heard if word == b"opened"}
    closed = {int(number) for word, number in heard if word == b"closed"}
    assert status.read_status(url_of(path)) == {"exists": True, "targets": {}, "suspended": []}

    store = Store.open(url_of(path), clock=HandClock())
    rows = {int(found.name.removeprefix("etl-")) for found in store.rows("analytics")}
    pending = [int(found.intent.key.name.removeprefix("etl-")) for found in store.open_intents("analytics")]
    assert rows >= closed
    assert rows | set(pending) >= opened
    assert rows == set(range(len(rows)))
    assert pending in ([], [len(rows)])
    assert len(store.applied(store.rows("analytics"))) == len(rows)
    store.close()


def test_a_log_cut_at_any_byte_reads_as_a_prefix_of_the_history(path: Path, tmp_path: Path) -> None:
    """The power went: only a part of the write-ahead log reached the disk."""
    store = Store.open(url_of(path), clock=HandClock())
    store.query("PRAGMA wal_autocheckpoint=0", {})
    for number in range(12):
        name = f"etl-{number:02}"
        store.open_intent(intent(name, name), row(name), {"/a": number})
        store.close_intent(name, "done", row=row(name), applied={"/a": number})
    log = path.with_name("state.db-wal").read_bytes()
    chance = random.Random(1)
    cuts = sorted({0, len(log), *(chance.randrange(len(log)) for _ in range(30))})
    lengths = []
    for cut in cuts:
        copy = tmp_path / f"cut-{cut}" / "state.db"
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        copy.with_name("state.db-wal").write_bytes(log[:cut])
        lengths.append(_prefix_length(copy))
    store.close()
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert len(set(lengths)) > 10
    assert lengths[-1] == 24


def _prefix_length(path: Path) -> int:
    """Number of commits that are there; fails when they are not a prefix."""
    store = Store.open(url_of(path), clock=HandClock())
    rows = store.rows("analytics")
    pending = store.open_intents("analytics")
    assert sorted(found.name for found in rows) == [f"etl-{number:02}" for number in range(len(rows))]
    assert [found.intent.key.name for found in pending] in ([], [f"etl-{len(rows):02}"])
    assert store.applied(rows) == {found: {"/a": number} for number, found in enumerate(sorted(rows))}
    assert store.damaged_rows("analytics") == ()
    assert store.query("PRAGMA quick_check", {}) == [("ok",)]
    store.close()
    return 2 * len(rows) + len(pending)


def test_a_creation_that_dies_leaves_no_store_or_a_whole_one(tmp_path: Path) -> None:
    from agent.store.location import place_new

    def die(count: int) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_new(tmp_path / "state.db", b"content", die)
    assert list(tmp_path.iterdir()) == []
