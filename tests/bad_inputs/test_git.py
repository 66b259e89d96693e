"""Rows 107 to 135: trees, repositories and surroundings that are made to hurt, by `diff` of commits and work trees."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bad_inputs.bench import NEIGHBOUR, Bench, Benches, Ran
from tests.bad_inputs.rows import shows
from tests.unit.source.conftest import Repo

Entry = tuple[str, str | bytes, str | bytes]
"""Mode, content (or the id of a tree or a submodule), name."""


def depot(name: str) -> str:
    return NEIGHBOUR.replace("neighbour", name)


@dataclass(frozen=True, slots=True)
class Tree:
    """Entries beside ``good.yaml`` in ``manifests``; what is told, of which path, and what is planned besides."""

    row: int
    name: str
    entries: tuple[Entry, ...]
    code: str = ""
    path: str = ""
    severity: str = "error"
    planned: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.row} {self.name}"


def link(aim: str) -> Tree:
    return Tree(107, aim, (("120000", aim, "x.yaml"),), "tree-link", "manifests/x.yaml")


FOLDER = "a folder"  # stands for the id of a tree
MODULES = '[submodule "x"]\n path = x\n url = -u./payload\n'
ATTRIBUTES = "*.yaml filter=evil ident eol=crlf working-tree-encoding=UTF-16\n"
STRANGE = ("new\nline.yaml", "tab\t.yaml", 'quo"te.yaml', "back\\slash.yaml", "\x1b[31mred.yaml", b"latin-\xe9.yaml")
TREES = (
    *(link(aim) for aim in ("/etc/passwd", "../..", "x.yaml", "good.yaml", "/dev/zero")),
    Tree(108, "submodule", (("160000", "1" * 40, "x"), ("100644", MODULES, ".gitmodules")), "tree-submodule",
         "manifests/x"),
    Tree(109, "attributes", (("100644", ATTRIBUTES, ".gitattributes"), ("100644", depot("attributed"), "a.yaml")),
         planned=("attributed",)),
    *(
        Tree(110, name, (("40000", FOLDER, name),), "tree-unsafe")
        for name in ("..", ".", ".git", ".GIT", "git~1", ".g\u200cit", "a\u2215b/c")
        if "/" not in name
    ),
    *(
        Tree(111, f"name {at}", (("100644", depot(f"strange{at}"), name),), planned=(f"strange{at}",))
        for at, name in enumerate(STRANGE)
    ),
    Tree(112, "case", (("100644", depot("upper"), "A.yaml"), ("100644", depot("lower"), "a.yaml")),
         planned=("lower", "upper")),
    Tree(112, "form", (("100644", depot("nfd"), "cafe\u0301.yaml"), ("100644", depot("nfc"), "café.yaml")),
         planned=("nfc", "nfd")),
    Tree(113, "device", (("100644", depot("device"), "con.yaml"),), "tree-name", "manifests/con.yaml", "warning",
         ("device",)),
    *(Tree(114, mode, (("100644", depot("a"), "a.yaml"), (mode, depot("b"), "b.yaml")), planned=("a", "b"))
      for mode in ("100755", "100664")),
    Tree(135, "endings", tuple(("100644", depot(f"ending{at}"), f"f{ending}")
         for at, ending in enumerate((".yaml", ".yml", ".YAML", ".json", "", ".txt"))), "ignored-file", "manifests",
         "info", ("ending0", "ending1", "ending2", "ending3")),
)  # fmt: skip


@pytest.fixture
def bench(benches: Benches) -> Bench:
    made = benches.new()
    made.write("manifests/good.yaml", NEIGHBOUR)
    return made


@pytest.fixture
def repo(bench: Bench) -> Repo:
    return Repo(bench.repository)


def committed(repo: Repo, *entries: Entry) -> None:
    """A commit on `main` with exactly these entries in `manifests`, sorted as git wants them."""
    inner = repo.tree(("100644", repo.blob(depot("inner").encode()), "i.yaml"))
    made = [("100644", repo.blob(NEIGHBOUR.encode()), "good.yaml")]
    for mode, content, name in entries:
        if mode == "160000":
            made.append((mode, str(content), name))  # type: ignore[arg-type]
        elif content == FOLDER:
            made.append((mode, inner, name))  # type: ignore[arg-type]
        else:
            made.append((mode, repo.blob(content if isinstance(content, bytes) else content.encode()), name))  # type: ignore[arg-type]
    made.sort(key=lambda entry: entry[2].encode() if isinstance(entry[2], str) else entry[2])
    repo.commit_manifests(*made)


def planned(ran: Ran) -> list[str]:
    return sorted(each["key"]["name"] for each in ran.document["changes"])


def witness(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a mark when it is run, and the mark."""
    mark, program = folder / "it-ran", folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, mark


