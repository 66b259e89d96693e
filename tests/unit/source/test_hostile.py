"""Trees, configurations and environments made to hurt: nothing of theirs runs, is followed or is silently dropped."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.local import LocalRepository
from agent.source.repository import GitSource
from agent.source.tree import Tree, TreeLimits
from tests.unit.source.conftest import Repo


def tree_of(repo: Repo, folder: str = "manifests", limits: TreeLimits | None = None) -> Tree:
    git = GitSource(LocalRepository(repo.path), limits=limits or TreeLimits())
    return git.tree(git.fetch(), folder)


def errors(tree: Tree) -> list[tuple[str, str]]:
    return [(problem.code, problem.where.path) for problem in tree.problems if problem.severity == "error"]


def paths(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.entries]


def witness(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a mark when it is run, and the mark."""
    mark = folder / "it-ran"
    program = folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program, mark


@pytest.mark.parametrize("aim", ["/etc/passwd", "../..", "loop.yaml", "good.yaml", "missing"])
def test_links_are_never_followed(repo: Repo, aim: str) -> None:
    good, link = repo.blob(), repo.blob(aim.encode())
    repo.commit_manifests(("100644", good, "good.yaml"), ("120000", link, "loop.yaml"))
    tree = tree_of(repo)
    assert errors(tree) == [("tree-link", "manifests/loop.yaml")]
    assert paths(tree) == ["manifests/good.yaml"]


def test_a_folder_that_is_a_link_or_a_submodule_is_an_error(repo: Repo) -> None:
    there = repo.tree(("100644", repo.blob(), "a.yaml"))
    repo.commit_tree(
        repo.tree(("120000", repo.blob(b"there"), "link"), ("160000", "1" * 40, "sub"), ("40000", there, "there"))
    )
    assert errors(tree_of(repo, "link")) == [("tree-link", "link")]
    assert errors(tree_of(repo, "sub")) == [("tree-submodule", "sub")]
    assert errors(tree_of(repo, "link/x")) == [("folder-missing", "link/x")]


def test_submodules_are_errors_and_their_url_is_nobodys_business(repo: Repo) -> None:
    modules = repo.blob(b'[submodule "x"]\n path = x\n url = -u./payload\n')
    repo.commit_manifests(
        ("100644", modules, ".gitmodules"), ("160000", "1" * 40, "x"), ("100644", repo.blob(), "y.yaml")
    )
    tree = tree_of(repo)
    assert errors(tree) == [("tree-submodule", "manifests/x")]
    assert paths(tree) == ["manifests/y.yaml"]


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "git~1", ".g\u200cit", ".git ", ".git::$INDEX_ALLOCATION"])
def test_entries_that_no_checkout_could_hold_are_errors(repo: Repo, name: str) -> None:
    inner = repo.tree(("100644", repo.blob(), "a.yaml"))
    repo.commit_manifests(("100644", repo.blob(), "good.yaml"), ("40000", inner, name))
    tree = tree_of(repo)
    assert [code for code, _ in errors(tree)] == ["tree-unsafe"]
    assert paths(tree) == ["manifests/good.yaml"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("new\nline.yaml", "new\nline.yaml"),
        ("tab\t.yaml", "tab\t.yaml"),
        ('quo"te.yaml', 'quo"te.yaml'),
        ("back\\slash.yaml", "back\\slash.yaml"),
        ("\x1b[31mred.yaml", "\x1b[31mred.yaml"),
        ("café.yaml", "café.yaml"),
        ("cafe\u0301.yaml", "cafe\u0301.yaml"),
        (b"latin-\xe9.yaml", "latin-\\xe9.yaml"),
        ("-option.yaml", "-option.yaml"),
        ("a*?[b].yaml", "a*?[b].yaml"),
    ],
)
def test_strange_file_names_are_read(repo: Repo, name: str | bytes, shown: str) -> None:
    repo.commit_manifests(("100644", repo.blob(b"odd: true\n"), name))
    git = GitSource(LocalRepository(repo.path))
    tree = git.tree(git.fetch(), "manifests")
    assert paths(tree) == [f"manifests/{shown}"]
    assert next(git.read([tree.entries[0].blob]))[1] == b"odd: true\n"


