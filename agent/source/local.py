"""Refs of a local repository, resolved exactly and read without writing anything to it.

Called by ``repository``. A look costs a few ``stat`` calls while nothing moved: what git would read to answer is
compared with the last time, and only a difference asks git itself.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.errors import NoCommit, SourceError
from agent.source.git import Git
from agent.source.location import Location, find_repository
from agent.source.objects import Objects, is_object_id

_STEPS = re.compile(r"(?P<base>.+?)(?P<steps>(?:~\d{0,5}|\^\d?)+)\Z")
_SHORT_ID = re.compile(r"[0-9a-fA-F]{7,64}\Z")
_NAME = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]*\Z")
_HEAD_MAX = 4096


class Found(NamedTuple):
    """What a name means now: the id of a commit or annotated tag, and the short name to show, if any."""

    id: str
    ref: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The one thing that a source follows: a branch, a tag or a commit; none of them is the default branch."""

    branch: str | None = None
    tag: str | None = None
    commit: str | None = None

    @property
    def full_ref(self) -> str | None:
        if self.branch is not None:
            return f"refs/heads/{self.branch}"
        return f"refs/tags/{self.tag}" if self.tag is not None else None


DEFAULT_BRANCH = Wanted()


class LocalRepository:
    """The repository that ``path`` is in. The path is followed anew at each look, for it may be a swapped link."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._location: Location | None = None
        self._seen: tuple[object, Found] | None = None

    @property
    def location(self) -> Location:
        return self._location or self._locate()

    @property
    def prefix(self) -> str:
        """Where the configured path lies below the repository's top."""
        return self.location.prefix

    @property
    def objects(self) -> Objects:
        return Objects(self._git(), self.location.common_dir)

    def doubt(self) -> None:
        """An object was found missing: look again with git's own eyes next time."""
        self._seen = None

    def newest(self, wanted: Wanted) -> Found:
        location = self._locate()
        if wanted.commit is not None:
            return Found(wanted.commit, None)
        head = _head(location)
        followed = wanted.full_ref or _followed(head) or "HEAD"
        state = (location, head, *_state(location, followed))
        if self._seen is not None and self._seen[0] == state:
            return self._seen[1]
        if wanted.full_ref is None and head == "ref: refs/heads/.invalid":  # the ref store is not made of files
            symbolic = self._git().run(["symbolic-ref", "-q", "HEAD"])
            followed = symbolic.output.decode(errors="replace").strip() or "HEAD"
        found = self._verified(followed, default=wanted.full_ref is None)
        self._seen = (state, found)
        return found

    def named(self, name: str) -> Found:
        """A branch, tag, remote branch or commit (also short, also with ``~n`` or ``^``)."""
        self._locate()
        steps = _STEPS.match(name)
        if steps is None:
            return self._base(name)
        base = self._base(steps["base"])
        finished = self._git().run(["rev-parse", "--verify", "-q", base.id + steps["steps"] + "^{commit}"])
        if finished.status != 0:
            raise _unknown(name)
        return Found(finished.output.decode().strip(), name)

    def _base(self, name: str) -> Found:
        if is_object_id(name):
            return Found(name, None)
        if name in ("HEAD", "@"):
            return self.newest(DEFAULT_BRANCH)
        if not _NAME.match(name) or ".." in name or "@{" in name:
            raise _unknown(name)
        tried = [name] if name.startswith("refs/") else [f"refs/{kind}/{name}" for kind in ("heads", "tags", "remotes")]
        finished = self._git().run(["for-each-ref", "--format=%(refname) %(objectname)", *tried])
        if finished.status != 0:
            raise finished.failure("the repository's refs cannot be read")
        refs = dict(line.split(" ", 1) for line in finished.output.decode(errors="replace").splitlines())
        ids = {ref: refs[ref] for ref in tried if ref in refs}
        local = {ref: id_ for ref, id_ in ids.items() if not ref.startswith("refs/remotes/")}
        if len(set(local.values())) > 1:
            raise SourceError(
                f"`{name}` is both a branch and a tag", code="source-ref", fix="write " + " or ".join(local)
            )
        if ids:
            return Found(next(iter(ids.values())), _short(next(iter(ids))))
        return self._short_id(name)

    def _short_id(self, name: str) -> Found:
        finished = (
            self._git().run(["rev-parse", "--verify", "-q", name + "^{commit}"]) if _SHORT_ID.match(name) else None
        )
        id_ = finished.output.decode(errors="replace").strip() if finished and finished.status == 0 else ""
        if not id_.startswith(name.lower()):
            raise _unknown(name)
        return Found(id_, None)

    def _verified(self, ref: str, *, default: bool) -> Found:
        finished = self._git().run(["show-ref", "--verify", "--", ref])
        id_ = finished.output.decode(errors="replace").partition(" ")[0]
        if finished.status == 0 and is_object_id(id_):
            return Found(id_, None if ref == "HEAD" else _short(ref))
        if b"not a valid ref" not in finished.stderr:
            raise finished.failure(f"the ref `{ref}` cannot be read")
        if default:
            what = "the repository has no commit on the branch that it has checked out"
            raise NoCommit(what, got=ref, fix="make a first commit, or set `source.branch`")
        raise missing_ref(ref)

    def _git(self) -> Git:
        location = self.location
        folders = (location.git_dir, location.common_dir, *([location.top] if location.top else []))
        return Git(location.git_dir, safe=tuple(dict.fromkeys(folders)))

    def _locate(self) -> Location:
        try:
            location = find_repository(self._path)
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
            why = getattr(error, "strerror", None) or "a loop of links"
            raise SourceError("the path of the source cannot be read", code="source-missing", why=why) from None
        if location is None:
            what = f"there is no git repository at {self._path}"
            fix = "make one with `git init`, or correct `source.path` or `source.url`"
            raise SourceError(what, code="source-missing", fix=fix)
        self._location = location
        return location


