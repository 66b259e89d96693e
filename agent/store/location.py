"""Where a store is: the file behind a URL, whether that place can hold a store, and the atomic birth of its file.

Called by ``store`` and ``status``. Knows paths and the first bytes of a file; imports no database library and never
reads or changes what a store holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from agent.errors import StoreError

HEAD = "0012"  # the newest revision in migrations/versions: what this program reads and writes

_SQLITE_PREFIX = "sqlite:///"
_SQLITE_MAGIC = b"SQLite format 3\0"
_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK_FILESYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "fuse.sshfs"})
_EPHEMERAL_FILESYSTEMS = frozenset({"tmpfs", "ramfs", "overlay"})


def path_of(url: str) -> Path | None:
    """The file of a ``sqlite:///…`` URL, taken literally (an absolute path makes four slashes); None for a server."""
    return Path(url.removeprefix(_SQLITE_PREFIX)) if url.startswith(_SQLITE_PREFIX) else None


def uri_of(path: Path, mode: str) -> str:
    """SQLite's own URI for ``path``; ``mode`` is ``ro`` or ``rw``, so that opening never makes a file."""
    quoted = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{quoted}?mode={mode}"


def has_store(path: Path) -> bool:
    """False when there is no file. A file that can be no store raises :class:`StoreError`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"the state store {path} is not a regular file")
        with path.open("rb") as file:
            magic = file.read(len(_SQLITE_MAGIC))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"the state store {path} cannot be opened: {error.strerror}") from error
    if not magic:
        raise StoreError(
            f"the state store {path} is empty (zero bytes), so what it knew is lost",
            fix="move the file away; a new store is rebuilt from ownership marks and git",
        )
    if magic != _SQLITE_MAGIC:
        raise StoreError(f"the state store {path} is not a SQLite database", fix="name another file as `state`")
    return True


def require_writable(path: Path, mounts: Path = _MOUNTS) -> None:
    """Raises :class:`StoreError` unless a store can be made or changed at ``path``; refuses network file systems."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StoreError(f"the folder {folder} of the state store does not exist", fix=f"mkdir -p {folder}")
    kind = filesystem_of(folder, mounts)
    if kind in _NETWORK_FILESYSTEMS:
        raise StoreError(
            f"the state store {path} is on a network file system ({kind}), where SQLite loses commits",
            fix="use a local disk, or a postgresql:// URL",
        )
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise StoreError(f"the state store {path} cannot be written: {place} is read-only")


def may_write(path: Path) -> bool:
    """True when this user may change the file and make SQLite's own files beside it."""
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def is_ephemeral(path: Path) -> bool:
    """True when the file is in memory or in a container's own layer and is gone with the machine or container."""
    return filesystem_of(path.absolute().parent) in _EPHEMERAL_FILESYSTEMS


def filesystem_of(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Type of the file system (``ext4``, ``nfs4``) as Linux names it; empty where it cannot be told."""
    try:
        device = folder.stat().st_dev
        table = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in table.splitlines():
        mount, _, rest = line.partition(" - ")
        if mount.split(" ")[2:3] == [number]:
            return rest.split(" ")[0]
    return ""


def place_new(path: Path, content: bytes, random_bytes: Callable[[int], bytes]) -> None:
    """Make the file with its full content or not at all; a file that another program made meanwhile is left.

    Without this a crash in the first moment would leave zero bytes, which cannot be told from a lost store.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{random_bytes(4).hex()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.absolute().parent)
    except OSError as error:
        raise StoreError(f"the state store {path} cannot be made: {error.strerror}") from error


def _publish(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            temporary.rename(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
