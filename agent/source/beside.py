"""A work tree as one more revision beside the commits of its repository, for ``diff`` of files that nobody committed.

Made by the command line. What lies on disk is read by :class:`WorkTree`, commits by :class:`GitSource`; a commit that
is asked about the work tree's past stands where HEAD stands. A folder without a repository has no past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from agent.errors import SourceError
from agent.model.actor import NOBODY, Actor
from agent.model.identity import Revision
from agent.source.local import LocalRepository
from agent.source.objects import Touch
from agent.source.repository import GitSource
from agent.source.signatures import Signatures
from agent.source.tree import Tree
from agent.source.worktree import WORKTREE, WorkTree


class WorkTreeAndCommits:
    """Both, told apart by the revision. ``fetch`` gives the work tree."""

    def __init__(self, path: Path, signatures: Signatures | None = None) -> None:
        self._files = WorkTree(path)
        self._commits = GitSource(LocalRepository(path), signatures=signatures)

    def fetch(self) -> Revision:
        return WORKTREE

    def resolve(self, name: str) -> Revision:
        return WORKTREE if name == WORKTREE.commit else self._commits.resolve(name)

    def admitted(self, name: str) -> Revision:
        return self.resolve(name)

    def tree(self, revision: Revision, folder: str) -> Tree:
        return self._of(revision).tree(revision, folder)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob, in order: from disk what the work tree listed, the others from git."""
        for on_disk, some in groupby(blobs, self._files.has):
            yield from (self._files if on_disk else self._commits).read(list(some))

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        return self._of(revision).contents(revision, paths)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        head = self._head()
        if WORKTREE.commit not in (older, newer):
            return self._commits.is_ancestor(older, newer)
        return self._commits.is_ancestor(older, head.commit) if head is not None and newer == WORKTREE.commit else None

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        """The commit at which two histories part; that of the work tree is HEAD's."""
        head = self._head()
        known = [head if each.commit == WORKTREE.commit else each for each in (one, other)]
        return self._commits.merge_base(*(each for each in known if each is not None)) if None not in known else None

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        """As for a commit; a file that differs from HEAD on disk was changed by no commit yet."""
        if revision.commit != WORKTREE.commit:
            return self._commits.touched_in(paths, revision)
        head = self._head()
        if head is None:
            return {}
        wanted = sorted(paths)
        committed, here = self._commits.contents(head, wanted), self._files.contents(WORKTREE, wanted)
        return self._commits.touched_in([path for path in wanted if committed.get(path) == here.get(path)], head)

    def actor(self, revision: Revision) -> Actor:
        """Of the work tree that of HEAD: a check of a pull request reads it, and its files are those of the commit."""
        if revision.commit != WORKTREE.commit:
            return self._commits.actor(revision)
        head = self._head()
        return NOBODY if head is None else self._commits.actor(head)

    def close(self) -> None:
        self._files.close()

    def _of(self, revision: Revision) -> WorkTree | GitSource:
        return self._files if revision.commit == WORKTREE.commit else self._commits

    def _head(self) -> Revision | None:
        try:
            return self._commits.resolve("HEAD")
        except SourceError:
            return None
