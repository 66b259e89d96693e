"""A folder that somebody else publishes, as a source: git-sync's link, a Kubernetes ConfigMap, or a plain folder.

Made by ``open_source`` for ``source.mount``. No git is needed. A look follows the links once, reads every file below,
looks at all of it again, and starts over if anything moved meanwhile, so that two moments are never mixed. What was
read stays readable: the publisher may take it away at once. A folder that is empty, half written or not there is an
error, on which the last revision stays in force; it is never a revision without manifests.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.clock import Clock, SystemClock
from agent.errors import SourceError
from agent.model.actor import NOBODY, Actor
from agent.model.identity import Revision
from agent.source.folder import Unreadable, as_shown, blob_id, content_of, link_in
from agent.source.objects import Touch
from agent.source.published import Place, find_place
from agent.source.snapshot import Snapshot, Survey, survey
from agent.source.spool import Spool
from agent.source.tree import BLOB_BYTES_MAX, DEFAULT_LIMITS, Tree, TreeLimits, folder_in

REST_SECONDS = 2.0
"""A folder that is written in place, and was written to more lately than this, may be in the middle of it."""
SETTLE_SECONDS = 60.0
"""How long a plain folder must have been still before what is missing in it counts as taken away."""
_PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = 0.2  # after something moved
_HELD = 3  # revisions whose files stay readable: the newest, the one that a pass is about, and one more
_SHOWN_MIN = 7


class PublishedFolder:
    """Satisfies ``Source``. May be used from several threads. ``cache_folder`` holds copies while they are needed."""

    def __init__(
        self, path: Path, cache_folder: Path, limits: TreeLimits = DEFAULT_LIMITS, clock: Clock | None = None
    ) -> None:
        self._path = path
        self._limits = limits
        self._clock = clock or SystemClock()
        self._looking = threading.Lock()  # one look at a time, however long it waits
        self._lock = threading.Lock()  # what is held, for a moment
        self._spool = Spool(cache_folder)
        self._held: list[Snapshot] = []
        self._files: dict[str, bytes] = {}  # blob id -> path of a file that a manifest names, on disk

    def fetch(self) -> Revision:
        """What is published now. Waits for a folder that is being written; SourceError if that does not end."""
        with self._looking:
            deadline = self._clock.monotonic() + _PATIENCE_SECONDS
            while True:
                place = find_place(self._path)
                newest = self._held[-1] if self._held else None
                if newest is not None and newest.place == place and place.swapped is not None:
                    return newest.revision
                seen = survey(place.top, self._limits)
                rest = self._rest(place, seen)
                if seen is not None and rest == 0.0:
                    snapshot = self._read(place, seen, newest)
                    if snapshot is not None:
                        return snapshot.revision
                rest = rest or _AGAIN_SECONDS
                if self._clock.monotonic() + rest > deadline:
                    raise self._changing("it is written to all the time")
                time.sleep(rest)  # for files on disk, whose time is the system's

    def admitted(self, name: str) -> Revision:
        return self.resolve(name)

    def resolve(self, name: str) -> Revision:
        """What is published, or was a moment ago, by its id or the beginning of it."""
        self.fetch()
        with self._lock:
            for snapshot in reversed(self._held):
                if len(name) >= _SHOWN_MIN and snapshot.revision.commit.startswith(name.lower()):
                    return snapshot.revision
        raise SourceError(
            f"`{name[:80]}` is not what is published at {self._path}",
            code="source-ref",
            why="a published folder has no history, and no branches or tags",
            fix="run it in a checkout of the repository, by a configuration with `source.path`; that needs git",
        )

    def tree(self, revision: Revision, folder: str) -> Tree:
        """The manifest files below ``folder``, as they were read; paths are from the published folder."""
        return self._snapshot(revision).tree(folder_in("", folder), self._limits)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of each blob. A file to upload that changed meanwhile is a SourceError: moments never mix."""
        for blob in blobs:
            with self._lock:
                content = self._spool.get(blob) if blob in self._spool else self._from_disk(blob)
            yield blob, content

    def contents(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, str]:
        """The blob ids of regular files by path, each read once; links and folders are left out."""
        snapshot, found = self._snapshot(revision), {}
        for path in paths:
            blob = snapshot.blob_at(path) or self._hashed(snapshot.place.top, path)
            if blob is not None:
                found[path] = blob
        if find_place(self._path).top != snapshot.place.top:
            raise self._changing("another revision was published meanwhile")
        return found

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Nobody can tell without a history; what was published later tells ``reconcile/heads``."""
        return True if older == newer else None

    def merge_base(self, one: Revision, other: Revision) -> Revision | None:
        return one if one.commit == other.commit else None

    def touched_in(self, paths: Collection[str], revision: Revision) -> Mapping[str, Touch]:
        return {}

    def actor(self, revision: Revision) -> Actor:
        return NOBODY

    def close(self) -> None:
        with self._lock:
            self._spool.close()
            self._held, self._files = [], {}

    def _read(self, place: Place, seen: Survey, before: Snapshot | None) -> Snapshot | None:
        """All of it, unless something moved meanwhile. Files that did not change are not read again."""
        if before is not None and (before.place, before.survey) == (place, seen):
            same = self._revision(place, seen, before.contents, before.others)  # it may have settled
            return self._hold(replace(before, revision=same))
        known = before.contents if before is not None else {}
        contents: dict[str, tuple[str, int] | Unreadable] = {}
        total = 0
        for path, mark in seen.manifests.items():
            had = known.get(path)
            if before is not None and before.survey.manifests.get(path) == mark and isinstance(had, tuple):
                contents[path] = had
            else:
                contents[path] = self._content(place, path)
            found = contents[path]
            total += found[1] if isinstance(found, tuple) else 0
            if total > self._limits.bytes_max:
                raise _too_large(f"manifest files of more than {self._limits.bytes_max:,} bytes together")
        others = {} if place.commit is not None else self._others(place, seen, before)
        if find_place(self._path) != place or survey(place.top, self._limits) != seen:
            return None
        if not contents:
            what = f"the folder at {self._path} holds no manifest"
            raise SourceError(
                what, code="source-unpublished", why="an empty folder is never taken for a revision without manifests"
            )
        revision = self._revision(place, seen, contents, others)
        return self._hold(Snapshot(place, seen, contents, others, revision))

    def _hold(self, snapshot: Snapshot) -> Snapshot:
        with self._lock:
            if self._held and _id(self._held[-1].revision) == _id(snapshot.revision):
                self._held.pop()
            self._held = [*self._held[1 - _HELD :], snapshot]
            tops = tuple(os.fsencode(f"{held.place.top}/") for held in self._held)
            self._files = {blob: file for blob, file in self._files.items() if file.startswith(tops)}
            self._spool.keep({blob for held in self._held for blob in held.blobs()})
        return snapshot

    def _content(self, place: Place, path: str) -> tuple[str, int] | Unreadable:
        try:
            content = content_of(_file(place.top, path), self._limits.file_bytes_max, self._clock)
        except FileNotFoundError:
            return Unreadable("the file is gone")  # and the second survey will show it
        except Unreadable as error:
            return error
        blob = blob_id(content)
        with self._lock:
            self._spool.put(blob, content)
        return blob, len(content)

    def _others(self, place: Place, seen: Survey, before: Snapshot | None) -> dict[str, str]:
        """Other files, which manifests may name: where the content is the revision, theirs counts too."""
        if sum(mark.size for mark in seen.others.values()) > self._limits.bytes_max:
            raise _too_large(f"files of more than {self._limits.bytes_max:,} bytes together")
        found = {}
        for path, mark in seen.others.items():
            if before is not None and before.survey.others.get(path) == mark:
                found[path] = before.others[path]
            else:
                found[path] = self._hashed(place.top, path) or f"{mark.size} bytes"
        return found

    def _hashed(self, top: str, path: str) -> str | None:
        """The blob id of one file that is no manifest, None for what is no regular file of a size that may travel."""
        if link_in(os.fsencode(top), path.rpartition("/")[0]):
            return None
        file = _file(top, path)
        try:
            blob = blob_id(content_of(file, BLOB_BYTES_MAX, self._clock))
        except (FileNotFoundError, Unreadable):
            return None
        self._files[blob] = file
        return blob

    def _from_disk(self, blob: str) -> bytes:
        file = self._files.get(blob)
        if file is None:
            raise self._changing(f"blob {blob[:12]} is not published any more")
        try:
            content = content_of(file, BLOB_BYTES_MAX, self._clock)
        except (FileNotFoundError, Unreadable) as error:
            raise self._changing(f"{as_shown(file)}: {error}") from None
        if blob_id(content) != blob:
            raise self._changing(f"{as_shown(file)} has another content than a moment ago")
        return content

    def _revision(
        self,
        place: Place,
        seen: Survey,
        contents: Mapping[str, tuple[str, int] | Unreadable],
        others: Mapping[str, str],
    ) -> Revision:
        digest = hashlib.sha256()
        blobs = {
            path: found[0] if isinstance(found, tuple) else f"{found.code} {seen.manifests[path].size}"
            for path, found in contents.items()
        }
        for path, word in sorted({**blobs, **others, **dict.fromkeys(seen.odd, "odd")}.items()):
            digest.update(f"{path}\0{word}\0".encode(errors="surrogateescape"))
        content = digest.hexdigest()
        published = place.swapped
        if published is None and self._clock.now() - seen.newest >= SETTLE_SECONDS:
            published = max([seen.newest, *(link.put_at for link in place.links)])
        return Revision(place.commit or content, self._path.name or None, content, published_at=published)

    def _rest(self, place: Place, seen: Survey | None) -> float:
        """Seconds until the folder has been still for long enough; one changed in the future had its clock set back.

        Kubernetes writes nothing after the swap; git-sync may check out a commit anew in the place of a damaged one.
        """
        if seen is None or (place.swapped is not None and place.commit is None):
            return 0.0
        rest = seen.newest + REST_SECONDS - self._clock.now()
        return rest if 0.0 < rest <= REST_SECONDS else 0.0

    def _snapshot(self, revision: Revision) -> Snapshot:
        with self._lock:
            for snapshot in reversed(self._held):
                if _id(snapshot.revision) == _id(revision):
                    return snapshot
        raise self._changing(f"{revision.short} is not published any more")

    def _changing(self, why: str) -> SourceError:
        what = f"the published folder {self._path} changed while it was read"
        return SourceError(
            what, code="source-changed", why=why, fix="run the command again; an agent does so by itself"
        )


def _id(revision: Revision) -> tuple[str, str | None]:
    return revision.commit, revision.tree


def _file(top: str, path: str) -> bytes:
    return os.path.join(os.fsencode(top), os.fsencode(path))  # noqa: PTH118 - bytes: names need not be UTF-8


def _too_large(what: str) -> SourceError:
    fix = "publish the manifests alone, or name the folder that holds them in `source.mount`"
    return SourceError(f"the published folder holds {what}", code="tree-limit", fix=fix)