def test_names_that_differ_by_case_or_form_only_are_both_read(repo: Repo) -> None:
    names = ["A.yaml", "a.yaml", "cafe\u0301.yaml", "café.yaml"]
    repo.commit_manifests(*(("100644", repo.blob(), name) for name in names))
    assert len(tree_of(repo).entries) == 4


@pytest.mark.parametrize("mode", ["100644", "100755", "100664"])
def test_the_mode_of_a_file_does_not_matter(repo: Repo, mode: str) -> None:
    repo.commit_manifests((mode, repo.blob(), "a.yaml"))
    assert paths(tree_of(repo)) == ["manifests/a.yaml"]


def test_a_big_file_is_refused_by_its_size_and_one_at_the_limit_is_read(repo: Repo) -> None:
    repo.write("manifests/just.yaml", b"#" * (1 << 20))
    repo.commit("manifests/more.yaml", b"#" * ((1 << 20) + 1))
    tree = tree_of(repo)
    assert errors(tree) == [("file-too-big", "manifests/more.yaml")]
    assert paths(tree) == ["manifests/just.yaml"]


def test_a_tree_without_end_is_cut_by_the_limit_of_entries(repo: Repo) -> None:
    level = repo.tree(("100644", repo.blob(), "a.yaml"))
    for _ in range(12):
        level = repo.tree(*(("40000", level, f"d{number}") for number in range(10)))
    repo.commit_tree(level)
    tree = tree_of(repo, ".", TreeLimits(entries_max=2000))
    assert errors(tree) == [("tree-limit", ".")]


def test_a_path_of_great_length_is_an_error(repo: Repo) -> None:
    repo.commit_manifests(("100644", repo.blob(), "x" * 4000 + ".yaml"), ("100644", repo.blob(), "y.yaml"))
    tree = tree_of(repo)
    assert [code for code, _ in errors(tree)] == ["path-too-long"]
    assert paths(tree) == ["manifests/y.yaml"]
    repo.commit_manifests(("100644", repo.blob(), "x" * 100_000 + ".yaml"))
    assert [code for code, _ in errors(tree_of(repo))] == ["path-too-long"]


def test_attributes_have_no_effect(repo: Repo, tmp_path: Path) -> None:
    program, mark = witness(tmp_path)
    repo.git("config", "filter.evil.smudge", str(program))
    repo.git("config", "filter.evil.clean", "cat")
    attributes = "*.yaml filter=evil ident eol=crlf working-tree-encoding=UTF-16\n"
    repo.write(".git/info/attributes", attributes)
    blob = repo.blob(b"id: $Id$\n")
    repo.commit_manifests(("100644", repo.blob(attributes.encode()), ".gitattributes"), ("100644", blob, "a.yaml"))
    git = GitSource(LocalRepository(repo.path))
    tree = git.tree(git.fetch(), "manifests")
    assert list(git.read([tree.entries[0].blob])) == [(blob, b"id: $Id$\n")]
    assert not mark.exists()


def test_replace_refs_have_no_effect(repo: Repo) -> None:
    first = repo.commit(content="name: true\n")
    second = repo.commit(content="name: false\n")
    repo.git("replace", second, first)
    git = GitSource(LocalRepository(repo.path))
    tree = git.tree(git.fetch(), "manifests")
    assert next(git.read([tree.entries[0].blob]))[1] == b"name: false\n"


