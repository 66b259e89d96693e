"""Real git over objects of any bytes: trees, commits, damaged files of an object database. A tree, or git-corrupt."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agent.errors import SourceError
from agent.source.git import Git
from agent.source.objects import Objects
from agent.source.tree import TreeLimits, is_unsafe
from tests.fuzz.seeds import memory_folder
from tests.fuzz.target import Draw, Target

LIMITS = TreeLimits(entries_max=200, manifests_max=100, bytes_max=1 << 20, file_bytes_max=1 << 16, path_bytes_max=300)
PERSON = b"Ann <ann@example.com> 1700000000 +0000"
BLOB = b"name: a\n"


class Database:
    """An object database that takes objects as they are given, which git itself would refuse to write."""

    def __init__(self) -> None:
        self.held = tempfile.TemporaryDirectory(prefix="datakeel-fuzz-", dir=memory_folder())
        self.path = Path(self.held.name)
        subprocess.run(["git", "init", "-q", "--bare", str(self.path)], check=True)
        self.objects = Objects(Git(self.path), self.path)
        self.blob = self.put("blob", BLOB)

    def put(self, kind: str, content: bytes, *, damaged: bytes | None = None) -> str:
        whole = f"{kind} {len(content)}\0".encode() + content
        id_ = hashlib.sha1(whole).hexdigest()
        path = self.path / "objects" / id_[:2] / id_[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(whole, 1) if damaged is None else damaged)
        return id_

    def clear(self) -> None:
        """Forget all but the blob, so that ten million inputs do not fill the memory."""
        for path in self.path.glob("objects/??/*"):
            if f"{path.parent.name}{path.name}" != self.blob:
                path.unlink()


@cache
def _database() -> Database:
    return Database()


def run(data: bytes) -> None:
    database, draw = _database(), Draw(data)
    what, rest = draw.integer(3), draw.rest()
    try:
        if what == 0:
            _listed(database, database.put("tree", rest))
        elif what == 1:
            _listed(database, database.put("tree", _entries(database.blob, rest)))
        elif what == 2:
            commit = database.put("commit", rest)
            revision = database.objects.commit(commit)
            assert revision.commit == commit and len(revision.subject) <= 200
        else:
            tree = database.put("tree", _entries(database.blob, b"a.yaml"))
            database.put("tree", _entries(database.blob, b"a.yaml"), damaged=rest)
            _listed(database, tree)
    except SourceError as error:
        assert error.error_code in ("git-corrupt", "source-failed", "git-limit"), error.error_code
        assert error.what and "Traceback" not in str(error.why)
    finally:
        database.clear()


def _entries(blob: str, names: bytes) -> bytes:
    """A tree of files with these names, in the order given; the first byte of a name chooses its mode."""
    modes = (b"100644", b"120000", b"160000", b"100755", b"40000", b"0100644", b"777")
    parts = [name for name in names.split(b"\0") if name][:50]
    return b"".join(
        (modes[name[0] % 32] if name[0] % 32 < len(modes) else modes[0]) + b" " + name + b"\0" + bytes.fromhex(blob)
        for name in parts
    )


def _listed(database: Database, tree: str) -> None:
    head = b"tree " + tree.encode() + b"\nauthor " + PERSON + b"\ncommitter " + PERSON + b"\n\nx\n"
    commit = database.put("commit", head)
    found = database.objects.tree(commit, "", LIMITS)
    for entry in found.entries:
        assert not any(is_unsafe(part) or part.startswith(".") for part in entry.path.split("/")), entry
        assert "\0" not in entry.path
    blobs = sorted({entry.blob for entry in found.entries})
    assert [content for _, content in database.objects.read(blobs)] == [BLOB] * len(blobs)


def seeds() -> Iterable[bytes]:
    blob = hashlib.sha1(b"blob %d\0" % len(BLOB) + BLOB).digest()
    yield b"\0" + b"100644 a.yaml\0" + blob + b"120000 b.yaml\0" + blob + b"160000 c\0" + blob
    yield b"\0" + b"40000 d\0" + blob + b"100644 e.yaml\0" + blob[:7]
    yield b"\1" + b"\0".join((b"a.yaml", b".git", b"..", b"d/e.yaml", b"\xff.yml", b"git~1", b"A.YAML", b"a.yaml"))
    person = PERSON
    yield b"\2tree " + b"0" * 40 + b"\nauthor " + person + b"\ncommitter " + person + b"\n\nsubject\n\nbody\n"
    yield b"\2parent x\n\n"
    yield b"\3" + zlib.compress(b"tree 35\0100644 a.yaml\0" + blob)
    yield b"\3\x78\x9c\0"


WORDS = (
    b"100644 ",
    b"120000 ",
    b"40000 ",
    b"160000 ",
    b".git\0",
    b"..\0",
    b"/",
    b".yaml\0",
    b"tree ",
    b"author ",
    b"\n\n",
)
TARGETS = (Target("git", run, seeds, WORDS, seconds=2.0, size=1500),)
