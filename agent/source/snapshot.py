"""What was found in a published folder at one moment: every entry with what tells that it changed, and its content.

Made by ``mount``. A survey opens no file, so that a look at a folder in which nothing happened costs a ``stat`` a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.errors import SourceError
from agent.model.identity import Revision
from agent.source.folder import Unreadable, as_shown
from agent.source.published import Place, is_link_to_commit
from agent.source.tree import EntryType, Listing, Tree, TreeLimits, is_manifest, missing_folder


class Mark(NamedTuple):
    """What changes when a file does: it cannot keep all of these and hold something else."""

    inode: int
    size: int
    changed_ns: int


@dataclass(slots=True)
class Survey:
    """Entries by path from the top: ``manifests`` and ``others`` are regular files, ``odd`` are links and the like.

    ``folders`` have a mark too, since what leaves one shows nowhere else; ``closed`` are those that may not be read,
    with the reason. ``newest`` is when anything changed last.
    """

    manifests: dict[str, Mark] = field(default_factory=dict)
    others: dict[str, Mark] = field(default_factory=dict)
    odd: dict[str, EntryType] = field(default_factory=dict)
    folders: dict[str, Mark] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    newest: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One revision: ``contents`` has blob id and size of each manifest, or why it could not be read."""

    place: Place
    survey: Survey
    contents: Mapping[str, tuple[str, int] | Unreadable]
    others: Mapping[str, str]
    revision: Revision

    def blobs(self) -> Iterator[str]:
        return (found[0] for found in self.contents.values() if isinstance(found, tuple))

    def blob_at(self, path: str) -> str | None:
        found = self.contents.get(path)
        return found[0] if isinstance(found, tuple) else None

    def tree(self, folder: str, limits: TreeLimits) -> Tree:
        """The manifest files below ``folder``, judged as those of a commit are."""
        inside = f"{folder}/" if folder else ""
        listing = Listing(folder, limits)
        odd = self.survey.odd.get(folder)
        if odd is not None or folder in self.survey.manifests or folder in self.survey.others:
            listing.not_a_folder("link" if odd == "link" else "file")
            return listing.result()
        if folder and folder not in self.survey.folders:
            return missing_folder(folder, "the published folder")
        for path, found in self.contents.items():
            if not path.startswith(inside):
                continue
            if isinstance(found, tuple):
                listing.add(_shown(path), "file", found[0], found[1])
            else:
                listing.count()
                listing.problem(found.code, _shown(path), str(found), fix=found.fix)
        for path in self.survey.others:
            if path.startswith(inside):
                listing.add(_shown(path), "file", "", 0)
        for path, type_ in self.survey.odd.items():
            if path.startswith(inside):
                listing.add(_shown(path), type_, "", 0)
        for path, why in self.survey.closed.items():
            if path == folder or path.startswith(inside):
                fix = "give the agent the right to read it"
                listing.problem("unreadable-file", _shown(path), f"the folder cannot be read: {why}", fix=fix)
        return listing.result()


def survey(top: str, limits: TreeLimits) -> Survey | None:
    """Every entry below ``top`` but hidden ones; None when something went away meanwhile, so that it is no moment's.

    Folders have a stack of their own: a deep tree must not end in a recursion error.
    """
    seen, count, waiting = Survey(), 0, [""]
    while waiting:
        below = waiting.pop()
        folder = os.path.join(top, below) if below else top  # noqa: PTH118
        try:
            seen.folders[below] = _mark(os.lstat(folder), seen)
            with os.scandir(folder) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                else:
                    _note(entry, path, seen)
                if not below and is_link_to_commit(entry):
                    raise _one_above(entry)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            seen.closed[below] = error.strerror or "an error of the file system"
            continue
        count += len(entries)
        if count > limits.entries_max:
            fix = "publish the manifests alone, or name the folder that holds them in `source.mount`"
            what = f"the published folder holds more than {limits.entries_max:,} entries"
            raise SourceError(what, code="tree-limit", fix=fix)
    return seen


def _note(entry: os.DirEntry[str], path: str, seen: Survey) -> None:
    status = entry.stat(follow_symlinks=False)
    mark = _mark(status, seen)
    if stat.S_ISREG(status.st_mode):
        (seen.manifests if is_manifest(path) else seen.others)[path] = mark
    else:
        seen.odd[path] = "link" if stat.S_ISLNK(status.st_mode) else "special"


def _mark(status: os.stat_result, seen: Survey) -> Mark:
    seen.newest = max(seen.newest, status.st_ctime)
    return Mark(status.st_ino, status.st_size, status.st_ctime_ns)


def _shown(path: str) -> str:
    return path if path.isascii() else as_shown(os.fsencode(path))


def _one_above(entry: os.DirEntry[str]) -> SourceError:
    what = f"the folder holds {entry.name}, the link that a publisher swaps, rather than what is published"
    return SourceError(what, code="source-unpublished", fix=f"write source: {{mount: {entry.path}}}")
