import os
import socket
import time
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.local import LocalRepository
from agent.source.repository import GitSource
from agent.source.tree import Tree, TreeLimits
from agent.source.worktree import WorkTree, blob_id
from tests.unit.source.conftest import Repo


def write(folder: Path, path: str, content: bytes = b"name: one\n") -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    return file


def tree_of(path: Path, folder: str = "manifests", **limits: int) -> Tree:
    source = WorkTree(path, TreeLimits(**limits))
    return source.tree(source.fetch(), folder)


def errors(tree: Tree) -> list[tuple[str, str]]:
    return [(problem.code, problem.where.path) for problem in tree.problems if problem.severity == "error"]


def paths(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.entries]


def test_a_clean_work_tree_lists_exactly_what_its_commit_does(repo: Repo) -> None:
    for path in (
        "manifests/a.yaml",
        "manifests/B/c.YML",
        "manifests/d d.json",
        "manifests/.x.yaml",
        "manifests/con.yaml",
        "top.yaml",
    ):
        repo.commit(path, f"path: {path}\n")
    git, work = GitSource(LocalRepository(repo.path)), WorkTree(repo.path)
    for folder in ("manifests", ".", "manifests/B"):
        committed, present = git.tree(git.fetch(), folder), work.tree(work.fetch(), folder)
        assert committed == present
        blobs = [entry.blob for entry in committed.entries]
        assert list(git.read(blobs)) == list(work.read(blobs))


def test_uncommitted_and_untracked_files_are_read(repo: Repo) -> None:
    repo.commit("manifests/a.yaml", "name: one\n")
    repo.write(".gitignore", "*.yaml\n")
    repo.write("manifests/a.yaml", "name: changed\n")
    repo.write("manifests/new.yaml", "name: new\n")
    source = WorkTree(repo.path)
    tree = source.tree(source.fetch(), "manifests")
    contents = [content for _, content in source.read([entry.blob for entry in tree.entries])]
    assert contents == [b"name: changed\n", b"name: new\n"]
    assert source.fetch().commit == "worktree"


def test_a_plain_folder_needs_no_repository(tmp_path: Path) -> None:
    write(tmp_path, "manifests/a.yaml")
    assert paths(tree_of(tmp_path)) == ["manifests/a.yaml"]
    assert paths(tree_of(tmp_path, ".")) == ["manifests/a.yaml"]


def test_paths_are_shown_from_the_repositorys_top(repo: Repo) -> None:
    repo.write("deploy/manifests/a.yaml")
    assert paths(tree_of(repo.path / "deploy")) == ["deploy/manifests/a.yaml"]


def test_a_path_that_is_a_link_is_followed_but_none_below_it(tmp_path: Path) -> None:
    write(tmp_path, "one/manifests/a.yaml")
    (tmp_path / "current").symlink_to("one")
    assert paths(tree_of(tmp_path / "current")) == ["manifests/a.yaml"]
    (tmp_path / "one/link").symlink_to("manifests")
    assert errors(tree_of(tmp_path / "one", "link")) == [("tree-link", "link")]
    (tmp_path / "one/sub").mkdir()
    (tmp_path / "one/sub/link").symlink_to("../manifests")
    assert errors(tree_of(tmp_path / "one", "sub/link")) == [("tree-link", "sub/link")]


@pytest.mark.parametrize("aim", ["/etc/passwd", "../..", "link.yaml", "good.yaml", "missing", "/dev/zero"])
def test_links_are_errors_and_never_followed(tmp_path: Path, aim: str) -> None:
    write(tmp_path, "manifests/good.yaml")
    (tmp_path / "manifests/link.yaml").symlink_to(aim)
    tree = tree_of(tmp_path)
    assert errors(tree) == [("tree-link", "manifests/link.yaml")]
    assert paths(tree) == ["manifests/good.yaml"]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, "manifests/good.yaml")
    os.mkfifo(tmp_path / "manifests/fifo.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "manifests/socket.yaml"))
        tree = tree_of(tmp_path)
    assert paths(tree) == ["manifests/good.yaml"]
    assert [(p.code, p.severity, p.where.path) for p in tree.problems] == [
        ("ignored-file", "warning", "manifests/fifo.yaml"),
        ("ignored-file", "warning", "manifests/socket.yaml"),
    ]


def test_a_file_that_becomes_a_fifo_or_a_link_is_not_read(tmp_path: Path) -> None:
    file = write(tmp_path, "manifests/a.yaml")
    source = WorkTree(tmp_path)
    blob = source.tree(source.fetch(), "manifests").entries[0].blob
    for replace in (lambda: os.mkfifo(file), lambda: file.symlink_to("/dev/zero"), lambda: None):
        file.unlink(missing_ok=True)
        replace()
        with pytest.raises(SourceError) as caught:
            list(source.read([blob]))
        assert caught.value.error_code == "source-changed"


def test_a_missing_folder_or_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "file")
    assert errors(tree_of(tmp_path)) == [("folder-missing", "manifests")]
    assert errors(tree_of(tmp_path, "file")) == [("folder-missing", "file")]
    assert errors(tree_of(tmp_path / "nowhere", ".")) != []


