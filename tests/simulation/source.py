"""A git repository in memory: commits are mappings of path to bytes, blob ids are git's own."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from agent.model.actor import NOBODY, Actor
from agent.model.identity import Revision
from agent.source import Touch, Tree, TreeEntry
from agent.source.tree import Edited, is_manifest


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class MemorySource:
    """``commit`` adds a revision; ``fetch`` returns the newest. Shared by all incarnations of a run."""

    def __init__(self) -> None:
        self.revisions: list[tuple[Revision, Mapping[str, str]]] = []
        self.blobs: dict[str, bytes] = {}
        self.actors: dict[str, Actor] = {}
        self._listed: dict[str, tuple[TreeEntry, ...]] = {}

    def commit(self, files: Mapping[str, bytes]) -> Revision:
        tree = {}
        for path, content in files.items():
            blob = blob_id(content)
            self.blobs[blob] = content
            tree[path] = blob
        name = hashlib.sha1(f"{len(self.revisions)}{sorted(tree.items())}".encode()).hexdigest()
        revision = Revision(name, "main")
        self.revisions.append((revision, tree))
        return revision

    def fetch(self) -> Revision:
        return self.revisions[-1][0]

    def resolve(self, name: str) -> Revision:
        return next(revision for revision, _ in self.revisions if revision.commit.startswith(name))

    def admitted(self, name: str) -> Revision:
        return self.resolve(name)

    def tree(self, revision: Revision, folder: str) -> Tree:
        found = self._tree(revision)
        within = f"{folder}/" if folder else ""
        paths = sorted(path for path in found if is_manifest(path) and path.startswith(within))
        entries = tuple(TreeEntry(path, found[path], len(self.blobs[found[path]])) for path in paths)
        before = self._listed.get(folder)
        self._listed[folder] = entries
        if before is None or [each.path for each in before] != paths:
            return Tree(entries)
        # As a repository tells it of a large folder: agent/source/relisting.py.
        places = tuple(place for place, each in enumerate(entries) if before[place] != each)
        return Tree(entries, edited=Edited(before, places))

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        found = self._tree(revision)
        return {path: found[path] for path in paths if path in found}

    def _tree(self, revision: Revision) -> Mapping[str, str]:
        return next(tree for each, tree in self.revisions if each.commit == revision.commit)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for blob in blobs:
            yield blob, self.blobs[blob]

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        names = [revision.commit for revision, _ in self.revisions]
        return names.index(older) <= names.index(newer)

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        return None

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        return {}

    def actor(self, revision: Revision) -> Actor:
        return self.actors.get(revision.commit, NOBODY)

    def close(self) -> None:
        pass
