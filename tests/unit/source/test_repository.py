import os
import subprocess
import threading
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.local import LocalRepository, Wanted
from agent.source.repository import GitSource
from agent.source.tree import TreeLimits
from tests.unit.source.conftest import Repo


def source(repo: Repo, limits: TreeLimits | None = None, **wanted: str) -> GitSource:
    return GitSource(LocalRepository(repo.path), Wanted(**wanted), limits or TreeLimits())


def failure(code: str, call, *arguments) -> SourceError:
    with pytest.raises(SourceError) as caught:
        call(*arguments)
    assert caught.value.error_code == code
    return caught.value


def codes(tree) -> list[tuple[str, str]]:
    return [(problem.code, problem.where.path) for problem in tree.problems if problem.severity == "error"]


def test_a_commit_tells_who_when_and_what(repo: Repo) -> None:
    commit = repo.commit(message="Add the nightly\nworkflow\n\nMore words.")
    revision = source(repo).fetch()
    assert revision.commit == commit
    assert revision.ref == "main"
    assert revision.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert revision.author == "Ana Author"
    assert revision.subject == "Add the nightly workflow"
    assert revision.committed_at == 1767323106.0


def test_files_are_listed_sorted_and_read_in_the_order_asked_for(repo: Repo) -> None:
    contents = {"manifests/b.yaml": b"b", "manifests/a/c.yml": b"", "manifests/a.JSON": b"{}\n\n", "top.yaml": b"no"}
    for path, content in contents.items():
        repo.commit(path, content)
    git = source(repo)
    tree = git.tree(git.fetch(), "manifests")
    assert [entry.path for entry in tree.entries] == ["manifests/a.JSON", "manifests/a/c.yml", "manifests/b.yaml"]
    assert [entry.size for entry in tree.entries] == [4, 0, 1]
    blobs = [entry.blob for entry in reversed(tree.entries)]
    assert list(git.read([*blobs, blobs[0]])) == list(
        zip([*blobs, blobs[0]], [b"b", b"", b"{}\n\n", b"b"], strict=True)
    )
    assert list(git.read([])) == []


def test_the_whole_repository_may_be_the_folder(repo: Repo) -> None:
    repo.commit("a.yaml")
    git = source(repo)
    assert [entry.path for entry in git.tree(git.fetch(), ".").entries] == ["a.yaml"]


def test_a_path_inside_a_repository_is_where_folders_start(repo: Repo) -> None:
    repo.commit("deploy/manifests/a.yaml")
    git = GitSource(LocalRepository(repo.path / "deploy"))
    assert [entry.path for entry in git.tree(git.fetch(), "manifests").entries] == ["deploy/manifests/a.yaml"]


@pytest.mark.row("G3")
def test_a_missing_folder_is_an_error_and_not_an_empty_one(repo: Repo) -> None:
    repo.commit()
    git = source(repo)
    revision = git.fetch()
    assert codes(git.tree(revision, "elsewhere")) == [("folder-missing", "elsewhere")]
    assert codes(git.tree(revision, "manifest")) == [("folder-missing", "manifest")]
    assert codes(git.tree(revision, "manifests/one.yaml")) == [("folder-missing", "manifests/one.yaml")]
    assert not git.tree(revision, "elsewhere").complete


def test_who_changed_each_file_last_is_found_in_one_walk(repo: Repo) -> None:
    repo.commit("manifests/a.yaml")
    repo.commit("manifests/b.yaml")
    repo.commit("manifests/b.yaml", "name: two\n")
    repo.commit("manifests/\tc \u00e9.yaml")
    repo.git("rm", "-q", "manifests/a.yaml")
    repo.git("commit", "-q", "-m", "Remove a\n\nfor good")
    git = source(repo)
    paths = ["manifests/a.yaml", "manifests/b.yaml", "manifests/\tc \u00e9.yaml", "manifests/never.yaml", ":(glob)**"]
    found = git.touched_in(paths, git.fetch())
    assert sorted(found) == sorted(paths[:3])
    assert [found[path].removed for path in paths[:3]] == [True, False, False]
    removal = found["manifests/a.yaml"].revision
    assert removal.subject == "Remove a"
    assert removal.commit == git.fetch().commit
    assert removal.author
    assert removal.committed_at == git.fetch().committed_at
    assert git.touched_in([], git.fetch()) == {}


