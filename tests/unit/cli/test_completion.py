"""Completion on the command line: what is offered, and that real shells offer it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.cli.completing import FILES, FOLDERS, candidates
from agent.cli.completion_names import Names
from agent.cli.completion_scripts import SCRIPTS
from agent.clock import SystemClock
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.store.store import Store
from tests.unit.cli.test_main import ROOT

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: state.db
targets:
  # the first
  analytics:
    platform: dataloop
    server: http://127.0.0.1:1
  "other":
    platform: bookshelf/v1  # of our own
"""
NAMES = (("Rule", (("account", "shop"),), "cpu-high"), ("Rule", (("account", "shop"),), "disk"))
NAMES += (("Rule", (("account", "lab"),), "disk"), ("Plugin", (("account", "shop"),), "$(touch hacked) x"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("known")
    (tmp_path / "datakeel.yaml").write_text(CONFIG)
    (tmp_path / ".git").mkdir()
    (tmp_path / "manifests").mkdir()
    own = tmp_path / ".schemas" / "bookshelf"
    own.mkdir(parents=True)
    (own / "v1.json").write_text('{"x-kinds": {"managed": ["Shelf"], "observed": []}}')
    store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=SystemClock(), write=True)
    store.lock()
    store.put_rows([InventoryRow(Key("analytics", *key), "0123456789abcdef") for key in NAMES])
    store.close()
    return tmp_path


@pytest.fixture
def folder(known: Path, tmp_path: Path) -> Path:
    return shutil.copytree(known, tmp_path, dirs_exist_ok=True)


def offered(folder: Path, *words: str) -> list[str]:
    return [each.word for each in candidates(words, Names(None, {}, folder))]


def test_verbs_are_offered_with_what_they_do(folder: Path) -> None:
    found = dict(candidates(["d"], Names(None, {}, folder)))
    assert {"diff", "demo", "doctor"} <= set(found) and all(found.values())
    assert offered(folder, "help", "dif") == ["diff"]
    assert offered(folder, "no-such-verb", "") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("diff", "--det"), ["--detailed-exitcode"]),
        (("diff", "--offline", "--off"), []),  # once is enough
        (("diff", "--only", "Rule", "--onl"), ["--only"]),  # may be said again
        (("diff", "--color", ""), ["auto", "always", "never"]),
        (("diff", "--color=al"), ["--color=always"]),
        (("diff", "--target", ""), ["analytics", "other"]),
        (("diff", "--target=an"), ["--target=analytics"]),
        (("diff", "--only", "Rul"), ["Rule", "Rule/"]),
        (("diff", "--only", "!Rul"), ["!Rule", "!Rule/"]),
        (("diff", "--only", "!Rule/c"), ["!Rule/cpu-high"]),
        (("get", "She"), ["Shelf"]),
        (("get", "Rule/"), ["Rule/cpu-high", "Rule/lab/disk", "Rule/shop/disk"]),
        (("get", "Rule/shop/c"), ["Rule/shop/cpu-high"]),
        (("logs", "Pl"), ["Plugin/"]),
        (("logs", "Rule/cpu-high", ""), []),
        (("logs", "--tail", "20", "Rule/c"), ["Rule/cpu-high"]),
        (("import", "Rule", "Plu"), ["Plugin", "Plugin/"]),
        (("diff", "--config", ""), [FILES]),
        (("diff", "-o", "js"), ["json"]),
        (("diff", "-o", "json=x"), [FILES]),
        (("validate", "mani"), [FILES]),
        (("lint-platform", ""), [FOLDERS]),
        (("completion", "z"), ["zsh"]),
        (("explain", "unknown-k"), ["unknown-key"]),
        (("schema", "bookshelf"), ["bookshelf"]),
    ],
)
def test_what_may_come_next_is_offered(folder: Path, words: Sequence[str], expected: list[str]) -> None:
    assert offered(folder, *words) == expected


@pytest.mark.parametrize("broken", ["nothing", "no configuration", "no store", "unreadable store"])
def test_what_cannot_be_read_offers_nothing(folder: Path, broken: str) -> None:
    if broken == "no configuration":
        (folder / "datakeel.yaml").unlink()
    elif broken == "no store":
        (folder / "state.db").unlink()
    elif broken == "unreadable store":
        (folder / "state.db").write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    assert offered(folder, "get", "Rule/") == (
        ["Rule/cpu-high", "Rule/lab/disk", "Rule/shop/disk"] if broken == "nothing" else []
    )
    assert "Rule" in offered(folder, "get", "Rul")
    assert "diff" in offered(folder, "diff")


def environment(folder: Path) -> dict[str, str]:
    """With a `datakeel` on the path that is this one."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "datakeel").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m agent "$@"\n')
    (programs / "datakeel").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8"}


def typed(folder: Path, command: Sequence[str], lines: Sequence[tuple[str, str]]) -> None:
    """Type into a shell at a terminal. Each line goes on until a text is seen, and is then thrown away."""
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment(folder), start_new_session=True
    )
    os.close(theirs)
    try:
        for line, expected in lines:
            os.write(ours, line.encode())
            seen, until = "", time.monotonic() + 60
            while expected not in seen:
                assert time.monotonic() < until, f"{line!r}: {seen!r}"
                if select.select([ours], [], [], 0.5)[0]:
                    seen += os.read(ours, 65536).decode(errors="replace")
            os.write(ours, b"\x15")  # take the line back
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(folder: Path) -> None:
    lines = [
        ("PS1='ready> '; source <(datakeel completion bash); echo so''urced\n", "sourced"),
        ("datakeel vali\t", "validate "),
        ("datakeel diff --target=an\t", "--target=analytics"),
        ("datakeel get Rule/c\t", "Rule/cpu-high"),
        ("datakeel validate mani\t", "manifests/"),
        ("datakeel get Plugin/\t", "Plugin/\\$\\(touch\\ hacked\\)\\ x"),
    ]
    typed(folder, ["bash", "--norc", "--noprofile", "-i"], lines)
    assert not (folder / "hacked").exists()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_completes(folder: Path) -> None:
    lines = [
        ("PS1='ready> '; autoload -Uz compinit && compinit -u -D; echo lo''aded\n", "loaded"),
        ("source <(datakeel completion zsh); echo so''urced\n", "sourced"),
        ("datakeel vali\t", "validate"),
        ("datakeel diff --target=an\t", "--target=analytics"),
        ("datakeel get Rule/c\t", "Rule/cpu-high"),
        ("datakeel validate mani\t", "manifests/"),
        ("datakeel get Plugin/\t", "Plugin/\\$\\(touch\\ hacked\\)\\ x"),
    ]
    typed(folder, ["zsh", "-f", "-i"], lines)
    assert not (folder / "hacked").exists()


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes(folder: Path) -> None:
    script = "datakeel completion fish | source\n" + "\n".join(
        f"complete -C '{line}'" for line in ("datakeel vali", "datakeel get Rule/c", "datakeel validate mani")
    )
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = {line.partition("\t")[0] for line in done.stdout.splitlines()}
    assert {"validate", "Rule/cpu-high", "manifests/"} <= found, done


def test_every_script_is_of_a_shell_that_is_offered(folder: Path) -> None:
    assert set(offered(folder, "completion", "")) == set(SCRIPTS)
