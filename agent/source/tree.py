"""What a folder of a revision holds: the shapes, the limits, and the verdict on each entry before anything is read.

Called by ``objects`` (entries of ``ls-tree``) and ``worktree`` (entries of a directory), so that both judge alike. It
reads nothing itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

from agent.errors import Problem, ProblemList, Severity, SourceError, Where

EntryType = Literal["file", "link", "submodule", "special"]

BLOB_BYTES_MAX = 1 << 24
"""The largest file that is read at all: a manifest may hold less, a file to upload this much."""
_MANIFEST = re.compile(r"\.(?:ya?ml|json)\Z", re.IGNORECASE)
_SUFFIX = re.compile(r"[^.]\.[A-Za-z0-9]{1,12}\Z")
# What HFS+ drops from a name, so that ".g<ZWNJ>it" is ".git" there (git: utf8.c, next_hfs_char).
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# What NTFS drops (trailing dots and spaces, streams) and its short form of ".git" (git: path.c, is_ntfs_dotgit).
_DOT_GIT = re.compile(r"(?:\.git|git~[0-9])[. ]*(?::.*)?\Z", re.IGNORECASE | re.DOTALL)
_WINDOWS_ONLY = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?\Z", re.IGNORECASE | re.DOTALL)
_EXAMPLES_SHOWN = 3


class TreeEntry(NamedTuple):
    """One manifest file: path from the repository's top, blob id, size in bytes.

    A tuple, because ten thousand are made in each listing. A path that is not UTF-8 has its odd bytes written as
    ``\\xNN``; it is for people, the blob id is what reads the file.
    """

    path: str
    blob: str
    size: int


_ENTRY = partial(tuple.__new__, TreeEntry)  # a third of the cost of the class's own call


class Edited(NamedTuple):
    """The entries that others were made from, and the places at which those differ from them: other contents alone."""

    before: tuple[TreeEntry, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The manifest files of a folder, sorted by path, and what is wrong with it. ``ignored`` counts other files.

    ``edited`` tells how it came from an earlier listing, where it did.
    """

    entries: tuple[TreeEntry, ...]
    problems: tuple[Problem, ...] = ()
    ignored: int = 0
    edited: Edited | None = field(default=None, compare=False)

    @property
    def complete(self) -> bool:
        """False when a file could not be listed or read: then nothing may be taken for deleted."""
        return all(problem.severity != "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """Bounds of one folder. They guard memory and time; a folder beyond one is listed in part, with an error.

    One with more entries than ``entries_max`` is not listed at all: whatever is read of it would be read for nothing.

    ``entries_max`` counts every file, link and submodule below the folder, ``manifests_max`` and ``bytes_max`` the
    manifest files alone. They lie well above what the agent is measured with (100,000 files).
    """

    entries_max: int = 500_000
    manifests_max: int = 200_000
    bytes_max: int = 1 << 30
    file_bytes_max: int = 1 << 20
    path_bytes_max: int = 1024


DEFAULT_LIMITS = TreeLimits()


@dataclass(slots=True)
class Listing:
    """Collects the entries of one folder and judges each. ``add`` is False when a limit says that it is enough."""

    folder: str
    limits: TreeLimits
    entries: list[TreeEntry] = field(default_factory=list)
    found: ProblemList = field(default_factory=ProblemList)
    bytes: int = 0
    manifests: int = 0
    seen: int = 0
    ignored: int = 0
    _examples: list[str] = field(default_factory=list)

    def add(self, path: str, type_: EntryType, blob: str, size: int) -> bool:
        if not self.count():
            return False
        below = path[len(self.folder) + 1 :] if self.folder else path
        parts = below.split("/")
        unsafe = next((part for part in parts if is_unsafe(part)), None)
        if unsafe is not None:
            what = f"the tree holds an entry named {unsafe!r}, which no checkout could hold"
            self.problem("tree-unsafe", path, what, fix="remove the entry from the repository's history")
        elif any(part.startswith(".") for part in parts):
            pass
        elif type_ == "link":
            self._link(path)
        elif type_ == "submodule":
            what = "a submodule is not followed"
            self.problem("tree-submodule", path, what, fix="copy its manifests into this repository")
        elif not is_manifest(path):
            self._ignore(path)
        elif type_ == "special":
            what = "is not a regular file (a FIFO, socket or device) and was not read"
            self.problem("ignored-file", path, what, severity="warning")
        else:
            return self._manifest(path, blob, size, parts)
        return True

    def count(self) -> bool:
        """Note one more entry; False, with a problem, when there are too many."""
        self.seen += 1
        return self.seen <= self.limits.entries_max or self.too_many()

    def too_many(self) -> bool:
        """The folder has more entries than anybody meant: none is taken. Always False, for there is no more to come."""
        self.entries.clear()
        self.manifests = 0
        what = f"the folder holds more than {self.limits.entries_max:,} entries"
        self.problem("tree-limit", self.folder or ".", what, fix="point the target's `folder` at the manifests alone")
        return False

    def add_plain(self, files: Sequence[tuple[str, str, str]]) -> bool:
        """Many manifests at once, as (blob, digits of the size, path), all proved to have an unremarkable path.

        False, with nothing added, when a limit is near: then each is to be judged by ``add``.
        """
        blobs, digits, paths = zip(*files, strict=True)
        sizes = tuple(map(int, digits))
        limits = self.limits
        if (
            max(sizes) > limits.file_bytes_max
            or max(map(len, paths)) > limits.path_bytes_max
            or self.seen + len(files) > limits.entries_max
            or self.manifests + len(files) > limits.manifests_max
            or self.bytes + sum(sizes) > limits.bytes_max
            or self.folder in paths
        ):
            return False
        self.seen += len(files)
        self.manifests += len(files)
        self.bytes += sum(sizes)
        self.entries.extend(map(_ENTRY, zip(paths, blobs, sizes, strict=True)))
        return True

    def not_a_folder(self, type_: EntryType) -> bool:
        """The folder itself turned out to be something else; always False, for there is no more to come."""
        if type_ == "link":
            self.problem("tree-link", self.folder, "the target's `folder` is a symbolic link, which is not followed")
        elif type_ == "submodule":
            self.problem("tree-submodule", self.folder, "the target's `folder` is a submodule, which is not followed")
        else:
            what = "the target's `folder` is not a folder"
            self.problem("folder-missing", self.folder, what, fix="name the folder that the file is in")
        return False

    def problem(
        self,
        code: str,
        path: str,
        what: str,
        *,
        got: str | None = None,
        fix: str | None = None,
        severity: Severity = "error",
    ) -> None:
        shown = path if len(path) <= 1024 else path[:1000] + "…"
        self.found.add(Problem(code, what, Where(shown), got=got, fix=fix, severity=severity))

    def result(self) -> Tree:
        if self._examples:
            names = ", ".join(self._examples) + (", …" if self.ignored > len(self._examples) else "")
            files = "1 file is" if self.ignored == 1 else f"{self.ignored:,} files are"
            what = f"{files} not read, for want of the ending .yaml, .yml or .json: {names}"
            self.problem("ignored-file", self.folder or ".", what, severity="info")
        if self.manifests > self.limits.manifests_max:
            what = f"the folder holds {self.manifests:,} manifest files; the limit is {self.limits.manifests_max:,}"
            self.problem("too-many-manifests", self.folder or ".", what, fix="divide it among several targets")
        return Tree(tuple(sorted(self.entries)), in_order(self.found.problems), self.ignored)

    def _link(self, path: str) -> None:
        # A link without an ending, or with a manifest's, may stand for manifests; one to a picture does not matter.
        harmless = not is_manifest(path) and _SUFFIX.search(path) is not None
        what = "a symbolic link is not followed"
        fix = "replace the link by the file or folder itself"
        self.problem("tree-link", path, what, fix=fix, severity="warning" if harmless else "error")

    def _ignore(self, path: str) -> None:
        self.ignored += 1
        if len(self._examples) < _EXAMPLES_SHOWN:
            self._examples.append(path if len(path) <= 80 else path[:79] + "…")

    def _manifest(self, path: str, blob: str, size: int, parts: list[str]) -> bool:
        length = len(path.encode(errors="replace"))
        if length > self.limits.path_bytes_max:
            what = f"the path is {length:,} bytes long, beyond the limit of {self.limits.path_bytes_max:,}"
            self.problem("path-too-long", path, what, fix="shorten the names")
            return True
        if any(_WINDOWS_ONLY.match(part) or part.endswith((" ", ".")) for part in parts):
            what = "the name cannot be checked out on Windows"
            self.problem("tree-name", path, what, fix="rename it", severity="warning")
        if size > self.limits.file_bytes_max:
            what = f"the file holds {size:,} bytes, beyond the limit of {self.limits.file_bytes_max:,}; it was not read"
            self.problem("file-too-big", path, what, fix="split it into several files")
            return True
        return self._keep(path, blob, size)

    def _keep(self, path: str, blob: str, size: int) -> bool:
        self.bytes += size
        self.manifests += 1
        if self.manifests > self.limits.manifests_max:
            return True  # counted on, so that the problem can tell how many there are
        if self.bytes > self.limits.bytes_max:
            what = f"the manifest files hold more than {self.limits.bytes_max:,} bytes together"
            self.problem("tree-limit", self.folder or ".", what, fix="divide the folder among several targets")
            return False
        self.entries.append(TreeEntry(path, blob, size))
        return True


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by path, so that two readings of one folder say the same."""
    return tuple(sorted(problems, key=lambda problem: problem.where.path))


def is_manifest(path: str) -> bool:
    """Does the ending say manifest? ``.yaml``, ``.yml`` or ``.json``, without regard to case."""
    return _MANIFEST.search(path) is not None


def is_unsafe(name: str) -> bool:
    """Is this a name that git never writes to disk: empty, ``.``, ``..``, or ``.git`` in some system's disguise?"""
    if name in ("", ".", ".."):
        return True
    if name[0] not in ".gG\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff" and name[0] < "\u206a":
        return False
    return _DOT_GIT.match(_HFS_IGNORED.sub("", name)) is not None


def missing_folder(folder: str, where: str) -> Tree:
    """A folder that is not there is an error, never an empty one: nothing may be pruned on its account."""
    what = f"the folder `{folder}` is not in {where}"
    fix = "create it with its first manifest, or correct the target's `folder`"
    return Tree((), (Problem("folder-missing", what, Where(folder or "."), fix=fix),))


def folder_in(prefix: str, folder: str) -> str:
    """``folder`` of a target, seen from the repository's top; "" is the top itself."""
    path = posixpath.normpath(posixpath.join("/", prefix, folder.strip("/") if folder != "/" else ""))
    climbed = posixpath.normpath(posixpath.join(prefix or ".", folder.strip("/") or "."))
    if climbed.startswith(".."):
        raise SourceError("the target's `folder` lies outside the repository", code="folder-missing", got=folder[:200])
    return path.lstrip("/")