def followed_files(path: Path, ref: str | None) -> tuple[Path, ...]:
    """The paths whose change can mean that ``ref`` (None: the default branch) of the repository at ``path`` moved."""
    here = Path(os.path.abspath(path))  # noqa: PTH100 - a link must stay one: its swap matters
    try:
        location = find_repository(path)
    except (OSError, RuntimeError):
        location = None
    if location is None:
        return (here,)
    common = location.common_dir
    followed = ref or _followed(_head(location)) or "HEAD"
    stores = (common / "packed-refs", common / "reftable" / "tables.list")
    return (here, location.git_dir, location.git_dir / "HEAD", common / followed, *stores)


def missing_ref(ref: str) -> SourceError:
    word, name = ("branch", ref[11:]) if ref.startswith("refs/heads/") else ("tag", ref.removeprefix("refs/tags/"))
    what = f"the {word} `{name}` is not in the repository"
    fix = f"push it again, or correct `source.{word}`; the last revision stays in force"
    return SourceError(what, code="source-ref", fix=fix)


def _unknown(name: str) -> SourceError:
    fix = "name a branch, a tag or a commit of the repository"
    return SourceError(f"`{name[:80]}` is no revision of the repository", code="source-ref", fix=fix)


def _short(ref: str) -> str:
    for prefix in ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return ref


def _head(location: Location) -> str:
    return _text(location.git_dir / "HEAD") or ""


def _followed(head: str) -> str | None:
    ref = head.removeprefix("ref: ")
    return ref if head.startswith("ref: refs/") and ref != "refs/heads/.invalid" and ".." not in ref else None


def _state(location: Location, ref: str) -> tuple[object, ...]:
    """All that git's answer for ``ref`` depends on: the loose file's text, and whether the stores of many changed."""
    stores = (location.common_dir / "packed-refs", location.common_dir / "reftable" / "tables.list")
    return _text(location.common_dir / ref), *(_stat(store) for store in stores)


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_MAX).decode(errors="replace").rstrip("\n")
    except OSError:
        return None


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
