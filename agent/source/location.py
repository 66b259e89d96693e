"""Finds the git repository that a path belongs to, reading a few small files and running nothing.

Called by ``repository`` and ``worktree``, anew at each fetch, because the path may be a link that a sidecar swaps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_POINTER_MAX = 4096


@dataclass(frozen=True, slots=True)
class Location:
    """``git_dir`` has HEAD, ``common_dir`` refs and objects (they differ in a linked work tree).

    ``top`` is the work tree's top folder, None for a bare repository; ``prefix`` leads from it to the path asked for.
    """

    git_dir: Path
    common_dir: Path
    top: Path | None
    prefix: str


def find_repository(path: Path) -> Location | None:
    """The repository whose work tree holds ``path``, or that ``path`` itself is; None where there is none."""
    start = path.resolve()
    if _is_git_dir(start):
        return Location(start, _common_dir(start), None, "")
    for folder in (start, *start.parents):
        git_dir = _git_dir(folder / ".git")
        if git_dir is not None:
            prefix = start.relative_to(folder).as_posix()
            return Location(git_dir, _common_dir(git_dir), folder, "" if prefix == "." else prefix)
    return None


def place_in_repository(here: Path, file: Path) -> tuple[Path, str] | None:
    """The top of the work tree that holds ``file``, and the path from there; None where no work tree does.

    The work tree that ``here`` is in comes first, and then ``file`` is taken as it is written: a link that the work
    tree itself holds must not lead to another repository.
    """
    file = Path(os.path.normpath(file))
    around = find_repository(here)
    if around is not None and around.top is not None and file.is_relative_to(around.top):
        return around.top, file.relative_to(around.top).as_posix()
    found = find_repository(file.parent)
    if found is None or found.top is None:
        return None
    return found.top, (file.parent.resolve() / file.name).relative_to(found.top).as_posix()


def _git_dir(dot_git: Path) -> Path | None:
    if dot_git.is_dir():
        return dot_git if _is_git_dir(dot_git) else None
    words = _pointer(dot_git)
    if words is None or not words.startswith("gitdir: "):
        return None
    pointed = (dot_git.parent / words.removeprefix("gitdir: ")).resolve()
    return pointed if _is_git_dir(pointed) else None


def _common_dir(git_dir: Path) -> Path:
    words = _pointer(git_dir / "commondir")
    return git_dir if words is None else (git_dir / words).resolve()


def _is_git_dir(folder: Path) -> bool:
    if not (folder / "HEAD").is_file():
        return False
    return (folder / "commondir").is_file() or ((folder / "objects").is_dir() and (folder / "refs").is_dir())


def _pointer(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return stream.read(_POINTER_MAX).decode(errors="surrogateescape").strip("\n")
