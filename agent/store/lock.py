"""One agent a store: an advisory lock on ``<store>.lock`` that names who holds it.

Called by ``Store.lock``. The kernel drops the lock with the death of its holder, so a stale file never blocks; the
file itself stays, since removing it would let two agents lock two files of one name.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from agent.errors import StoreError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class FileLock:
    """Held from construction until :meth:`release`; raises :class:`StoreError` when another holds it."""

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".lock")
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the lock {self.path} cannot be opened: {error.strerror}") from error
        try:
            # flock, not lockf: a lock of lockf is lost when any descriptor of the file is closed in this program
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 200, 0).decode("ascii", "replace")
            os.close(self._descriptor)
            raise _in_use(store, holder) from error
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(f"the state store {store} cannot be locked: {error.strerror}") from error
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} {boot_id()}\n".encode("ascii"), 0)
        except OSError:
            pass  # the disk is full: the lock is held all the same, only its holder's name is not told

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def boot_id() -> str:
    """What tells this start of this machine from every other; ``unknown`` where the kernel has no such file."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _in_use(store: Path, holder: str) -> StoreError:
    words = holder.split()
    pid = words[0] if words and words[0].isdigit() else "unknown"
    elsewhere = " of another machine" if len(words) > 1 and words[1] != boot_id() else ""
    return StoreError(
        f"the state store {store} is in use by another agent, process {pid}{elsewhere}",
        fix="stop that agent, or give this one a `state` of its own",
    )
