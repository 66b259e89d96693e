"""A folder that somebody else publishes: which revision it is, that it is whole, and that nothing else is ever told."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source import Source
from agent.source.folder import blob_id
from agent.source.mount import REST_SECONDS, PublishedFolder
from agent.source.spool import IN_MEMORY, Spool
from agent.source.tree import Tree, TreeLimits
from tests.unit.source.publishers import FIRST, MANIFEST, SECOND, ConfigMap, GitSync, Later, write


@pytest.fixture
def git_sync(tmp_path: Path) -> GitSync:
    return GitSync(tmp_path / "git")


@pytest.fixture
def config_map(tmp_path: Path) -> ConfigMap:
    return ConfigMap(tmp_path / "mounted")


def opened(path: Path, seconds: float = 10.0, **limits: int) -> PublishedFolder:
    return PublishedFolder(path, path.parent / "cache", TreeLimits(**limits), Later(seconds))


def told(tree: Tree) -> list[tuple[str, str]]:
    return [(problem.code, problem.where.path) for problem in tree.problems if problem.severity == "error"]


def files(source: Source, folder: str = "") -> dict[str, bytes]:
    entries = source.tree(source.fetch(), folder).entries
    return {
        entry.path: content
        for entry, (_, content) in zip(entries, source.read([each.blob for each in entries]), strict=True)
    }


def refused(source: Source) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.fetch()
    return caught.value


@pytest.mark.parametrize("called", [".worktrees/{}", "rev-{}", "{}"])
def test_the_last_part_of_the_links_target_is_the_commit(tmp_path: Path, called: str) -> None:
    publisher = GitSync(tmp_path / "git", called)
    publisher.publish(FIRST, {"manifests/a.yaml": MANIFEST, "README.md": b"# x\n"})
    source: Source = opened(publisher.link)
    revision = source.fetch()
    assert (revision.commit, str(revision)) == (FIRST, "current@1111111")
    assert files(source, "manifests") == {"manifests/a.yaml": MANIFEST}
    assert source.resolve(FIRST[:9]) == revision
    assert revision.published_at == publisher.link.lstat().st_ctime


def test_a_folder_below_the_link_belongs_to_its_commit_too(git_sync: GitSync) -> None:
    git_sync.publish(FIRST, {"deploy/manifests/a.yaml": MANIFEST, "other/b.yaml": b"b: 1\n"})
    source = opened(git_sync.link / "deploy")
    assert source.fetch().commit == FIRST
    assert files(source) == {"manifests/a.yaml": MANIFEST}


def test_of_a_config_map_the_content_is_the_revision(config_map: ConfigMap, tmp_path: Path) -> None:
    config_map.publish({"a.yaml": MANIFEST, "deep/b.json": b"{}"})
    source = opened(config_map.folder)
    first = source.fetch()
    assert len(first.commit) == 64 and first.ref == "mounted"
    assert files(source) == {"a.yaml": MANIFEST, "deep/b.json": b"{}"}
    config_map.publish({"a.yaml": b"name: two\n", "deep/b.json": b"{}"})
    second = source.fetch()
    assert second.commit != first.commit
    assert (second.published_at or 0) > (first.published_at or 0)
    config_map.publish({"a.yaml": MANIFEST, "deep/b.json": b"{}"})
    assert source.fetch().commit == first.commit, "the same files are the same revision"
    elsewhere = ConfigMap(tmp_path / "elsewhere")
    elsewhere.publish({"a.yaml": MANIFEST, "deep/b.json": b"{}"})
    assert opened(elsewhere.folder).fetch().commit == first.commit, "whoever mounts them, and when"


def test_of_a_plain_folder_too_and_a_file_to_upload_counts(tmp_path: Path) -> None:
    write(tmp_path / "plain", {"manifests/a.yaml": MANIFEST, "code/job.py": b"print(1)\n"})
    source = opened(tmp_path / "plain", 120.0)
    first = source.fetch()
    assert first.published_at is not None
    (tmp_path / "plain/code/job.py").write_bytes(b"print(2)\n")
    second = source.fetch()
    assert second.commit != first.commit
    found = source.contents(second, ["code/job.py", "code/none.py", "manifests"])
    assert found == {"code/job.py": blob_id(b"print(2)\n")}
    assert list(source.read(list(found.values()))) == [(found["code/job.py"], b"print(2)\n")]


def test_what_was_read_stays_readable_though_its_publisher_removes_it(git_sync: GitSync) -> None:
    git_sync.publish(FIRST, {"a.yaml": MANIFEST})
    source = opened(git_sync.link)
    first = source.fetch()
    (entry,) = source.tree(first, "").entries
    git_sync.publish(SECOND, {"a.yaml": b"name: two\n"})
    assert source.fetch().commit == SECOND
    assert source.tree(first, "").entries == (entry,)
    assert list(source.read([entry.blob])) == [(entry.blob, MANIFEST)]
    shutil.rmtree(git_sync.root)
    assert refused(source).error_code == "source-unpublished"
    assert list(source.read([entry.blob])) == [(entry.blob, MANIFEST)]


def test_a_folder_that_moves_while_it_is_read_is_read_again(git_sync: GitSync) -> None:
    """The two revisions name the same files: one of a mixture would have files of both."""
    both = {FIRST: b"of: first\n", SECOND: b"of: second\n"}
    many = [f"m/{number:03}.yaml" for number in range(60)]
    git_sync.publish(FIRST, dict.fromkeys(many, both[FIRST]))
    stop = threading.Event()

    def swap() -> None:
        commits = [SECOND, FIRST]
        while not stop.is_set():
            git_sync.publish(commits[0], dict.fromkeys(many, both[commits[0]]))
            commits.reverse()
            time.sleep(0.02)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        seen = set()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            source = opened(git_sync.link)
            try:
                revision = source.fetch()
            except SourceError as error:  # it moved each time: no revision, rather than half of one
                assert error.error_code in ("source-changed", "source-unpublished")
                continue
            entries = source.tree(revision, "").entries
            assert {entry.blob for entry in entries} == {blob_id(both[revision.commit])}
            assert len(entries) == len(many)
            seen.add(revision.commit)
    finally:
        stop.set()
        swapping.join()
    assert seen


@pytest.mark.parametrize("how", ["nothing", "empty", "only-a-readme", "dangling", "a-file", "around-the-link"])
def test_empty_or_half_published_folder_deletes_nothing(git_sync: GitSync, how: str) -> None:
    """No revision at all, so that the last one stays in force: see also tests/unit/reconcile/test_published.py."""
    path = git_sync.link
    if how == "empty":
        (git_sync.root / ".worktrees" / FIRST).mkdir(parents=True)
        git_sync.point_to(f".worktrees/{FIRST}")
    elif how == "only-a-readme":
        git_sync.publish(FIRST, {"README.md": b"# soon\n", ".hidden.yaml": MANIFEST})
    elif how == "dangling":
        git_sync.point_to(f".worktrees/{FIRST}")
    elif how == "a-file":
        path.write_bytes(MANIFEST)
    elif how == "around-the-link":
        git_sync.publish(FIRST, {"a.yaml": MANIFEST})
        path = git_sync.root
    error = refused(opened(path))
    assert error.error_code == "source-unpublished"
    assert error.why or error.fix
    if how == "around-the-link":
        assert error.fix == f"write source: {{mount: {git_sync.link}}}"


def test_a_folder_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path / "plain", {"a.yaml": MANIFEST})
    source = opened(tmp_path / "plain", REST_SECONDS - 0.3)  # it was written to 1.7 s ago
    began = time.monotonic()
    assert source.fetch().published_at is None, "still for too short to tell what is missing from what is to come"
    assert 0.1 < time.monotonic() - began < 5.0


def test_what_is_published_by_a_swap_is_taken_at_once(config_map: ConfigMap) -> None:
    config_map.publish({"a.yaml": MANIFEST})
    began = time.monotonic()
    assert opened(config_map.folder, 0.0).fetch().published_at is not None
    assert time.monotonic() - began < REST_SECONDS


def test_a_commit_checked_out_anew_in_its_place_is_read_anew(git_sync: GitSync) -> None:
    git_sync.publish(FIRST, {"a.yaml": MANIFEST, "b.yaml": b"name: b\n"})
    source = opened(git_sync.link)
    first = source.fetch()
    shutil.rmtree(git_sync.link.resolve())
    git_sync.publish(FIRST, {"a.yaml": MANIFEST}, keep=True)
    again = source.fetch()
    assert again.commit == first.commit and again.tree != first.tree
    assert set(files(source)) == {"a.yaml"}


def test_a_look_at_what_did_not_move_reads_nothing(git_sync: GitSync) -> None:
    git_sync.publish(FIRST, {"a.yaml": MANIFEST})
    source = opened(git_sync.link)
    first = source.fetch()
    inside = git_sync.link.resolve() / "a.yaml"
    access = inside.stat().st_atime_ns
    assert source.fetch() is first
    assert inside.stat().st_atime_ns == access


def test_links_special_files_bombs_and_escapes_are_judged_as_those_of_a_commit_are(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("password: canary-mount-1\n")
    top = tmp_path / "plain"
    write(top, {"m/a.yaml": MANIFEST, "m/big.yaml": b"x" * 200, "n/b.yaml": MANIFEST, "m/notes.txt": b"t"})
    (top / "m/out.yaml").symlink_to(tmp_path / "secret.yaml")
    (top / "m/folder").symlink_to(tmp_path)
    os.mkfifo(top / "m/pipe.yaml")
    source = opened(top, file_bytes_max=100)
    tree = source.tree(source.fetch(), "m")
    assert [entry.path for entry in tree.entries] == ["m/a.yaml"]
    assert told(tree) == [("file-too-big", "m/big.yaml"), ("tree-link", "m/folder"), ("tree-link", "m/out.yaml")]
    assert {problem.code for problem in tree.problems} >= {"ignored-file"}
    assert not tree.complete
    assert source.tree(source.fetch(), "n").complete, "another target has nothing to do with that"
    assert told(source.tree(source.fetch(), "none")) == [("folder-missing", "none")]
    assert told(source.tree(source.fetch(), "m/a.yaml")) == [("folder-missing", "m/a.yaml")]
    assert told(source.tree(source.fetch(), "m/folder")) == [("tree-link", "m/folder")]
    assert source.contents(source.fetch(), ["m/folder/secret.yaml", "m/out.yaml"]) == {}
    with pytest.raises(SourceError):
        source.tree(source.fetch(), "../..")


@pytest.mark.parametrize("limit", [{"entries_max": 3}, {"bytes_max": 20}])
def test_a_folder_beyond_the_limits_is_no_revision(tmp_path: Path, limit: dict[str, int]) -> None:
    write(tmp_path / "plain", {f"{number}.yaml": MANIFEST for number in range(4)})
    assert refused(opened(tmp_path / "plain", **limit)).error_code == "tree-limit"


def test_a_folder_that_may_not_be_read_is_a_problem_of_those_who_read_it(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may read everything")
    write(tmp_path / "plain", {"m/a.yaml": MANIFEST, "lost+found/b.yaml": MANIFEST})
    (tmp_path / "plain/lost+found").chmod(0)
    source = opened(tmp_path / "plain")
    assert source.tree(source.fetch(), "m").complete
    assert told(source.tree(source.fetch(), "")) == [("unreadable-file", "lost+found")]
    (tmp_path / "plain/lost+found").chmod(0o700)


def test_names_that_are_not_utf_8_are_shown_and_read(tmp_path: Path) -> None:
    write(tmp_path / "plain", {"a.yaml": MANIFEST})
    with open(os.fsencode(tmp_path / "plain") + b"/b\xff.yaml", "wb") as stream:
        stream.write(b"name: b\n")
    source = opened(tmp_path / "plain")
    assert files(source) == {"a.yaml": MANIFEST, "b\\xff.yaml": b"name: b\n"}


def test_another_revision_needs_git_and_that_is_said(git_sync: GitSync) -> None:
    git_sync.publish(FIRST, {"a.yaml": MANIFEST})
    source = opened(git_sync.link)
    for name in ("main", SECOND, "HEAD~1", "111"):
        with pytest.raises(SourceError) as caught:
            source.resolve(name)
        assert caught.value.error_code == "source-ref"
        assert "needs git" in (caught.value.fix or "")


def test_copies_go_to_disk_when_they_are_large_and_leave_nothing_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cache")
    half = IN_MEMORY // 2 + 1
    for number in range(8):
        spool.put(str(number), bytes([number]) * half)
    assert all(spool.get(str(number)) == bytes([number]) * half for number in range(8))
    spool.keep({"7"})
    assert "6" not in spool and spool.get("7") == b"\7" * half
    spool.put("more", b"m")
    spool.keep({"more"})
    spool.keep({"more", "7"})
    assert spool.get("more") == b"m"
    spool.close()
    assert list((tmp_path / "cache").iterdir()) == []


def test_copies_without_a_place_to_write_to_go_to_the_systems_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "cache")
    spool.put("a", b"a" * (IN_MEMORY + 1))
    assert len(spool.get("a")) == IN_MEMORY + 1
    spool.close()
