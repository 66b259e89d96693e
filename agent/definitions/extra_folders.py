"""What is wrong with folders of definitions that a user names: not there, empty, or a name that is taken.

Called by the configuration for ``schemas:`` and ``--schemas``. Reads the head of each ``platform.yaml`` and no more;
what a definition says is judged when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.definitions.files import DEFINITION, api_version_of, available, definition_folders, display

_FIX = "name the folder of a platform, or the folder that such folders stand in"


@dataclass(frozen=True, slots=True)
class FolderFault:
    """One mistake of the folder at ``index``; ``why`` and ``fix`` as in a problem."""

    index: int
    what: str
    why: str | None = None
    fix: str | None = None


def faults_of_folders(folders: Sequence[Path]) -> Iterator[FolderFault]:
    """All mistakes. Two definitions of one name are one, for nobody could tell which of them a manifest meets."""
    if not folders:
        return
    taken = {name: folder.resolve() for name, folder in available().items()}
    bundled = frozenset(taken)
    for index, root in enumerate(folders):
        if not root.is_dir():
            what = "is not a folder" if root.exists() else "there is no such folder"
            yield FolderFault(index, what, fix=_FIX)
            continue
        found = definition_folders(root)
        if not found:
            what = f"the folder holds no definition: no {DEFINITION} in it, nor in a folder of it"
            yield FolderFault(index, what, fix=_FIX)
        for folder in found:
            name = api_version_of(folder)
            if name is None or taken.setdefault(name, folder.resolve()) == folder.resolve():
                continue
            yield _clash(index, name, folder, None if name in bundled else taken[name])


def unnamed(folders: Sequence[Path]) -> list[Path]:
    """Definitions that no target can name, since their head does not say ``platform`` and ``version``."""
    found = [folder for root in folders for folder in definition_folders(root)]
    return [folder / DEFINITION for folder in found if api_version_of(folder) is None]


def _clash(index: int, name: str, folder: Path, other: Path | None) -> FolderFault:
    whose = "travels with datakeel" if other is None else f"stands in {display(other)}"
    return FolderFault(
        index,
        f"{display(folder / DEFINITION)} is called `{name}`, and so is a definition that {whose}",
        why="with two definitions of one name nobody could tell which one a manifest meets",
        fix=f"give it a `platform` name of its own; to differ in a few words it says `extends: {name}`",
    )
