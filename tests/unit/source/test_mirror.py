import os
import subprocess
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.address import check_url
from agent.source.credentials import Remote
from agent.source.local import Wanted
from agent.source.mirror import Mirror
from agent.source.repository import GitSource
from tests.unit.source.conftest import Repo


def mirrored(repo: Repo, cache: Path, **wanted: str) -> GitSource:
    return GitSource(Mirror(cache, Remote(check_url(f"file://{repo.path}"))), Wanted(**wanted))


def mirror_folder(cache: Path) -> Path:
    return next((cache / "git").glob("*.git"))


def failure(code: str, call, *arguments) -> SourceError:
    with pytest.raises(SourceError) as caught:
        call(*arguments)
    assert caught.value.error_code == code, (caught.value.what, caught.value.why)
    return caught.value


def test_a_remote_branch_is_mirrored_and_followed(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit(message="First")
    git = mirrored(repo, tmp_path / "cache")
    revision = git.fetch()
    assert (revision.commit, revision.ref, revision.subject) == (first, "main", "First")
    tree = git.tree(revision, "manifests")
    assert list(git.read([tree.entries[0].blob])) == [(tree.entries[0].blob, b"name: one\n")]
    second = repo.commit(content="name: two\n")
    assert git.fetch().commit == second
    assert git.is_ancestor(first, second) is True
    assert git.fetch() is git.fetch()


@pytest.mark.row("G5")
def test_the_mirror_has_no_work_tree_and_only_the_followed_ref(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("branch", "other")
    repo.git("tag", "v1")
    mirrored(repo, tmp_path / "cache", branch="main").fetch()
    folder = mirror_folder(tmp_path / "cache")
    assert not (folder / "hooks").exists()
    refs = subprocess.run(["git", "for-each-ref"], cwd=folder, capture_output=True, text=True).stdout
    assert refs.split()[2:] == ["refs/agent/heads/main"]
    assert folder.stat().st_mode & 0o077 == 0


def test_a_forced_push_is_followed_and_the_old_commit_stays_readable(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    old = repo.commit(content="name: two\n")
    git = mirrored(repo, tmp_path / "cache")
    before = git.fetch()
    repo.git("reset", "-q", "--hard", "HEAD~1")
    new = repo.commit(content="name: three\n")
    assert git.fetch().commit == new
    assert git.is_ancestor(old, new) is False
    assert len(git.tree(before, "manifests").entries) == 1


def test_a_deleted_branch_leaves_the_mirror_as_it_was(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("branch", "live")
    git = mirrored(repo, tmp_path / "cache", branch="live")
    revision = git.fetch()
    repo.git("branch", "-D", "live")
    assert "`live`" in failure("source-ref", git.fetch).what
    assert len(git.tree(revision, "manifests").entries) == 1


@pytest.mark.row("G14")
def test_a_ref_with_the_wanted_name_at_its_end_is_another(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("update-ref", "refs/heads/refs/heads/live", "HEAD")
    repo.git("update-ref", "refs/remotes/x/refs/heads/live", "HEAD")
    failure("source-ref", mirrored(repo, tmp_path / "cache", branch="live").fetch)


def test_a_repository_that_is_gone_or_empty_is_an_error(repo: Repo, tmp_path: Path) -> None:
    git = mirrored(repo, tmp_path / "cache")
    assert "no commit" in failure("source-ref", git.fetch).what
    repo.commit()
    revision = git.fetch()
    repo.path.rename(tmp_path / "moved")
    failure("source-missing", git.fetch)
    assert len(git.tree(revision, "manifests").entries) == 1


def test_tags_and_pinned_commits_are_fetched(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit()
    repo.git("tag", "-a", "v1", "-m", "One")
    repo.commit(content="name: two\n")
    tag = mirrored(repo, tmp_path / "a", tag="v1").fetch()
    assert (tag.commit, tag.ref) == (first, "v1")
    assert mirrored(repo, tmp_path / "b", commit=first).fetch().commit == first
    failure("source-failed", mirrored(repo, tmp_path / "c", commit="1" * 40).fetch)


@pytest.mark.row("G14")
def test_a_moved_tag_is_followed(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("tag", "v1")
    git = mirrored(repo, tmp_path / "cache", tag="v1")
    git.fetch()
    second = repo.commit(content="name: two\n")
    repo.git("tag", "-f", "v1")
    assert git.fetch().commit == second


def test_other_revisions_of_the_remote_are_resolved_by_name(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit()
    repo.git("tag", "v1")
    repo.git("branch", "base")
    second = repo.commit(content="name: two\n")
    git = mirrored(repo, tmp_path / "cache")
    assert git.resolve("base").commit == first
    assert git.resolve("v1").commit == first
    assert git.resolve("refs/tags/v1").ref == "v1"
    assert git.resolve(second).commit == second
    assert git.resolve(first).commit == first
    for name in ("nowhere", "--upload-pack=id", "a b", "", "*"):
        failure("source-ref", git.resolve, name)


def test_the_mirror_is_kept_between_runs(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    mirrored(repo, tmp_path / "cache").fetch()
    inode = mirror_folder(tmp_path / "cache").stat().st_ino
    assert mirrored(repo, tmp_path / "cache").fetch().commit == commit
    assert mirror_folder(tmp_path / "cache").stat().st_ino == inode


def _break_head(folder: Path) -> None:
    (folder / "HEAD").write_bytes(b"\0garbage")


def _break_packs(folder: Path) -> None:
    for pack in (folder / "objects/pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"garbage")


def _break_refs(folder: Path) -> None:
    for ref in (folder / "refs/agent/heads").iterdir():
        ref.write_text("garbage\n")


def _drop_objects(folder: Path) -> None:
    for pack in (folder / "objects/pack").iterdir():
        pack.unlink()


def _break_config(folder: Path) -> None:
    (folder / "config").write_text("[broken\n")


@pytest.mark.parametrize("damage", [_break_head, _break_packs, _break_refs, _drop_objects, _break_config])
@pytest.mark.row("G6")
def test_a_damaged_mirror_is_made_anew(repo: Repo, tmp_path: Path, damage) -> None:
    commit = repo.commit()
    mirrored(repo, tmp_path / "cache").fetch()
    damage(mirror_folder(tmp_path / "cache"))
    git = mirrored(repo, tmp_path / "cache")
    revision = git.fetch()
    assert revision.commit == commit
    assert len(list(git.read([entry.blob for entry in git.tree(revision, "manifests").entries]))) == 1


def test_a_mirror_in_which_a_file_is_missing_is_made_anew_by_the_next_fetch(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    git = mirrored(repo, tmp_path / "cache")
    revision = git.fetch()
    blob = git.tree(revision, "manifests").entries[0].blob
    folder = mirror_folder(tmp_path / "cache")
    pack = next((folder / "objects/pack").glob("*.pack"))
    content = pack.read_bytes()
    for file in (folder / "objects/pack").iterdir():
        file.unlink()
    subprocess.run(["git", "unpack-objects", "-q"], cwd=folder, input=content, check=True)
    (folder / "objects" / blob[:2] / blob[2:]).unlink()
    assert git.fetch() == revision  # its commit is there, which is all that a look asks for
    failure("git-corrupt", lambda: list(git.read([blob])))
    assert git.fetch() == revision
    assert list(git.read([blob])) == [(blob, b"name: one\n")]


def test_a_remote_on_this_machine_runs_nothing_of_its_own(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    mark = tmp_path / "it-ran"
    program = repo.write("program", f'#!/bin/sh\ntouch {mark}\nexec git pack-objects "$@"\n')
    program.chmod(0o755)
    for key in ("uploadpack.packObjectsHook", "core.fsmonitor", "core.sshCommand", "credential.helper"):
        repo.git("config", key, str(program))
    repo.git("config", "core.hooksPath", str(program.parent))
    assert mirrored(repo, tmp_path / "cache").fetch().commit == commit
    assert not mark.exists()


@pytest.mark.row("G6")
def test_what_a_killed_fetch_left_is_removed(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    mirrored(repo, tmp_path / "cache").fetch()
    folder = mirror_folder(tmp_path / "cache")
    left = [folder / "refs/agent/heads/main.lock", folder / "packed-refs.lock", folder / "objects/pack/tmp_pack_x"]
    for file in left:
        file.write_text("")
    second = repo.commit(content="name: two\n")
    assert mirrored(repo, tmp_path / "cache").fetch().commit == second
    assert not any(file.exists() for file in left)


def test_an_unsafe_tree_is_refused_at_the_fetch_and_the_last_revision_stays(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    git = mirrored(repo, tmp_path / "cache")
    revision = git.fetch()
    repo.commit_manifests(("40000", repo.tree(("100644", repo.blob(), "a.yaml")), ".git"))
    failure("tree-unsafe", git.fetch)
    assert len(git.tree(revision, "manifests").entries) == 1


def test_a_sha256_remote_is_mirrored(tmp_path: Path) -> None:
    try:
        repo = Repo(tmp_path / "long", "--object-format=sha256")
    except AssertionError:
        pytest.skip("this git knows no sha256 repositories")
    commit = repo.commit()
    git = mirrored(repo, tmp_path / "cache")
    assert git.fetch().commit == commit
    assert len(git.tree(git.fetch(), "manifests").entries) == 1


def test_another_users_remote_is_read(repo: Repo, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to another user")
    commit = repo.commit()
    for base, folders, files in os.walk(repo.path):
        for name in (".", *folders, *files):
            os.chown(Path(base, name), 12345, 12345)
    assert mirrored(repo, tmp_path / "cache").fetch().commit == commit


def test_a_cache_folder_that_cannot_be_made_is_an_error(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    (tmp_path / "cache").write_text("a file")
    error = failure("source-failed", mirrored(repo, tmp_path / "cache").fetch)
    assert "cache folder" in error.what


def test_many_small_fetches_end_in_few_packs(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    git = mirrored(repo, tmp_path / "cache")
    old = git.fetch()
    packs = mirror_folder(tmp_path / "cache") / "objects/pack"
    one = next(packs.glob("*.pack"))
    for number in range(45):  # as if as many fetches had been
        for ending in (".pack", ".idx"):
            copy = packs / f"pack-{number:040x}{ending}"
            copy.write_bytes(one.with_suffix(ending).read_bytes())
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "Rewritten")
    assert git.fetch().commit != commit
    assert len(list(packs.glob("*.pack"))) < 5
    assert len(git.tree(old, "manifests").entries) == 1
