"""Where a published folder lies just now, as which revision, and since when: links are followed once, and told.

Called by ``mount`` at each look and by ``wakeups``. A publisher changes all files at once by swapping a link: git-sync
one whose target is called by the commit (``.worktrees/4f2c…``, ``rev-4f2c…`` before its version 4), Kubernetes one
called ``..data`` inside of the folder. Anything else is a plain folder, of which nobody knows when it is whole.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from agent.errors import SourceError

SWAPPED = "..data"
"""The link that Kubernetes swaps to change mounted files all at once (atomic_writer.go)."""
_COMMIT = re.compile(r"(?:rev-)?([0-9a-f]{40}(?:[0-9a-f]{24})?)\Z")
_FOLDERS_WATCHED = 256


class Link(NamedTuple):
    """A link on the way, where it leads, and when it was put there (its change time, which nobody can set)."""

    path: str
    target: str
    inode: int
    put_at: float


class Place(NamedTuple):
    """``top`` is the folder with the files, without a link on its way; ``stamp`` tells it from one made in its place.

    ``commit`` is the one that a link is called by, None where only the content can tell. ``swapped`` is when the
    newest link was put there, None for a folder that is written in place.
    """

    top: str
    stamp: tuple[int, int, int, int]
    links: tuple[Link, ...]
    commit: str | None
    swapped: float | None


def find_place(path: Path) -> Place:
    """Follow ``path`` once. Raises SourceError where nothing is published."""
    here = os.path.abspath(path)  # noqa: PTH100 - a link must stay one
    try:
        links = _links(here)
        data = os.path.join(here, SWAPPED)  # noqa: PTH118 - a string, as the links are
        mounted = os.path.islink(data)  # noqa: PTH114
        if mounted:
            links = (*links, _link(data))
            here = data
        top = os.path.realpath(here, strict=True)
        status = os.stat(top)  # noqa: PTH116
        if not os.path.isdir(top):  # noqa: PTH112
            raise _nothing(path, "it is a file", "name the folder that it is in")
    except FileNotFoundError as error:
        missing = Path(error.filename or here)
        why = f"the link {missing} leads nowhere" if missing.is_symlink() else f"there is no {missing}"
        raise _nothing(path, why, "start what publishes it, or correct `source.mount`") from None
    except OSError as error:
        what = f"the published folder {path} cannot be read"
        raise SourceError(what, code="source-failed", why=error.strerror) from None
    commits = [found[1] for link in links if (found := _COMMIT.match(os.path.basename(link.target)))]  # noqa: PTH119
    # Any other link may lead to a folder that people edit: it says nothing of when the files in it were put there.
    swapped = max(link.put_at for link in links) if commits or mounted else None
    stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return Place(top, stamp, links, commits[-1] if commits else None, swapped)


def followed_paths(path: Path) -> tuple[Path, ...]:
    """The paths whose change can mean that something else is published: every link on the way, and the folder."""
    here = os.path.abspath(path)  # noqa: PTH100
    try:
        links = _links(here)
    except OSError:
        links = ()
    return (Path(here), Path(here, SWAPPED), *(Path(link.path) for link in links))


def followed_folders(path: Path) -> tuple[Path, ...]:
    """The folders any change in which matters: those of a plain folder, as far as they can be watched."""
    try:
        place = find_place(path)
    except SourceError:
        return ()
    if place.swapped is not None:
        return ()
    found = []
    for folder, below, _ in os.walk(place.top):
        below[:] = sorted(name for name in below if not name.startswith("."))
        found.append(Path(folder))
        if len(found) == _FOLDERS_WATCHED:
            break
    return tuple(found)


def is_link_to_commit(entry: os.DirEntry[str]) -> bool:
    """Is this the link that should have been named, rather than the folder that it is in?"""
    return entry.is_symlink() and _COMMIT.match(os.path.basename(os.readlink(entry.path))) is not None  # noqa: PTH115, PTH119


def _links(here: str) -> tuple[Link, ...]:
    """The links among the folders that the path itself names, outermost first."""
    path = Path(here)
    return tuple(_link(str(each)) for each in (*reversed(path.parents), path) if each.is_symlink())


def _link(path: str) -> Link:
    status = os.lstat(path)
    return Link(path, os.readlink(path), status.st_ino, status.st_ctime)  # noqa: PTH115


def _nothing(path: Path, why: str, fix: str) -> SourceError:
    return SourceError(f"nothing is published at {path}", code="source-unpublished", why=why, fix=fix)
