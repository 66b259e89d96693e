"""Reads commits, trees and blobs of one object database: a local repository's or our mirror's.

Called by ``repository``. Object ids are hexadecimal and checked before use; names of refs never come here. It writes
nothing, reaches nothing over a network, and keeps no child alive between two calls.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.errors import SourceError
from agent.model.identity import Revision
from agent.source.git import Child, Git
from agent.source.tree import BLOB_BYTES_MAX, DEFAULT_LIMITS, EntryType, Listing, Tree, TreeLimits, missing_folder

_TEXT_MAX = 200
_COUNTED_ABOVE = 20_000
_RECORD_MAX = 1 << 16
_PATHS_AT_ONCE = 500
_DIFFERENCE_MAX = 1 << 20
HISTORY_MAX = 2000
"""Commits that are looked through for who changed a file last."""
_HISTORY_SECONDS = 10.0  # in a history without end
_COMMIT = "\x1e\x1f"
_HISTORY = "--format=%x1e%x1f%H%x1f%an%x1f%ct%x1f%s"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
# Records that need no second look: regular files whose path is safe, portable and ends like a manifest.
_PLAIN = re.compile(
    r"100\d{3} blob ([0-9a-f]+) +(\d+)\t([A-Za-z0-9_][A-Za-z0-9_./-]*\.(?:[yY][aA]?[mM][lL]|[jJ][sS][oO][nN]))\0"
)
_WINDOWS_ONLY = r"(?:[cC][oO][nN]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|[cC][oO][mM]\d|[lL][pP][tT]\d)[./]"
_DOUBTFUL = (re.compile(f"/(?:[./]|{_WINDOWS_ONLY})"), re.compile(f"\t{_WINDOWS_ONLY}"))
_PERSON = re.compile(r"(.*?) ?<[^>]*> (-?\d+) [+-]\d{4}\Z")


class Touch(NamedTuple):
    """The commit that changed a file last, and whether it took the file away."""

    revision: Revision
    removed: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """The object database behind ``git``. ``common_dir`` is where a shallow clone says that it is one."""

    git: Git
    common_dir: Path

    def commit(self, id_: str, ref: str | None = None) -> Revision:
        """The commit ``id_``, or the one that the annotated tag ``id_`` points to."""
        with (
            _lines([_checked(id_) + "^{commit}"]) as stdin,
            self.git.start(["cat-file", "--batch"], stdin=stdin) as child,
        ):
            peeled, type_, body = next(_objects(child, 1), ("", "missing", b""))
            status = child.finish()
            if status != 0:
                raise child.failure(f"commit {id_[:12]} cannot be read", status)
        if type_ != "commit":
            why = "its object is missing, or no commit"
            raise SourceError(f"commit {id_[:12]} cannot be read", code="git-corrupt", why=why)
        return _revision(peeled, body, ref)

    def raw(self, id_: str) -> tuple[str, bytes]:
        """Type and content of a commit or a tag."""
        with _lines([_checked(id_)]) as stdin, self.git.start(["cat-file", "--batch"], stdin=stdin) as child:
            _, type_, body = next(_objects(child, 1), ("", "missing", b""))
            child.finish()
        if type_ not in ("commit", "tag"):
            raise SourceError(f"commit {id_[:12]} cannot be read", code="git-corrupt", why=f"git says: {type_}")
        return type_, body

    def exists(self, id_: str) -> bool:
        """Is this commit here, whole enough to be named?"""
        return self.git.run(["cat-file", "-e", _checked(id_) + "^{commit}"]).status == 0

    def tree(self, commit: str, folder: str, limits: TreeLimits = DEFAULT_LIMITS) -> Tree:
        """The manifest files of ``folder``, judged while they stream; no blob is read."""
        listing = Listing(folder, limits)
        words = ["ls-tree", "-r", "-z", "-l", "--full-tree", _checked(commit)]
        inside = ["--", folder] if folder else []
        with self.git.start([*words, *inside]) as child:
            if _collect(child, listing, lambda: self._has_more([_checked(commit), *inside], limits.entries_max)):
                status = child.finish()
                if status != 0:
                    raise child.failure(f"the files of commit {commit[:12]} cannot be listed", status)
        return listing.result() if listing.seen or not folder else missing_folder(folder, f"commit {commit[:12]}")

    def difference(self, older: str, newer: str, folder: str) -> bytes | None:
        """What ``diff-tree -r -z`` says of two commits below ``folder``; None where git cannot or it is very much."""
        inside = ["--", folder] if folder else []
        words = ["diff-tree", "-r", "-z", "--no-renames", _checked(older), _checked(newer), *inside]
        try:
            finished = self.git.run(words, output_max=_DIFFERENCE_MAX)
        except SourceError:
            return None
        return finished.output if finished.status == 0 else None

    def sizes(self, blobs: Sequence[str]) -> dict[str, int]:
        """Bytes of the blobs that are there."""
        if not blobs:
            return {}
        with _lines([_checked(blob) for blob in blobs]) as stdin:
            finished = self.git.run(["cat-file", "--batch-check"], stdin=stdin)
        told = (line.split() for line in finished.output.decode().splitlines())
        return {words[0]: int(words[2]) for words in told if len(words) == 3 and words[1] == "blob"}

    def _has_more(self, what: Sequence[str], limit: int) -> bool:
        """Whether a tree has more entries than that; counted by their names alone, a tenth of the cost of a listing."""
        count = 0
        with self.git.start(["ls-tree", "-r", "-z", "--name-only", "--full-tree", *what]) as child:
            for piece in child.output():
                count += piece.count(b"\0")
                if count > limit:
                    return True
            child.finish()
        return False

    def contents(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        """The blob ids of regular files, by path from the top; no blob is read."""
        found: dict[str, str] = {}
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            words = ["ls-tree", "-z", "--full-tree", _checked(commit), "--", *paths[start : start + _PATHS_AT_ONCE]]
            finished = self.git.run(words)
            if finished.status != 0:
                raise finished.failure(f"files of commit {commit[:12]} cannot be looked up")
            for record in finished.output.decode(errors="backslashreplace").split("\0"):
                head, _, path = record.partition("\t")
                if head.startswith("100"):  # a regular file, executable or not
                    found[path] = head.split()[2]
        return found

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Each blob's bytes, in the given order, through one child that ends with the iteration."""
        if not blobs:
            return
        with (
            _lines([_checked(blob) for blob in blobs]) as stdin,
            self.git.start(["cat-file", "--batch", "--buffer"], stdin=stdin) as child,
        ):
            count = 0
            for id_, type_, content in _objects(child, len(blobs)):
                count += 1
                if type_ != "blob":
                    raise SourceError(f"blob {id_[:12]} cannot be read", code="git-corrupt", why=f"git says: {type_}")
                yield id_, content
            status = child.finish()
            if status != 0 or count != len(blobs):
                raise child.failure("files of the revision cannot be read", status)

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Does ``newer`` descend from ``older``? None when the history at hand cannot tell."""
        if older == newer:
            return True
        status = self.git.run(["merge-base", "--is-ancestor", _checked(older), _checked(newer)]).status
        if status == 0:
            return True
        return False if status == 1 and not (self.common_dir / "shallow").exists() else None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which the two histories part; None when the history at hand does not show one."""
        finished = self.git.run(["merge-base", _checked(one), _checked(other)])
        found = finished.output.decode().strip()
        return found if finished.status == 0 and _OBJECT_ID.match(found) else None

    def touched_in(self, paths: Collection[str], commit: str) -> dict[str, Touch]:
        """For each of ``paths`` the newest commit up to ``commit`` that changed it, and whether that one removed it.

        One walk through history for all of them, which ends with the last path found, or after
        :data:`HISTORY_MAX` commits that touch any of them; what was not met by then is left out.
        """
        wanted = set(paths)
        found: dict[str, Touch] = {}
        if not wanted:
            return found
        words = ["log", f"-{HISTORY_MAX}", "-z", "--no-renames", "--name-status", _HISTORY]
        words += [_checked(commit), "--", *sorted(wanted)]
        with self.git.start(words, deadline_seconds=_HISTORY_SECONDS) as child:
            for revision, letter, path in _touches(child):
                if path in wanted and path not in found:
                    found[path] = Touch(revision, letter == "D")
                    if len(found) == len(wanted):
                        return found
            child.finish()
        return found