def test_the_commit_at_which_two_histories_part_is_found(repo: Repo) -> None:
    first = repo.commit("manifests/a.yaml")
    repo.git("checkout", "-q", "-b", "other")
    repo.commit("manifests/b.yaml")
    repo.git("checkout", "-q", "-")
    repo.commit("manifests/c.yaml")
    git = source(repo)
    parted = git.merge_base(git.fetch(), git.resolve("other"))
    assert parted is not None
    assert parted.commit == first
    repo.git("checkout", "-q", "--orphan", "alone")
    repo.commit("manifests/d.yaml")
    assert git.merge_base(git.resolve("alone"), git.resolve("other")) is None


def test_a_shallow_history_proves_no_missing_descent(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit()
    second = repo.commit(content="name: two\n")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    git = GitSource(LocalRepository(tmp_path / "shallow"))
    assert git.is_ancestor(first, second) is None
    assert git.is_ancestor(second, second) is True


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    try:
        repo = Repo(tmp_path / "long", "--object-format=sha256")
    except AssertionError:
        pytest.skip("this git knows no sha256 repositories")
    commit = repo.commit()
    git = source(repo)
    assert git.fetch().commit == commit
    assert len(commit) == 64
    blob = git.tree(git.fetch(), "manifests").entries[0].blob
    assert list(git.read([blob])) == [(blob, b"name: one\n")]


def test_another_users_repository_is_read(repo: Repo) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to another user")
    commit = repo.commit()
    for base, folders, files in os.walk(repo.path):
        for name in (".", *folders, *files):
            os.chown(Path(base, name), 12345, 12345)
    git = source(repo)
    assert git.fetch().commit == commit
    assert len(git.tree(git.fetch(), "manifests").entries) == 1


def test_a_missing_object_is_corruption_and_never_an_empty_folder(repo: Repo) -> None:
    repo.commit()
    git = source(repo)
    revision = git.fetch()
    entry = git.tree(revision, "manifests").entries[0]
    (repo.path / ".git/objects" / entry.blob[:2] / entry.blob[2:]).unlink()
    failure("git-corrupt", lambda: list(git.read([entry.blob])))
    failure("git-corrupt", git.tree, revision, "manifests")
    subtree = repo.git("rev-parse", "HEAD:manifests")
    (repo.path / ".git/objects" / subtree[:2] / subtree[2:]).unlink()
    failure("git-corrupt", git.tree, revision, "manifests")


def test_what_is_no_object_id_never_reaches_git(repo: Repo) -> None:
    repo.commit()
    for words in (["--help"], ["HEAD"], ["a" * 40 + "\n" + "b" * 40], [""]):
        failure("source-ref", lambda words=words: list(source(repo).read(words)))


def test_one_source_may_be_read_from_several_threads(repo: Repo) -> None:
    for number in range(20):
        repo.write(f"manifests/{number}.yaml", f"name: n{number}\n")
    repo.commit()
    git = source(repo)
    results: list[int] = []

    def work() -> None:
        tree = git.tree(git.fetch(), "manifests")
        results.append(len(list(git.read([entry.blob for entry in tree.entries]))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [21] * 4


def test_no_process_and_no_open_file_is_left_behind(repo: Repo) -> None:
    repo.commit("manifests/big.yaml", b"x: " + b"y" * 300_000)
    repo.commit("manifests/two.yaml")
    git = source(repo, TreeLimits(entries_max=1))
    revision = git.fetch()
    blobs = [entry.blob for entry in source(repo).tree(revision, "manifests").entries]

    def use() -> None:
        git.tree(revision, "manifests")  # ended early by its limit
        reading = git.read(blobs * 3)
        next(reading)
        reading.close()  # abandoned in the middle
        list(git.read(blobs))
        failure("git-corrupt", lambda: list(git.read(["1" * 40])))
        failure("source-ref", git.resolve, "nowhere")

    use()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(15):
        use()
    assert len(os.listdir("/proc/self/fd")) == before
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True)
    assert "git" not in children.stdout