@pytest.mark.parametrize("case", TREES, ids=lambda case: ascii(case.id))
def test_a_tree_is_read_as_data_and_what_is_unsafe_in_it_is_told(case: Tree, bench: Bench, repo: Repo) -> None:
    program, mark = witness(bench.folder)
    repo.git("config", "filter.evil.smudge", str(program))
    committed(repo, *case.entries)
    ran = bench.run("diff", "--revision", "main", "-o", "json").sound(
        3 if case.severity == "error" and case.code else 0
    )
    told = [(each["severity"], each["code"], each["path"]) for each in ran.problems]
    if case.code:
        assert any(one[:2] == (case.severity, case.code) and one[2].startswith(case.path) for one in told), told
    assert planned(ran) == sorted(("neighbour", *case.planned))
    if case.row == 111:  # names are shown, so none may speak to the terminal
        text = bench.run("diff", "--revision", "main").sound()
        assert "\x1b" not in text.out and "new\nline" not in text.out
    assert not mark.exists()


@shows(115)
def test_a_tree_without_end_is_cut_while_it_is_listed(bench: Bench, repo: Repo) -> None:
    level = repo.tree(("100644", repo.blob(), "a.yaml"))
    for _ in range(12):
        level = repo.tree(*(("40000", level, f"d{number}") for number in range(10)))
    repo.commit_tree(repo.tree(("40000", level, "manifests")))
    ran = bench.run("diff", "--revision", "main", "-o", "json")
    assert [each["code"] for each in ran.problems] == ["tree-limit"]
    ran.sound(3)


@shows(117)
def test_replace_refs_have_no_effect(bench: Bench, repo: Repo) -> None:
    first = repo.commit("manifests/good.yaml", NEIGHBOUR)
    second = repo.commit("manifests/good.yaml", depot("second"))
    repo.git("replace", second, first)
    assert planned(bench.run("diff", "--revision", "main", "-o", "json").sound(0)) == ["second"]


