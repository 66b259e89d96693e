"""A git source: the newest commit of the followed ref, its files, and other revisions by name.

Made by ``open_source``. A local repository's object database is read in place; a URL goes through a bare mirror.
Nothing is ever checked out, so that filters, hooks, links and half-written files cannot matter.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.errors import SourceError
from agent.model.actor import Actor
from agent.model.identity import Revision
from agent.source.local import DEFAULT_BRANCH, Found, LocalRepository, Wanted
from agent.source.objects import Touch
from agent.source.people import actor_of
from agent.source.relisting import Listings
from agent.source.signatures import Signatures
from agent.source.tree import DEFAULT_LIMITS, Tree, TreeLimits, folder_in

if TYPE_CHECKING:
    from agent.source.mirror import Mirror


class GitSource:
    """Reads commits only. May be used from several threads; holds no process and no open file between calls."""

    def __init__(
        self,
        repository: LocalRepository | Mirror,
        wanted: Wanted = DEFAULT_BRANCH,
        limits: TreeLimits = DEFAULT_LIMITS,
        signatures: Signatures | None = None,
    ) -> None:
        self._repository = repository
        self._wanted = wanted
        self._listings = Listings(limits)
        self._signatures = signatures
        self._lock = threading.Lock()
        self._last: tuple[Found, Revision] | None = None

    def fetch(self) -> Revision:
        """The newest commit of the followed ref. On :class:`SourceError` all that was fetched before stays readable.

        Where signers are named, a commit that none of them signed is such an error.
        """
        with self._lock, self._doubting():
            found = self._repository.newest(self._wanted)
            if self._last is None or self._last[0] != found:
                self._last = (found, self._repository.objects.commit(found.id, found.ref))
            self._check(found, self._last[1])
            return self._last[1]

    def resolve(self, name: str) -> Revision:
        """The commit that a branch, a tag or an id names now."""
        with self._lock:
            return self._named(name)[1]

    def admitted(self, name: str) -> Revision:
        """The same, signed where signers are named: it may be applied."""
        with self._lock:
            found, revision = self._named(name)
            self._check(found, revision)
            return revision

    def _named(self, name: str) -> tuple[Found, Revision]:
        found = self._repository.named(name)
        try:
            return found, self._repository.objects.commit(found.id, found.ref)
        except SourceError as error:
            if error.error_code != "git-corrupt" or found.id != name:
                raise
            raise SourceError(f"`{name}` is no commit of the repository", code="source-ref") from None

    def _check(self, found: Found, revision: Revision) -> None:
        if self._signatures is not None:
            self._signatures.check(self._repository.objects, found.id, revision.commit, found.ref)

    def tree(self, revision: Revision, folder: str) -> Tree:
        """The manifest files below ``folder``, which is seen from the configured path; paths are from the top."""
        below = folder_in(self._repository.prefix, folder)
        with self._doubting():
            return self._listings.tree(self._repository.objects, revision.commit, below)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob, in order, streamed."""
        with self._doubting():
            yield from self._repository.objects.read(blobs)

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        """The blob ids of files that manifests name, by path from the top; links and folders are left out."""
        with self._doubting():
            return self._repository.objects.contents(revision.commit, paths)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Does ``newer`` descend from ``older``? None when that cannot be proved either way."""
        return self._repository.objects.is_ancestor(older, newer)

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        """The commit at which two histories part; None when the history at hand does not show one."""
        found = self._repository.objects.merge_base(one.commit, other.commit)
        return self._repository.objects.commit(found) if found is not None else None

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        """The newest commit that changed each of these paths, seen from the top; what history does not show is out."""
        return self._repository.objects.touched_in(paths, revision.commit)

    def actor(self, revision: Revision) -> Actor:
        """Who its commit says wrote and committed it; the signer where signers are named and one of them signed."""
        with self._lock:
            objects = self._repository.objects
            actor = actor_of(objects, revision.commit)
            if self._signatures is None:
                return actor
            return replace(actor, signer=self._signatures.signer(objects, revision.commit))

    def close(self) -> None:
        """Nothing is held; here so that every source can be closed."""

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """Have a mirror in which an object is missing or damaged made anew by the next fetch."""
        try:
            yield
        except SourceError as error:
            if error.error_code == "git-corrupt":
                self._repository.doubt()
            raise