def test_a_poisoned_repository_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    program, mark = witness(tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(program)
    for key, value in {
        "core.hooksPath": str(hooks),
        "core.fsmonitor": str(program),
        "core.pager": str(program),
        "core.sshCommand": str(program),
        "core.askPass": str(program),
        "core.alternateRefsCommand": str(program),
        "core.worktree": "/nonexistent",
        "credential.helper": f"!{program}",
        "alias.ls-tree": f"!{program}",
        "alias.show-ref": f"!{program}",
        "pager.log": str(program),
        "log.showSignature": "true",
        "gpg.program": str(program),
        "diff.external": str(program),
        "remote.origin.url": f"ext::{program}",
        "remote.origin.uploadpack": str(program),
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "protocol.allow": "always",
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
    }.items():
        repo.git("config", key, value)
    git = GitSource(LocalRepository(repo.path))
    revision = git.fetch()
    assert revision.commit == commit
    tree = git.tree(revision, "manifests")
    assert len(list(git.read([entry.blob for entry in tree.entries]))) == 1
    git.touched_in(["manifests/one.yaml"], revision)
    git.resolve("HEAD~0")
    with pytest.raises(SourceError):  # a promisor remote would be asked for it
        list(git.read(["1" * 40]))
    (repo.path / ".git/objects" / tree.entries[0].blob[:2] / tree.entries[0].blob[2:]).unlink()
    with pytest.raises(SourceError):
        git.tree(revision, "manifests")
    with pytest.raises(SourceError):
        list(git.read([tree.entries[0].blob]))
    assert not mark.exists()


def test_a_poisoned_environment_has_no_effect(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = repo.commit()
    program, mark = witness(tmp_path)
    other = Repo(tmp_path / "other")
    other.commit(content="name: other\n")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n[broken\n")
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_DIR": str(other.path / ".git"),
        "GIT_WORK_TREE": str(other.path),
        "GIT_COMMON_DIR": str(other.path / ".git"),
        "GIT_OBJECT_DIRECTORY": str(other.path / ".git/objects"),
        "GIT_INDEX_FILE": "/nonexistent",
        "GIT_NAMESPACE": "elsewhere",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(program),
        "GIT_CONFIG_PARAMETERS": "'core.pager'='" + str(program) + "'",
        "GIT_SSH_COMMAND": str(program),
        "GIT_ASKPASS": str(program),
        "GIT_PAGER": str(program),
        "GIT_EXTERNAL_DIFF": str(program),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_PYTHON_GIT_EXECUTABLE": str(program),
        "GIT_PYTHON_TRACE": "full",
        "LD_PRELOAD": "",
    }.items():
        monkeypatch.setenv(name, value)
    git = GitSource(LocalRepository(repo.path))
    revision = git.fetch()
    assert revision.commit == commit
    assert len(git.tree(revision, "manifests").entries) == 1
    assert not mark.exists()
    assert not (tmp_path / "trace").exists()


def test_a_poisoned_environment_has_no_effect_on_the_first_use_either(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    program, mark = witness(tmp_path)
    poison = {
        "GIT_PYTHON_GIT_EXECUTABLE": str(program),
        "GIT_PYTHON_REFRESH": "raise",
        "GIT_PYTHON_TRACE": "full",
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_DIR": "/nonexistent",
        "PATH": f".:{repo.path}:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    code = (
        "import os, sys; from pathlib import Path; from agent.source.local import LocalRepository;"
        "from agent.source.repository import GitSource;"
        "print(GitSource(LocalRepository(Path(sys.argv[1]))).fetch().commit, os.environ['GIT_DIR'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(repo.path)], env=poison, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{commit} /nonexistent\n", "")
    assert not mark.exists()
    assert not (tmp_path / "trace").exists()


def test_a_program_named_git_beside_the_files_is_not_run(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    program, mark = witness(repo.path)
    program.rename(repo.path / "git")
    monkeypatch.setenv("PATH", ".:" + str(repo.path))
    monkeypatch.chdir(repo.path)
    assert GitSource(LocalRepository(repo.path)).fetch().ref == "main"
    assert not mark.exists()


def test_a_damaged_repository_is_an_error_and_never_an_empty_one(repo: Repo) -> None:
    repo.commit()
    git = GitSource(LocalRepository(repo.path))
    (repo.path / ".git/config").write_text("[broken\n")
    with pytest.raises(SourceError) as caught:
        git.fetch()
    assert caught.value.why is not None
    (repo.path / ".git/config").write_text("[core]\n\trepositoryformatversion = 99\n")
    with pytest.raises(SourceError) as caught:
        git.fetch()
    assert caught.value.error_code == "git-format"
