"""Power loss: the write-ahead log cut short, at every 512 bytes. ``python -m tests.unit.store.cuts``; exit 1 when torn.

Whatever part of the log reached the disk, what is read is a prefix of the history: nothing by half or out of order.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from agent.store.store import Store
from tests.unit.store.builders import HandClock, intent, row, url_of

RESOURCES = 12
COMMITS = 2 * RESOURCES  # each is opened and closed
STEP = 512


def write_history(path: Path) -> bytes:
    """A store with a history of commits; the log that holds them, none of them in the file itself yet."""
    store = Store.open(url_of(path), clock=HandClock())
    store.query("PRAGMA wal_autocheckpoint=0", {})
    for number in range(RESOURCES):
        name = f"etl-{number:02}"
        store.open_intent(intent(name, name), row(name), {"/a": number})
        store.close_intent(name, "done", row=row(name), applied={"/a": number})
    log = path.with_name("state.db-wal").read_bytes()
    kept = path.with_name("kept.db")
    shutil.copyfile(path, kept)
    store.close()  # which writes the log into the file
    shutil.move(kept, path)
    return log


def lengths(path: Path, log: bytes, cuts: Iterable[int], folder: Path) -> list[int]:
    """How many commits are there for each length of the log; fails where they are no prefix."""
    found = []
    for cut in cuts:
        copy = folder / f"cut-{cut}" / "state.db"
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        copy.with_name("state.db-wal").write_bytes(log[:cut])
        found.append(_prefix_length(copy))
        shutil.rmtree(copy.parent)
    return found


def _prefix_length(path: Path) -> int:
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


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="datakeel-cuts-") as name:
        folder = Path(name)
        log = write_history(folder / "state.db")
        cuts = [*range(0, len(log), STEP), len(log)]
        try:
            found = lengths(folder / "state.db", log, cuts, folder)
        except AssertionError as torn:
            print(f"torn: {torn}")
            return 1
    reached = Counter(found)
    prefix = found == sorted(found) and reached.keys() == set(range(COMMITS + 1))
    print(f"{len(cuts)} cuts of {len(log)} bytes, {time.monotonic() - began:.0f} s")
    print(f"{len(reached)} of {COMMITS + 1} prefixes were read, {'0 torn' if prefix else 'OUT OF ORDER'}")
    return 0 if prefix else 1


if __name__ == "__main__":
    sys.exit(main())
