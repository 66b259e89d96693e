"""Git: what a listing says, however it is cut into pieces; what objects say; which addresses and names are let in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from agent.errors import AgentError, SourceError
from agent.source.address import check_commit, check_ref, check_url
from agent.source.objects import _collect, _objects, _record, _revision
from agent.source.tree import Listing, TreeLimits, folder_in, is_unsafe
from tests.fuzz.target import Draw, Target, pieces

MODES = ((b"100644", b"blob"), (b"100755", b"blob"), (b"120000", b"blob"), (b"160000", b"commit"), (b"100664", b"blob"))
LIMITS = TreeLimits(entries_max=40, manifests_max=30, bytes_max=1 << 20, file_bytes_max=1 << 16, path_bytes_max=200)


class Said:
    """A child of git that said these bytes, in pieces."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = pieces(data, size)

    def output(self) -> Iterator[bytes]:
        yield from self._pieces


def run_tree(data: bytes) -> None:
    """The fast way over plain records and the slow one judge alike, whatever the names are and however they arrive."""
    draw = Draw(data)
    folder, size = draw.pick(("", "manifests", "a/b")), 1 + draw.integer(300)
    names = [name for name in draw.rest().split(b"\0") if name][:60]
    records = []
    for number, name in enumerate(names):
        mode, kind = MODES[name[0] % 16 if name[0] % 16 < len(MODES) else 0]
        digits = b"-" if kind == b"commit" else str(len(name) * (1 if name[0] % 7 else 5000)).encode()
        path = folder.encode() + b"/" + name if folder else name
        records.append(b"%s %s %040x %7s\t%s" % (mode, kind, number, digits, path))
    said = b"".join(record + b"\0" for record in records)
    fast, slow = Listing(folder, LIMITS), Listing(folder, LIMITS)
    _collect(Said(said, size), fast, lambda: False)  # type: ignore[arg-type]
    all(_record(record.decode(errors="backslashreplace"), slow) for record in records)
    assert fast.result() == slow.result()
    for entry in fast.entries:
        below = entry.path[len(folder) + 1 :] if folder else entry.path
        assert not any(is_unsafe(part) or part.startswith(".") for part in below.split("/")), entry


def run_objects(data: bytes) -> None:
    """Answers of ``cat-file``: the same whatever the pieces are; a commit of any bytes is a revision."""
    draw = Draw(data)
    what, size = draw.integer(1), 1 + draw.integer(200)
    if what == 0:
        revision = _revision("c" * 40, draw.rest(), "main")
        assert revision.commit == "c" * 40
        assert "\n" not in revision.subject and len(revision.subject) <= 200 and len(revision.author) <= 200
        return
    contents = draw.rest().split(b"\0")[:8]
    said = b"".join(b"%040x blob %d\n%s\n" % (number, len(each), each) for number, each in enumerate(contents))
    whole = list(_objects(Said(said, size), len(contents)))  # type: ignore[arg-type]
    assert [content for _, _, content in whole] == contents
    for cut in (len(said) // 2, max(0, len(said) - 2)):
        with contextlib.suppress(SourceError):
            part = list(_objects(Said(said[:cut], size), len(contents)))  # type: ignore[arg-type]
            assert part == whole[: len(part)]


def run_sources(data: bytes) -> None:
    """Addresses, refs and folders that an operator wrote: let in, or refused without being repeated."""
    draw = Draw(data)
    what, text = draw.integer(3), draw.rest().decode("utf-8", "surrogateescape")
    calls: tuple[Any, ...] = (
        lambda: _address(text),
        lambda: (check_ref(text, "branch"), check_ref(text, "tag")),
        lambda: check_commit(text),
        lambda: folder_in("inside", text),
    )
    try:
        found = calls[what]()
    except AgentError as error:
        assert error.what and error.error_code
        return
    if what == 1:
        for name in found:
            assert not name.startswith("-") and ".." not in name and "@{" not in name and not name.endswith(".lock"), (
                name
            )
    elif what == 3:
        assert not found.startswith(("..", "/")), found


def _address(text: str) -> Any:
    address = check_url(text, allow_http=True)
    assert not text.startswith("-") and address.scheme in ("https", "http", "ssh", "file")
    assert "::" not in text.partition("/")[0]
    assert address.scheme == "ssh" or "@" not in urlsplit(text).netloc, "a credential in an address"
    return address


def tree_seeds() -> Iterable[bytes]:
    yield b"\0\x20" + b"\0".join(
        (b"a.yaml", b"b/c.yml", b".git/config", b"d.JSON", b"con.yaml", b"x..yaml", b"e/./f.yaml")
    )
    yield b"\1\1" + b"\0".join(
        (b"\xe2\x80\x8c.git", b"git~1/a.yaml", b"caf\xc3\xa9.yaml", b"\xff.yaml", b"a\nb.yaml", b"a .yml")
    )
    yield b"\2\xff" + b"\0".join(b"n%d.yaml" % number for number in range(45))


def object_seeds() -> Iterable[bytes]:
    head = b"tree %s\nparent %s\nauthor Ann <a@b.c> 1700000000 +0000\ncommitter Ann <a@b.c> 1700000000 -0730\n" % (
        b"0" * 40,
        b"1" * 40,
    )
    yield b"\0\0" + head + b"gpgsig -----BEGIN\n x\n\nA subject\n\nA body\n"
    yield b"\0\0" + head.replace(b"1700000000", b"-99999999999999999999") + b"\n\xff\xfe"
    yield b"\1\3" + b"one\0two\n\n\0\0" + b"x" * 300


def source_seeds() -> Iterable[bytes]:
    for text in (
        "https://git.example.com/team/platform.git",
        "git@host:team/x.git",
        "ssh://git@host:22/x",
        "ext::sh -c id",
        "file:///a",
        "https://u:p@h/x",
        "http://[::1]:8080/x",
        "-oProxyCommand=x",
        "https://a.example\\@b.example/",
        "https://h:99999/x",
    ):
        yield b"\0" + text.encode()
    yield from (
        b"\1refs/heads/main",
        b"\1feature/a.b",
        b"\1-x",
        b"\2" + b"a" * 40,
        b"\3manifests/../..",
        b"\3/",
        b"\3a//b/.",
    )


WORDS = (
    b".git",
    b"/../",
    b"/./",
    b".yaml\0",
    b"con",
    b"\xe2\x80\x8d",
    b"\xef\xbb\xbf",
    b" ",
    b".",
    b"~1",
    b":$DATA",
    b"\0",
)
TARGETS = (
    Target("tree", run_tree, tree_seeds, WORDS),
    Target(
        "objects",
        run_objects,
        object_seeds,
        (b"author ", b"committer ", b" +0000\n", b"\n\n", b"<", b"> ", b"\0", b"99999999999"),
    ),
    Target(
        "sources",
        run_sources,
        source_seeds,
        (b"://", b"@", b"::", b"%0a", b"[", b"]", b"refs/heads/", b".lock", b"@{", b".."),
    ),
)
