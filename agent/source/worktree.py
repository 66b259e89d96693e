"""The files of a local source as they lie on disk now, committed or not, for ``validate``, ``render`` and ``diff``.

Made by the command line. Works in any folder, a git repository or not: it runs no git and honours nothing of ``.git``.
Blob ids are git's own, so that the cache of checked files serves commits and work trees alike. No link is followed,
nothing but regular files is opened, and a file that cannot be read is an error, never a deleted one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from agent.clock import Clock, SystemClock
from agent.errors import Problem, SourceError, Where
from agent.model.identity import Revision
from agent.source.location import find_repository
from agent.source.objects import Touch
from agent.source.tree import (
    BLOB_BYTES_MAX,
    DEFAULT_LIMITS,
    Listing,
    Tree,
    TreeEntry,
    TreeLimits,
    folder_in,
    in_order,
    missing_folder,
)

WORKTREE = Revision("worktree")
_READS_MAX = 5
_REST_SECONDS = 0.05  # a file written to more lately than this may be in the middle of it
_WINDOWS_ONLY = rb"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:[./]|\Z))"
_PLAIN_NAME = re.compile(_WINDOWS_ONLY + rb"[A-Za-z0-9_][A-Za-z0-9_-]*\.(?:ya?ml|json)\Z")
_PLAIN_FOLDER = re.compile(rb"(?:/" + _WINDOWS_ONLY + rb"[A-Za-z0-9_][A-Za-z0-9_-]*)*\Z")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _Unreadable(Exception):
    """Why a file could not be read, as a problem's code, sentence and fix."""

    def __init__(self, what: str, code: str = "unreadable-file", fix: str | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.fix = fix


class WorkTree:
    """A folder on disk. Paths are shown from the repository's top, or from the folder itself where there is none."""

    def __init__(self, path: Path, limits: TreeLimits = DEFAULT_LIMITS, clock: Clock | None = None) -> None:
        self._path = path
        self._limits = limits
        self._clock = clock or SystemClock()
        self._files: dict[str, bytes] = {}  # blob id -> absolute path, as the system has it

    def fetch(self) -> Revision:
        """Always the same: a work tree has no commit."""
        return WORKTREE

    def resolve(self, name: str) -> Revision:
        if name == WORKTREE.commit:
            return WORKTREE
        what = f"`{name[:80]}` is a revision, and the working tree has none"
        raise SourceError(what, code="source-ref", fix="read the revision from the repository itself")

    def tree(self, revision: Revision, folder: str) -> Tree:
        """The manifest files below ``folder``, each read once to learn its blob id."""
        top, prefix = self._top()
        shown = folder_in(prefix, folder)
        listing = Listing(shown, self._limits)
        start = os.path.join(top, os.fsencode(shown)) if shown else top  # noqa: PTH118 - bytes: names need not be UTF-8
        if _link_in(top, shown):
            listing.not_a_folder("link")
            return listing.result()
        if not os.path.lexists(start):
            return missing_folder(shown or str(self._path), "the working tree")
        if not stat.S_ISDIR(os.lstat(start).st_mode):
            listing.not_a_folder("file")
            return listing.result()
        self._walk(start, listing)
        return self._hashed(listing)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob. A file that changed since ``tree`` is a :class:`SourceError`: moments never mix."""
        for blob in blobs:
            path = self._files.get(blob)
            if path is None:
                raise SourceError(f"blob {blob[:12]} is not in the working tree", code="source-changed")
            try:
                content = self._content(path, BLOB_BYTES_MAX)
            except (_Unreadable, FileNotFoundError) as error:
                why = str(error) if isinstance(error, _Unreadable) else "it is gone"
                raise _changed(path, why) from None
            if blob_id(content) != blob:
                raise _changed(path, "its content is another than a moment ago")
            yield blob, content

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        """The blob ids of regular files, by path from the top, each read once."""
        top, _ = self._top()
        found: dict[str, str] = {}
        for path in paths:
            folder, _, _ = path.rpartition("/")
            file = os.path.join(top, os.fsencode(path))  # noqa: PTH118 - bytes
            if _link_in(top, folder):
                continue
            try:
                content = self._content(file, BLOB_BYTES_MAX)
            except (FileNotFoundError, _Unreadable):
                continue
            blob = blob_id(content)
            self._files[blob] = file
            found[path] = blob
        return found

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        return None

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        return None

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        return {}

    def has(self, blob: str) -> bool:
        """Whether a file with this content was listed."""
        return blob in self._files

    def close(self) -> None:
        self._files.clear()

    def _top(self) -> tuple[bytes, str]:
        try:
            location = find_repository(self._path)
            if location is not None and location.top is not None:
                return os.fsencode(location.top), location.prefix
            return os.fsencode(self._path.resolve()), ""
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
            why = getattr(error, "strerror", None) or "a loop of links"
            raise SourceError("the path of the source cannot be read", code="source-missing", why=why) from None

    def _walk(self, start: bytes, listing: Listing) -> None:
        """List entries into ``listing``, folders by their own stack: a deep tree must not end in a recursion error."""
        top = len(start) - len(os.fsencode(listing.folder)) if listing.folder else len(start) + 1
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
                listing.problem("unreadable-file", _shown(folder[top:]) or ".", what, fix=fix)
                continue
            if not self._take(entries, _PLAIN_FOLDER.match(folder, len(start)) is not None, top, listing, waiting):
                return

    def _take(
        self, entries: list[os.DirEntry[bytes]], plain: bool, top: int, listing: Listing, waiting: list[bytes]
    ) -> bool:
        """List one folder's entries, most of them at once; False when a limit says that it is enough."""
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

    def _hashed(self, listing: Listing) -> Tree:
        listed = listing.result()
        entries: list[TreeEntry] = []
        problems = list(listed.problems)
        total = 0
        for path, place, _ in listed.entries:
            file = os.fsencode(place)
            try:
                content = self._content(file, self._limits.file_bytes_max)
            except FileNotFoundError:  # gone since its folder was listed
                continue
            except _Unreadable as error:
                problems.append(Problem(error.code, str(error), Where(path), fix=error.fix))
                continue
            total += len(content)
            if total > self._limits.bytes_max:
                what = f"the manifest files hold more than {self._limits.bytes_max:,} bytes together"
                problems.append(Problem("tree-limit", what, Where(path)))
                break
            blob = blob_id(content)
            self._files[blob] = file
            entries.append(TreeEntry(path, blob, len(content)))
        return Tree(tuple(entries), in_order(problems), listed.ignored)

    def _content(self, path: bytes, bytes_max: int) -> bytes:
        """The whole of a regular file, read at a moment when nobody wrote to it."""
        try:
            descriptor = os.open(path, _FLAGS)
            try:
                return self._settled(descriptor, bytes_max)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _Unreadable("a symbolic link is not followed", "tree-link") from None
            fix = "give the agent the right to read it"
            raise _Unreadable(f"the file cannot be read: {error.strerror}", fix=fix) from None

    def _settled(self, descriptor: int, limit: int) -> bytes:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise _Unreadable("the file is not a regular file and was not read")
        rested: bytes | None = None
        for _ in range(_READS_MAX):
            if before.st_size > limit:
                what = f"the file holds {before.st_size:,} bytes, beyond the limit of {limit:,}; it was not read"
                raise _Unreadable(what, "file-too-big", "split it into several files")
            content = os.pread(descriptor, before.st_size + 1, 0)
            after = os.fstat(descriptor)
            if len(content) == after.st_size and _mark(before) == _mark(after):
                if content == rested or self._clock.now() - after.st_mtime > _REST_SECONDS:
                    return content
                rested = content
            time.sleep(_REST_SECONDS)  # for a file on disk, whose time is the system's
            before = os.fstat(descriptor)
        raise _Unreadable("the file changes while it is read", fix="run the command again when it is written")


def blob_id(content: bytes) -> str:
    """The id that git gives to a file with this content (sha1)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _listed(entry: os.DirEntry[bytes], top: int) -> tuple[str, str, str]:
    """As ``Listing.add_plain`` wants it: the system's own path stands where the blob id will; the size comes later."""
    return os.fsdecode(entry.path), "0", _shown(entry.path[top:])


def _shown(path: bytes) -> str:
    return path.decode(errors="backslashreplace")


def _link_in(top: bytes, folder: str) -> bool:
    """Is the folder, or one on the way to it from the top, a link?"""
    path = top
    for word in folder.split("/") if folder else ():
        path = os.path.join(path, os.fsencode(word))  # noqa: PTH118 - bytes
        if os.path.islink(path):  # noqa: PTH114 - bytes
            return True
    return False


def _changed(path: bytes, why: str) -> SourceError:
    what = f"{_shown(path)} changed while the working tree was read"
    return SourceError(what, code="source-changed", why=why, fix="run the command again")