def _touches(child: Child) -> Iterator[tuple[Revision, str, str]]:
    """``git log -z --name-status`` in our format: each commit's words, then pairs of a letter and a path."""
    revision: Revision | None = None
    letter = ""
    for word in _words(child):
        word = word.removeprefix("\n")
        if word.startswith(_COMMIT):
            revision, letter = _logged(word), ""
        elif revision is None or not word:
            continue
        elif letter:
            yield revision, letter, word
            letter = ""
        else:
            letter = word


def _words(child: Child) -> Iterator[str]:
    rest = b""
    for piece in child.output():
        *whole, rest = (rest + piece).split(b"\0")
        yield from (word.decode(errors="backslashreplace") for word in whole)
        if len(rest) > _RECORD_MAX:
            return  # neither a path nor a head of a commit that anybody would read
    if rest:
        yield rest.decode(errors="backslashreplace")


def _logged(word: str) -> Revision:
    _, commit, author, at, subject = (word.split("\x1f", 4) + [""] * 5)[:5]
    committed = float(at) if at.lstrip("-").isdecimal() else None
    return Revision(commit, None, None, author[:_TEXT_MAX], " ".join(subject.split())[:_TEXT_MAX], committed)


def is_object_id(text: str) -> bool:
    """Forty or sixty-four lower-case hexadecimal digits."""
    return _OBJECT_ID.match(text) is not None