def test_an_unreadable_file_or_folder_is_an_error_with_its_path(tmp_path: Path) -> None:
    write(tmp_path, "manifests/good.yaml")
    write(tmp_path, "manifests/shut.yaml").chmod(0)
    write(tmp_path, "manifests/folder/a.yaml").parent.chmod(0)
    try:
        if os.access(tmp_path / "manifests/shut.yaml", os.R_OK):
            pytest.skip("root may read everything")
        tree = tree_of(tmp_path)
    finally:
        (tmp_path / "manifests/folder").chmod(0o700)
    assert errors(tree) == [("unreadable-file", "manifests/folder"), ("unreadable-file", "manifests/shut.yaml")]
    assert paths(tree) == ["manifests/good.yaml"]


def test_a_file_of_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    write(tmp_path, "manifests/just.yaml", b"#" * 100)
    write(tmp_path, "manifests/more.yaml", b"#" * 101)
    tree = tree_of(tmp_path, file_bytes_max=100)
    assert paths(tree) == ["manifests/just.yaml"]
    assert errors(tree) == [("file-too-big", "manifests/more.yaml")]


def test_the_limits_of_a_folder_hold(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"manifests/{number}.yaml", b"12345")
    assert errors(tree_of(tmp_path, manifests_max=4, entries_max=4, bytes_max=20)) == []
    assert errors(tree_of(tmp_path, manifests_max=3)) == [("too-many-manifests", "manifests")]
    assert errors(tree_of(tmp_path, entries_max=3)) == [("tree-limit", "manifests")]
    assert [code for code, _ in errors(tree_of(tmp_path, bytes_max=19))] == ["tree-limit"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"new\nline.yaml", "new\nline.yaml"),
        (b"latin-\xe9.yaml", "latin-\\xe9.yaml"),
        ("café.yaml".encode(), "café.yaml"),
        (b"a.b.yaml", "a.b.yaml"),
        (b"UP.YAML", "UP.YAML"),
    ],
)
def test_strange_file_names_are_read(tmp_path: Path, name: bytes, shown: str) -> None:
    (tmp_path / "manifests").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "manifests") + b"/" + name)).write_bytes(b"odd: true\n")
    source = WorkTree(tmp_path)
    tree = source.tree(source.fetch(), "manifests")
    assert paths(tree) == [f"manifests/{shown}"]
    assert list(source.read([tree.entries[0].blob])) == [(blob_id(b"odd: true\n"), b"odd: true\n")]


def test_a_very_deep_folder_ends_in_an_error_and_not_in_a_crash(tmp_path: Path) -> None:
    write(tmp_path, "manifests/good.yaml")
    at = os.open(tmp_path / "manifests", os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=at)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(os.open("deep.yaml", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)
    tree = tree_of(tmp_path)
    assert paths(tree) == ["manifests/good.yaml"]
    assert not tree.complete


class Scribbler:
    """A clock that writes to the file the first ``times`` it is asked, and puts the present at the write before."""

    def __init__(self, file: Path, times: int) -> None:
        self.file, self.times = file, times

    def now(self) -> float:
        written = self.file.stat().st_mtime
        if self.times > 0:
            self.times -= 1
            with self.file.open("ab") as stream:
                stream.write(b"more\n")
        return written

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a work tree is read without an event loop")


@pytest.mark.parametrize(("times", "complete"), [(0, True), (2, True), (100, False)])
@pytest.mark.row("G4")
def test_a_file_is_taken_when_it_rests_and_is_an_error_when_it_never_does(
    tmp_path: Path, times: int, complete: bool
) -> None:
    file = tmp_path / "manifests/a.yaml"
    file.parent.mkdir()
    file.write_bytes(b"start\n")
    source = WorkTree(tmp_path, clock=Scribbler(file, times))
    tree = source.tree(source.fetch(), "manifests")
    if complete:
        assert [(entry.path, entry.blob) for entry in tree.entries] == [
            ("manifests/a.yaml", blob_id(file.read_bytes()))
        ]
    else:
        assert errors(tree) == [("unreadable-file", "manifests/a.yaml")]
    assert tree.complete == complete


def test_a_file_just_written_is_read_twice_and_taken_when_both_agree(tmp_path: Path) -> None:
    file = write(tmp_path, "manifests/a.yaml")
    now = time.time()
    os.utime(file, (now, now))
    assert len(tree_of(tmp_path).entries) == 1
    os.utime(file, (now + 3600, now + 3600))  # another machine's clock
    assert len(tree_of(tmp_path).entries) == 1


@pytest.mark.row("G4")
def test_a_file_that_changed_since_it_was_listed_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path, "manifests/a.yaml")
    source = WorkTree(tmp_path)
    blob = source.tree(source.fetch(), "manifests").entries[0].blob
    file.write_bytes(b"name: two\n")
    with pytest.raises(SourceError) as caught:
        list(source.read([blob]))
    assert caught.value.error_code == "source-changed"
    with pytest.raises(SourceError):
        list(source.read(["1" * 40]))


def test_a_work_tree_knows_no_other_revision(tmp_path: Path) -> None:
    source = WorkTree(tmp_path)
    assert source.resolve("worktree") == source.fetch()
    with pytest.raises(SourceError):
        source.resolve("main")
    assert source.is_ancestor("a", "b") is None
    assert source.touched_in(["a.yaml"], source.fetch()) == {}


def test_a_loop_of_links_for_a_path_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(SourceError) as caught:
        tree_of(tmp_path / "loop")
    assert caught.value.error_code == "source-missing"
