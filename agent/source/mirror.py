"""A bare mirror of a remote repository in the cache folder: one ref at a time, no work tree, safe to delete.

Called by ``repository`` for sources with a URL. A file lock, which git's child inherits, keeps two writers apart even
when one was killed in the middle; what such a writer left is removed. A damaged mirror is made anew, once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.clock import SystemClock
from agent.errors import NoCommit, SourceError
from agent.source.credentials import Remote
from agent.source.git import Finished, Git
from agent.source.local import Found, Wanted, missing_ref
from agent.source.objects import Objects, is_object_id

_DEPTH = 200
_NETWORK_DEADLINE_SECONDS = 120.0
_LOCK_WAIT_SECONDS = 30.0
_LOCK_LOOK_SECONDS = 0.05
_PACKS_MAX = 40
# Faults of old tools that harm nobody; everything else that fsck finds refuses the fetch.
_HARMLESS = ("zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate", "zeroPaddedDate", "missingNameBeforeEmail")
_CLOCK = SystemClock()
# Failures that a new mirror would meet as well.
_NOT_OURS = {
    "source-unauthorized",
    "source-unreachable",
    "source-redirected",
    "tree-unsafe",
    "git-limit",
    "git-missing",
}


class Mirror:
    """The mirror of one URL. ``newest`` and ``named`` reach the network; ``objects`` reads what is here."""

    prefix = ""

    def __init__(self, cache_folder: Path, remote: Remote) -> None:
        self._remote = remote
        name = hashlib.sha256(remote.address.url.encode()).hexdigest()[:24]
        self._folder = (cache_folder / "git" / f"{name}.git").absolute()
        self._git = Git(self._folder, safe=(self._folder,))
        self._cleaned = False
        self._doubted = False

    @property
    def objects(self) -> Objects:
        return Objects(self._git, self._folder)

    def doubt(self) -> None:
        """An object was found missing or damaged: the next look makes the mirror anew."""
        self._doubted = True

    def newest(self, wanted: Wanted) -> Found:
        with self._lock() as lock:
            if wanted.commit is not None:
                return self._commit(wanted.commit, lock)
            refs, default = self._look([wanted.full_ref or "HEAD"], lock)
            ref = wanted.full_ref or default or "HEAD"
            if (wanted.full_ref or "HEAD") not in refs:
                raise missing_ref(ref) if wanted.full_ref else _empty()
            return self._take(ref, refs[wanted.full_ref or "HEAD"], lock)

    def named(self, name: str) -> Found:
        """A branch, tag or whole commit id of the remote."""
        with self._lock() as lock:
            if is_object_id(name):
                return self._commit(name, lock)
            tried = [name] if name.startswith("refs/") else [f"refs/heads/{name}", f"refs/tags/{name}"]
            refs, _ = self._look(tried, lock)
            if len(set(refs.values())) > 1:
                raise SourceError(
                    f"`{name}` is both a branch and a tag", code="source-ref", fix="write " + " or ".join(refs)
                )
            if not refs:
                what = f"`{name[:80]}` is no branch, tag or whole commit id of the repository"
                raise SourceError(what, code="source-ref")
            return self._take(*next(iter(refs.items())), lock)

    def _look(self, refs: Sequence[str], lock: int) -> tuple[dict[str, str], str | None]:
        """Ids of those of ``refs`` that the remote has, and the ref that its HEAD stands for."""
        words = ["ls-remote", "--symref", "--", self._remote.address.url, *refs]
        finished = self._reach(self._git, words, lock)
        if finished.status != 0 and not self._is_sound():
            self._make(self._git, 40)
            finished = self._reach(self._git, words, lock)
        if finished.status != 0:
            raise finished.failure(f"the repository at {self._remote.address.url} cannot be read")
        ids: dict[str, str] = {}
        default = None
        for line in finished.output.decode(errors="replace").splitlines():
            value, _, ref = line.partition("\t")
            if value.startswith("ref: "):
                default = value.removeprefix("ref: ") if ref == "HEAD" else default
            elif ref in refs and is_object_id(value):  # its patterns match tails, we mean exactly these
                ids[ref] = value
        return ids, default

    def _commit(self, id_: str, lock: int) -> Found:
        if self._doubted or not self.objects.exists(id_):
            self._fetch(id_, f"refs/agent/commits/{id_}", id_, lock)
        return Found(id_, None)

    def _take(self, ref: str, id_: str, lock: int) -> Found:
        kept = "refs/agent/" + ref.removeprefix("refs/")
        short = ref.split("/", 2)[2] if ref.count("/") > 1 else None
        if self._doubted or self._kept(kept) != id_:
            self._fetch(ref, kept, id_, lock)
        arrived = self._kept(kept)  # the remote may have moved on since the look
        if arrived is None:
            raise SourceError(f"`{ref}` did not arrive from the remote", code="git-corrupt")
        return Found(arrived, short)

    def _fetch(self, ref: str, kept: str, id_: str, lock: int) -> None:
        try:
            if self._doubted:
                self._replace(ref, kept, len(id_), lock)
            else:
                self._fetch_into(self._git, ref, kept, lock)
        except SourceError as error:
            if self._doubted or error.error_code in _NOT_OURS:
                raise
            try:
                self._replace(ref, kept, len(id_), lock)
            except SourceError:
                raise error from None
        self._doubted = False
        packs = sum(1 for _ in (self._folder / "objects" / "pack").glob("*.pack"))
        if packs > _PACKS_MAX:
            # Keeps what no ref names any more: the revision in force may be one that a force-push took away.
            self._git.run(["repack", "-a", "-d", "-k", "-q"], deadline_seconds=_NETWORK_DEADLINE_SECONDS)

    def _replace(self, ref: str, kept: str, id_length: int, lock: int) -> None:
        """Fetch into a mirror made anew, which takes the old one's place; on an error all stays as it was."""
        fresh = Git(self._folder.with_suffix(".new"))
        try:
            self._make(fresh, id_length)
            self._fetch_into(fresh, ref, kept, lock)
        except SourceError:
            shutil.rmtree(fresh.git_dir, ignore_errors=True)
            raise
        shutil.rmtree(self._folder, ignore_errors=True)
        fresh.git_dir.rename(self._folder)

    def _fetch_into(self, git: Git, ref: str, kept: str, lock: int) -> None:
        harmless = [word for id_ in _HARMLESS for word in ("-c", f"fetch.fsck.{id_}=warn")]
        words = [*harmless, "-c", "fetch.unpackLimit=1", "fetch", f"--depth={_DEPTH}", "--no-tags"]
        words += ["--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "-q"]
        finished = self._reach(git, [*words, "--", self._remote.address.url, f"+{ref}:{kept}"], lock)
        if finished.status != 0:
            raise finished.failure(f"`{ref}` cannot be fetched from {self._remote.address.url}")

    def _kept(self, ref: str) -> str | None:
        """The commit or tag that our ref holds, when its commit is really here."""
        finished = self._git.run(["show-ref", "--verify", "--", ref])
        id_ = finished.output.decode(errors="replace").partition(" ")[0]
        if finished.status != 0 or not is_object_id(id_):
            return None
        return id_ if self.objects.exists(id_) else None

    def _reach(self, git: Git, words: Sequence[str], lock: int) -> Finished:
        with self._remote.access() as access:
            access = replace(access, inherited=(*access.inherited, lock))
            return git.run(words, access=access, deadline_seconds=_NETWORK_DEADLINE_SECONDS)

    def _is_sound(self) -> bool:
        """Does git take the folder for a repository at all?"""
        return self._git.run(["rev-parse", "--is-bare-repository"]).output.strip() == b"true"

    def _make(self, git: Git, id_length: int) -> None:
        """Make an empty mirror in the place of whatever is there."""
        shutil.rmtree(git.git_dir, ignore_errors=True)
        git.git_dir.mkdir(mode=0o700, exist_ok=True)
        format_ = "sha1" if id_length == 40 else "sha256"
        finished = git.run(["init", "-q", "--bare", "--template=", f"--object-format={format_}"])
        if finished.status != 0:
            raise finished.failure("the mirror cannot be made in the cache folder")

    @contextmanager
    def _lock(self) -> Iterator[int]:
        try:
            self._folder.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            descriptor = os.open(self._folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what = f"the cache folder {self._folder.parent} cannot be written"
            raise SourceError(what, why=error.strerror, fix="give the agent a writable cache folder") from None
        try:
            _acquire(descriptor)
            if not self._cleaned:
                _remove_leftovers(self._folder)
                if not self._is_sound():
                    self._make(self._git, 40)
                self._cleaned = True
            yield descriptor
        finally:
            os.close(descriptor)


def _acquire(descriptor: int) -> None:
    until = _CLOCK.monotonic() + _LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if _CLOCK.monotonic() > until:
                why = "another agent uses the same cache folder, or a fetch that lost its agent still runs"
                raise SourceError("the mirror is locked", why=why) from None
            time.sleep(_LOCK_LOOK_SECONDS)  # for another process, whose time is the system's


def _remove_leftovers(folder: Path) -> None:
    """Locks and temporary packs of a writer that was killed: we hold the lock, so that nobody owns them."""
    for base, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".lock") or name.startswith("tmp_"):
                Path(base, name).unlink(missing_ok=True)


def _empty() -> SourceError:
    return NoCommit("the remote repository has no commit", fix="push a first commit")
