"""Files of one revision, copied to where nothing of another revision lies.

Made by the command line for a check of a pull request: what decides (configuration, definitions, certificates,
encrypted files, the operator's own scripts) is what was merged, while the work tree holds what somebody proposes.
"""

from __future__ import annotations

import os
from pathlib import Path

from agent.errors import SourceError
from agent.model.identity import Revision
from agent.source.local import LocalRepository
from agent.source.repository import GitSource


class Copies:
    """Copies into ``folder`` what :meth:`place` is asked for. ``top`` is the work tree's, without links on its way."""

    def __init__(self, top: Path, revision: Revision, folder: Path) -> None:
        self._top = top
        self._revision = revision
        self._folder = folder
        self._source = GitSource(LocalRepository(top))
        self._copied: set[str] = set()

    @property
    def folder(self) -> Path:
        """Where the repository's top would lie."""
        return self._folder

    def inside(self, path: Path) -> str | None:
        """The path from the repository's top, "" for the top itself; None for what lies outside.

        A link that the work tree holds counts as the file that it stands for in the revision: it is not followed. One
        that leads into the work tree from outside is.
        """
        for form in (os.path.normpath(path), os.path.realpath(path)):
            if form == str(self._top):
                return ""
            if form.startswith(f"{self._top}/"):
                return os.path.relpath(form, self._top)
        return None

    def place(self, path: Path) -> Path:
        """Where the revision's own copy of a file or folder lies; a path outside of the work tree is itself.

        What the revision lacks is not there either, and its reader says so. Raises SourceError.
        """
        below = self.inside(path)
        if below is None:
            return path
        if below not in self._copied:
            self._copied.add(below)
            self._copy(below)
        return self._folder / below

    def content(self, path: str) -> bytes | None:
        """The bytes of a regular file of the revision, None where there is none."""
        blob = self._source.contents(self._revision, [path]).get(path)
        return None if blob is None else next(iter(self._source.read([blob])))[1]

    def _copy(self, below: str) -> None:
        content = self.content(below) if below else None
        if content is not None:
            self._write(below, content)
            return
        entries = self._source.tree(self._revision, below).entries
        for entry, (_, content) in zip(entries, self._source.read([entry.blob for entry in entries]), strict=True):
            self._write(entry.path, content)

    def _write(self, below: str, content: bytes) -> None:
        path = self._folder / below
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise SourceError("a path of the revision leads out of it", code="tree-unsafe", got=below[:200])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o700)  # it may be a command
