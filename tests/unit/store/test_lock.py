from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.lock import boot_id
from agent.store.store import Store
from tests.unit.store.builders import HandClock, url_of

_HOLD = """
import sys
from agent.clock import SystemClock
from agent.store.store import Store
store = Store.open(sys.argv[1], clock=SystemClock())
store.lock()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.row("S1")
def test_a_second_agent_is_refused_by_the_pid_of_the_first_until_that_dies(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, url_of(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"locked\n"
        second = Store.open(url_of(path), clock=HandClock())
        with pytest.raises(StoreError, match=f"in use by another agent, process {first.pid}$"):
            second.lock()
        second.spend("token", 1.0, 1)
        first.kill()
        first.wait()
        second.lock()
        second.close()


def test_closing_gives_the_lock_back_and_locking_twice_is_one_lock(path: Path) -> None:
    first = Store.open(url_of(path), clock=HandClock())
    second = Store.open(url_of(path), clock=HandClock())
    first.lock()
    first.lock()
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        second.lock()
    first.close()
    second.lock()
    second.close()
    assert path.with_name("state.db.lock").read_text() == f"{os.getpid()} {boot_id()}\n"


_HOLD_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from agent.store.lock import FileLock
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
lock = FileLock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_disk_that_takes_no_name_takes_the_lock(path: Path) -> None:
    store = Store.open(url_of(path), clock=HandClock())
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD_ON_A_FULL_DISK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"locked\n"
        with pytest.raises(StoreError, match="process unknown"):
            store.lock()
        first.kill()
    store.lock()
    store.close()


def test_a_holder_of_another_machine_is_told_as_such(path: Path) -> None:
    first = Store.open(url_of(path), clock=HandClock())
    first.lock()
    path.with_name("state.db.lock").write_text("4711 another-boot\n")
    second = Store.open(url_of(path), clock=HandClock())
    with pytest.raises(StoreError, match="process 4711 of another machine"):
        second.lock()
    path.with_name("state.db.lock").write_bytes(b"\xff\x00garbage")
    with pytest.raises(StoreError, match="process unknown"):
        second.lock()
    first.close()
    second.close()
