"""The files of a local source as they lie on disk now, committed or not, for ``validate``, ``render`` and ``diff``.

Made by the command line. Works in any folder, a git repository or not: it runs no git and honours nothing of ``.git``.
Blob ids are git's own, so that the cache of checked files serves commits and work trees alike. No link is followed,
nothing but regular files is opened, and a file that cannot be read is an error, never a deleted one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from agent.clock import Clock, SystemClock
from agent.errors import Problem, SourceError, Where
from agent.model.actor import NOBODY, Actor
from agent.model.identity import Revision
from agent.source.folder import Unreadable, as_shown, blob_id, content_of, link_in, walk
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

    def admitted(self, name: str) -> Revision:
        return self.resolve(name)

    def tree(self, revision: Revision, folder: str) -> Tree:
        """The manifest files below ``folder``, each read once to learn its blob id."""
        top, prefix = self._top()
        shown = folder_in(prefix, folder)
        listing = Listing(shown, self._limits)
        start = os.path.join(top, os.fsencode(shown)) if shown else top  # noqa: PTH118 - bytes: names need not be UTF-8
        if link_in(top, shown):
            listing.not_a_folder("link")
            return listing.result()
        if not os.path.lexists(start):
            return missing_folder(shown or str(self._path), "the working tree")
        if not stat.S_ISDIR(os.lstat(start).st_mode):
            listing.not_a_folder("file")
            return listing.result()
        walk(start, shown, listing)
        return self._hashed(listing)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob. A file that changed since ``tree`` is a :class:`SourceError`: moments never mix."""
        for blob in blobs:
            path = self._files.get(blob)
            if path is None:
                raise SourceError(f"blob {blob[:12]} is not in the working tree", code="source-changed")
            try:
                content = content_of(path, BLOB_BYTES_MAX, self._clock)
            except (Unreadable, FileNotFoundError) as error:
                why = str(error) if isinstance(error, Unreadable) else "it is gone"
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
            if link_in(top, folder):
                continue
            try:
                content = content_of(file, BLOB_BYTES_MAX, self._clock)
            except (FileNotFoundError, Unreadable):
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

    def actor(self, revision: Revision) -> Actor:
        return NOBODY

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

    def _hashed(self, listing: Listing) -> Tree:
        listed = listing.result()
        entries: list[TreeEntry] = []
        problems = list(listed.problems)
        total = 0
        for path, place, _ in listed.entries:
            file = os.fsencode(place)
            try:
                content = content_of(file, self._limits.file_bytes_max, self._clock)
            except FileNotFoundError:  # gone since its folder was listed
                continue
            except Unreadable as error:
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


def _changed(path: bytes, why: str) -> SourceError:
    what = f"{as_shown(path)} changed while the working tree was read"
    return SourceError(what, code="source-changed", why=why, fix="run the command again")