@shows(118)
def test_a_missing_object_is_corruption_and_never_an_empty_folder(bench: Bench, repo: Repo) -> None:
    commit = repo.commit("manifests/good.yaml", NEIGHBOUR)
    tree = repo.git("rev-parse", f"{commit}:manifests")
    (repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    ran = bench.run("diff", "--revision", "main", "-o", "json").sound(1)
    assert "git-corrupt" in [each["code"] for each in ran.problems], ran.out


@shows(119)
def test_a_repository_without_a_commit_or_the_branch_is_told(bench: Bench, repo: Repo) -> None:
    for words in (("apply", "--yes"), ("run", "--once"), ("diff", "--revision", "main")):
        assert "source-ref" in bench.run(*words).sound(1).err
    repo.commit("manifests/good.yaml", NEIGHBOUR)
    ran = bench.run("apply", "--yes", DATAKEEL_SOURCE__BRANCH="live").sound(1)
    assert "source-ref" in ran.err and "live" in ran.err


@shows(121)
def test_a_repository_in_sha256_is_read(benches: Benches) -> None:
    bench = benches.new()
    repo = Repo(bench.repository, "--object-format=sha256")
    repo.commit("manifests/good.yaml", NEIGHBOUR)
    assert planned(bench.run("diff", "--revision", "main", "-o", "json").sound(0)) == ["neighbour"]


@shows(130)
def test_a_poisoned_environment_has_no_effect(bench: Bench, repo: Repo) -> None:
    repo.commit("manifests/good.yaml", NEIGHBOUR)
    program, mark = witness(bench.folder)
    (bench.folder / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n[broken\n")
    poison = {
        "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/nonexistent",
        "GIT_INDEX_FILE": "/nonexistent",
        "GIT_CONFIG_GLOBAL": str(bench.folder / ".gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(program),
        "GIT_SSH_COMMAND": str(program),
        "GIT_ASKPASS": str(program),
        "GIT_PAGER": str(program),
        "GIT_EXTERNAL_DIFF": str(program),
        "GIT_EXEC_PATH": str(bench.folder),
        "GIT_TRACE": str(bench.folder / "trace"),
    }
    for words in (("diff", "-o", "json"), ("diff", "--revision", "main", "-o", "json")):
        assert planned(bench.run(*words, **poison).sound(0)) == ["neighbour"]
    assert not mark.exists() and not (bench.folder / "trace").exists()


@shows(131)
def test_a_poisoned_repository_runs_nothing(bench: Bench, repo: Repo) -> None:
    repo.commit("manifests/good.yaml", NEIGHBOUR)
    program, mark = witness(bench.folder)
    hooks = bench.folder / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(program)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "diff.external", "gpg.program"):
        repo.git("config", key, str(program))
    for key, value in {
        "core.hooksPath": str(hooks),
        "core.worktree": "/nonexistent",
        "log.showSignature": "true",
        "alias.ls-tree": f"!{program}",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "protocol.allow": "always",
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
    }.items():
        repo.git("config", key, value)
    for words in (("diff", "-o", "json"), ("diff", "--revision", "main", "-o", "json")):
        assert planned(bench.run(*words).sound(0)) == ["neighbour"]
    assert not mark.exists()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket has at most 108 bytes
        try:
            listening.bind(path.name)
        finally:
            os.chdir(here)


PLACED = (
    # row, what stands in the work tree, how it is made, what is told
    (132, "FIFO", _fifo, ("warning", "ignored-file")),
    (132, "socket", _socket, ("warning", "ignored-file")),
    (132, "device", lambda path: path.symlink_to("/dev/zero"), ("error", "tree-link")),
    (107, "work tree", lambda path: path.symlink_to("/etc/passwd"), ("error", "tree-link")),
    (107, "loop", lambda path: path.symlink_to(path.name), ("error", "tree-link")),
)  # fmt: skip


@pytest.mark.parametrize(("row", "what", "make", "told"), PLACED, ids=[f"{one[0]} {one[1]}" for one in PLACED])
def test_what_is_no_regular_file_is_never_opened(
    row: int, what: str, make: Callable[[Path], None], told: tuple[str, str], bench: Bench
) -> None:
    make(bench.repository / "manifests/x.yaml")
    ran = bench.run("diff", "-o", "json").sound(3 if told[0] == "error" else 0)
    assert [(each["severity"], each["code"], each["path"]) for each in ran.problems] == [(*told, "manifests/x.yaml")]
    assert planned(ran) == ["neighbour"]


@shows(109, 111)
def test_the_limit_of_a_path_admits_the_last_and_refuses_the_next(bench: Bench, repo: Repo) -> None:
    longest = "x" * (1024 - len("manifests/.yaml"))
    committed(repo, ("100644", depot("inside"), f"{longest}.yaml"), ("100644", depot("outside"), f"{longest}x.yaml"))
    ran = bench.run("diff", "--revision", "main", "-o", "json").sound(3)
    assert [each["code"] for each in ran.problems] == ["path-too-long"]
    assert planned(ran) == ["inside", "neighbour"]
