"""Reads the files of a folder on disk with the care that a tree of git needs: nothing followed, nothing half read.

Called by ``worktree`` and ``mount``. No link is followed, nothing but regular files is opened, each is read at a moment
when nobody writes to it, and one that cannot be read is an error, never a deleted one. Paths are bytes, since names
need not be UTF-8.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time

from agent.clock import Clock
from agent.source.tree import Listing

_READS_MAX = 5
_REST_SECONDS = 0.05  # a file written to more lately than this may be in the middle of it
_WINDOWS_ONLY = rb"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:[./]|\Z))"
_PLAIN_NAME = re.compile(_WINDOWS_ONLY + rb"[A-Za-z0-9_][A-Za-z0-9_-]*\.(?:ya?ml|json)\Z")
_PLAIN_FOLDER = re.compile(rb"(?:/" + _WINDOWS_ONLY + rb"[A-Za-z0-9_][A-Za-z0-9_-]*)*\Z")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Unreadable(Exception):
    """Why a file could not be read, as a problem's code, sentence and fix."""

    def __init__(self, what: str, code: str = "unreadable-file", fix: str | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.fix = fix


def walk(start: bytes, shown: str, listing: Listing) -> None:
    """List every entry below ``start`` by its path from the top; ``shown`` is that of ``start`` itself.

    The system's own path stands where the blob id will, and the size is 0. Folders have a stack of their own: a deep
    tree must not end in a recursion error.
    """
    top = len(start) - len(os.fsencode(shown)) if shown else len(start) + 1
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except FileNotFoundError:  # gone since its own folder was listed
            continue
        except OSError as error:
            what = f"the folder cannot be read: {error.strerror}"
            fix = "give the agent the right to read it"
            listing.problem("unreadable-file", as_shown(folder[top:]) or ".", what, fix=fix)
            continue
        if not _take(entries, _PLAIN_FOLDER.match(folder, len(start)) is not None, top, listing, waiting):
            return


def _take(entries: list[os.DirEntry[bytes]], plain: bool, top: int, listing: Listing, waiting: list[bytes]) -> bool:
    """One folder's entries, most of them at once; False when a limit says that it is enough."""
    many: list[tuple[str, str, str]] = []
    rest: list[os.DirEntry[bytes]] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith(b"."):
                if not listing.count():
                    return False
                waiting.append(entry.path)
        elif plain and _PLAIN_NAME.match(entry.name) and entry.is_file(follow_symlinks=False):
            many.append(_listed(entry, top))
        else:
            rest.append(entry)
    if many and not listing.add_plain(many) and not all(listing.add(path, "file", at, 0) for at, _, path in many):
        return False
    for entry in rest:
        at, _, path = _listed(entry, top)
        file = entry.is_file(follow_symlinks=False)
        if not listing.add(path, "file" if file else "link" if entry.is_symlink() else "special", at, 0):
            return False
    return True


def content_of(path: bytes, bytes_max: int, clock: Clock) -> bytes:
    """The whole of a regular file, read at a moment when nobody wrote to it. Raises Unreadable, FileNotFoundError."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            return _settled(descriptor, bytes_max, clock)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unreadable("a symbolic link is not followed", "tree-link") from None
        fix = "give the agent the right to read it"
        raise Unreadable(f"the file cannot be read: {error.strerror}", fix=fix) from None


def _settled(descriptor: int, limit: int, clock: Clock) -> bytes:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise Unreadable("the file is not a regular file and was not read")
    rested: bytes | None = None
    for _ in range(_READS_MAX):
        if before.st_size > limit:
            what = f"the file holds {before.st_size:,} bytes, beyond the limit of {limit:,}; it was not read"
            raise Unreadable(what, "file-too-big", "split it into several files")
        content = os.pread(descriptor, before.st_size + 1, 0)
        after = os.fstat(descriptor)
        if len(content) == after.st_size and _mark(before) == _mark(after):
            if content == rested or clock.now() - after.st_mtime > _REST_SECONDS:
                return content
            rested = content
        time.sleep(_REST_SECONDS)  # for a file on disk, whose time is the system's
        before = os.fstat(descriptor)
    raise Unreadable("the file changes while it is read", fix="run the command again when it is written")


def blob_id(content: bytes) -> str:
    """The id that git gives to a file with this content (sha1)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def as_shown(path: bytes) -> str:
    return path.decode(errors="backslashreplace")


def link_in(top: bytes, folder: str) -> bool:
    """Is the folder, or one on the way to it from the top, a link?"""
    path = top
    for word in folder.split("/") if folder else ():
        path = os.path.join(path, os.fsencode(word))  # noqa: PTH118 - bytes
        if os.path.islink(path):  # noqa: PTH114 - bytes
            return True
    return False


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _listed(entry: os.DirEntry[bytes], top: int) -> tuple[str, str, str]:
    """As ``Listing.add_plain`` wants it: the system's own path stands where the blob id will; the size comes later."""
    return os.fsdecode(entry.path), "0", as_shown(entry.path[top:])
