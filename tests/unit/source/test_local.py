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


def test_the_followed_branch_moves_also_by_force(repo: Repo) -> None:
    first = repo.commit()
    git = source(repo, branch="main")
    assert git.fetch().commit == first
    second = repo.commit(content="name: two\n")
    assert git.fetch().commit == second
    assert git.is_ancestor(first, second) is True
    assert git.is_ancestor(second, first) is False
    repo.git("reset", "-q", "--hard", first)
    third = repo.commit(content="name: three\n")
    assert git.fetch().commit == third
    assert git.is_ancestor(second, third) is False
    assert git.is_ancestor(second, "0" * 40) is None


def test_an_unchanged_repository_costs_no_process(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit()
    git = source(repo)
    first = git.fetch()
    repo.path.joinpath(".git/objects").rename(repo.path / "away")
    repo.path.joinpath(".git/objects").mkdir()  # git itself would now fail
    assert git.fetch() is first


def test_packed_refs_are_read_and_a_loose_one_wins(repo: Repo) -> None:
    repo.commit()
    git = source(repo, branch="main")
    git.fetch()
    repo.git("pack-refs", "--all")
    assert not (repo.path / ".git/refs/heads/main").exists()
    second = repo.commit(content="name: two\n")
    assert git.fetch().commit == second
    repo.git("pack-refs", "--all")
    assert git.fetch().commit == second
    repo.git("update-ref", "refs/heads/main", second + "~1")
    repo.git("pack-refs", "--all")
    assert git.fetch().commit == repo.git("rev-parse", second + "~1")


def test_a_deleted_branch_is_an_error_and_the_old_revision_stays_readable(repo: Repo) -> None:
    repo.commit()
    repo.git("branch", "live")
    git = source(repo, branch="live")
    revision = git.fetch()
    repo.git("branch", "-D", "live")
    error = failure("source-ref", git.fetch)
    assert "`live`" in error.what
    assert len(git.tree(revision, "manifests").entries) == 1
    repo.git("branch", "live")
    assert git.fetch() == revision


def test_a_branch_is_found_only_under_its_exact_name(repo: Repo) -> None:
    repo.commit()
    repo.git("tag", "live")
    repo.git("update-ref", "refs/heads/refs/heads/live", "HEAD")
    failure("source-ref", source(repo, branch="live").fetch)
    failure("source-ref", source(repo, branch="mai").fetch)
    failure("source-ref", source(repo, tag="main").fetch)
    assert source(repo, tag="live").fetch().ref == "live"


def test_annotated_tags_are_followed_to_their_commit(repo: Repo) -> None:
    commit = repo.commit()
    repo.git("tag", "-a", "v1", "-m", "One")
    repo.git("tag", "-a", "v1-again", "-m", "Tag of a tag", "v1")
    for tag in ("v1", "v1-again"):
        revision = source(repo, tag=tag).fetch()
        assert (revision.commit, revision.ref) == (commit, tag)
        assert source(repo).resolve(tag).commit == commit


def test_a_pinned_commit_stays(repo: Repo) -> None:
    commit = repo.commit()
    repo.commit(content="name: two\n")
    assert source(repo, commit=commit).fetch().commit == commit
    failure("git-corrupt", source(repo, commit="1" * 40).fetch)


def test_a_tag_on_something_else_than_a_commit_is_an_error(repo: Repo) -> None:
    repo.commit()
    repo.git("tag", "odd", repo.blob())
    failure("git-corrupt", source(repo, tag="odd").fetch)


def test_a_detached_head_is_followed_without_a_name(repo: Repo) -> None:
    commit = repo.commit()
    repo.git("checkout", "-q", "--detach")
    revision = source(repo).fetch()
    assert (revision.commit, revision.ref) == (commit, None)


def test_an_empty_repository_says_that_it_has_no_commit(repo: Repo) -> None:
    assert "no commit" in failure("source-ref", source(repo).fetch).what
    repo.git("symbolic-ref", "HEAD", "refs/heads/nothing")
    failure("source-ref", source(repo).fetch)


def test_no_repository_and_no_path_are_errors_with_a_way_out(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    error = failure("source-missing", GitSource(LocalRepository(plain)).fetch)
    assert error.fix is not None
    assert "git init" in error.fix
    failure("source-missing", GitSource(LocalRepository(tmp_path / "nowhere")).fetch)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    failure("source-missing", GitSource(LocalRepository(tmp_path / "loop")).fetch)


def test_names_of_revisions_are_resolved(repo: Repo) -> None:
    first = repo.commit()
    second = repo.commit(content="name: two\n")
    repo.git("update-ref", "refs/remotes/origin/main", first)
    repo.git("tag", "v1", first)
    git = source(repo)
    assert git.resolve("main").commit == second
    assert git.resolve("refs/heads/main").commit == second
    assert git.resolve("origin/main").commit == first
    assert git.resolve("origin/main").ref == "origin/main"
    assert git.resolve("v1").commit == first
    assert git.resolve("HEAD").commit == second
    assert git.resolve("HEAD~1").commit == first
    assert git.resolve("main^").commit == first
    assert git.resolve(first).commit == first
    assert git.resolve(first[:8]).commit == first


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nowhere",
        "-x",
        "--all",
        "HEAD~9",
        "main@{1}",
        "a..b",
        ":/Add",
        "HEAD:manifests",
        "a b",
        "x\n",
        "deadbee",
        "*",
    ],
)
def test_what_names_no_revision_is_refused(repo: Repo, name: str) -> None:
    repo.commit()
    failure("source-ref", source(repo).resolve, name)


def test_a_commit_id_that_is_not_here_is_refused(repo: Repo) -> None:
    repo.commit()
    failure("source-ref", source(repo).resolve, "1" * 40)


def test_a_name_that_is_branch_and_tag_must_be_written_in_full(repo: Repo) -> None:
    repo.commit()
    repo.git("tag", "main")
    assert source(repo).resolve("main").ref == "main"
    second = repo.commit(content="name: two\n")
    error = failure("source-ref", source(repo).resolve, "main")
    assert error.fix == "write refs/heads/main or refs/tags/main"
    assert source(repo).resolve("refs/heads/main").commit == second


def test_a_swapped_link_is_followed_anew_at_each_fetch(tmp_path: Path) -> None:
    one, two = Repo(tmp_path / "one"), Repo(tmp_path / "two")
    first, second = one.commit(), two.commit(content="name: two\n")
    link = tmp_path / "current"
    link.symlink_to("one")
    git = GitSource(LocalRepository(link))
    assert git.fetch().commit == first
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(link)
    assert git.fetch().commit == second
    assert len(git.tree(git.fetch(), "manifests").entries) == 1


def test_linked_work_trees_and_bare_repositories_are_read(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    repo.commit(content="name: two\n")
    assert GitSource(LocalRepository(tmp_path / "linked")).fetch().commit == commit
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = GitSource(LocalRepository(tmp_path / "bare.git"))
    assert len(bare.tree(bare.fetch(), "manifests").entries) == 1
