"""Publishers as they work: git-sync's link to a commit, the kubelet's ``..data``, and somebody who copies files."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

FIRST, SECOND = "1" * 40, "2" * 40
MANIFEST = b"name: one\n"


class Later:
    """The system's clock, so many seconds on: what was written just now has rested for as long."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds

    def now(self) -> float:
        return time.time() + self.seconds

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


class GitSync:
    """``root`` is its volume, ``link`` what it swaps. A version before 4 calls its folders ``rev-…``."""

    def __init__(self, root: Path, folder: str = ".worktrees/{}") -> None:
        self.root = root
        self.link = root / "current"
        self.folder = folder
        root.mkdir(parents=True, exist_ok=True)

    def publish(self, commit: str, files: Mapping[str, bytes], *, keep: bool = False) -> None:
        """A new folder, whole before the link shows it; the old one goes right after, as it does by default."""
        old = self.link.resolve() if self.link.exists() else None
        write(self.root / self.folder.format(commit), files)
        (self.root / self.folder.format(commit) / ".git").write_text(f"gitdir: ../../.git/worktrees/{commit}\n")
        self.point_to(self.folder.format(commit))
        if old is not None and not keep:
            shutil.rmtree(old)

    def point_to(self, target: str) -> None:
        (self.root / "tmp-link").symlink_to(target)
        os.replace(self.root / "tmp-link", self.link)


class ConfigMap:
    """A volume as the kubelet fills it: files are links through ``..data``, which is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        folder.mkdir(parents=True, exist_ok=True)

    def publish(self, files: Mapping[str, bytes]) -> None:
        old = (self.folder / "..data").resolve() if (self.folder / "..data").exists() else None
        self._number += 1
        new = self.folder / f"..2026_01_01_00_00_0{self._number}.1"
        new.mkdir()
        write(new, files)
        (self.folder / "..data_tmp").symlink_to(new.name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")
        for path in files:
            top = path.split("/")[0]
            if not (self.folder / top).is_symlink():
                (self.folder / top).symlink_to(f"..data/{top}")
        if old is not None:
            shutil.rmtree(old)