def _checked(id_: str) -> str:
    if not is_object_id(id_):
        raise SourceError("this is not an object id", code="source-ref", got=id_[:80])
    return id_


def _collect(child: Child, listing: Listing, has_too_many: Callable[[], bool]) -> bool:
    """Feed the records of ``ls-tree -z`` to the listing; False when a limit ended it early.

    A tree that turns out to be large is counted before the rest of it is listed: one without end costs little then.
    """
    rest, counted = b"", False
    for piece in child.output():
        if listing.seen > _COUNTED_ABOVE and not counted:
            counted = True
            if has_too_many():
                return listing.too_many()
        whole, cut, rest = (rest + piece).rpartition(b"\0")
        if cut and not _records(whole.decode(errors="backslashreplace"), listing):
            return False
        if len(rest) > _RECORD_MAX:
            listing.count()
            what = f"the tree holds a path of more than {_RECORD_MAX:,} bytes"
            listing.problem("path-too-long", listing.folder or ".", what, fix="remove it")
            return False
    return True


def _records(text: str, listing: Listing) -> bool:
    plain = _PLAIN.findall(text + "\0")
    doubtful = "./" in text or any(pattern.search(text) for pattern in _DOUBTFUL)
    if len(plain) == text.count("\0") + 1 and not doubtful and listing.add_plain(plain):
        return True
    return all(_record(record, listing) for record in text.split("\0"))


def _record(record: str, listing: Listing) -> bool:
    head, _, path = record.partition("\t")
    mode, _, blob, digits = head.split(maxsplit=3)
    type_: EntryType = "link" if mode == "120000" else "submodule" if mode == "160000" else "file"
    if path == listing.folder:
        return listing.count() and listing.not_a_folder(type_)
    if type_ == "file" and not digits.isdecimal():  # git writes "BAD" in the place of the size
        raise SourceError(f"blob {blob[:12]} cannot be read", code="git-corrupt", why="its object is missing")
    return listing.add(path, type_, blob, int(digits) if digits.isdecimal() else 0)


def _objects(child: Child, count: int) -> Iterator[tuple[str, str, bytes]]:
    """Answers of ``cat-file --batch``: id, type (or ``missing``), content."""
    pieces = child.output()
    buffer, at = b"", 0
    for _ in range(count):
        while (end := buffer.find(b"\n", at)) < 0:
            piece = next(pieces, b"")
            if not piece:
                return
            buffer, at = buffer[at:] + piece, 0
        words = buffer[at:end].decode(errors="replace").split()
        at = end + 1
        if len(words) != 3:
            yield words[0] if words else "", words[-1] if words else "", b""
            continue
        size = int(words[2])
        if size > BLOB_BYTES_MAX:
            raise SourceError(f"object {words[0][:12]} is too big to be read", code="git-limit", got=f"{size:,} bytes")
        if len(buffer) < at + size + 1:
            parts, length = [buffer[at:]], len(buffer) - at
            while length < size + 1:
                piece = next(pieces, b"")
                if not piece:
                    return
                parts.append(piece)
                length += len(piece)
            buffer, at = b"".join(parts), 0
        yield words[0], words[1], buffer[at : at + size]
        at += size + 1


@contextmanager
def _lines(lines: Sequence[str]) -> Iterator[int]:
    """An open file in memory with these lines: unlike a pipe, a child can never block us by not reading it."""
    descriptor = os.memfd_create("datakeel-ids", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write("".join(f"{line}\n" for line in lines).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _revision(commit: str, body: bytes, ref: str | None) -> Revision:
    head, _, message = body.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.decode(errors="replace").split("\n"):
        word, _, value = line.partition(" ")
        headers.setdefault(word, value)
    author = _PERSON.match(headers.get("author", ""))
    committer = _PERSON.match(headers.get("committer", ""))
    subject = " ".join(message.decode(errors="replace").lstrip("\n").split("\n\n", 1)[0].split())
    return Revision(
        commit=commit,
        ref=ref,
        tree=headers.get("tree"),
        author=author[1][:_TEXT_MAX] if author else "",
        subject=subject[:_TEXT_MAX],
        committed_at=float(committer[2]) if committer else None,
    )
