"""Who a commit names, and who is proved to have signed it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.model.actor import NOBODY, Actor, Person
from agent.source.beside import WorkTreeAndCommits
from agent.source.local import LocalRepository
from agent.source.repository import GitSource
from agent.source.worktree import WORKTREE
from tests.unit.source.conftest import Repo
from tests.unit.source.test_signatures import allowed, keys, signed, source

__all__ = ["keys"]  # a fixture


def test_author_and_committer_are_as_the_commit_writes_them(repo: Repo) -> None:
    repo.write("manifests/one.yaml", "name: one\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "author Eve <eve@example.com>", "--author", "Bo Bar <bo@example.com>")
    git = GitSource(LocalRepository(repo.path))
    actor = git.actor(git.fetch())
    assert actor.author == Person("Bo Bar", "bo@example.com")
    assert actor.committer == Person(*repo.git("show", "-s", "--format=%cn|%ce").split("|"))
    assert actor.signer == ""


def test_a_work_tree_is_that_of_the_commit_it_stands_on(repo: Repo, tmp_path: Path) -> None:
    repo.commit(content="name: one\n")
    both = WorkTreeAndCommits(repo.path)
    assert both.actor(WORKTREE) == both.actor(both.resolve("HEAD")) != NOBODY
    (tmp_path / "plain").mkdir()
    assert WorkTreeAndCommits(tmp_path / "plain").actor(WORKTREE) == NOBODY


def test_the_signer_is_the_one_whose_signature_is_allowed(repo: Repo, keys: Path, tmp_path: Path) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana"))
    signed(repo, keys / "ana")
    assert git.actor(git.fetch()).signer == "ana@example.com"
    signed(repo, keys / "eve", "By another")
    assert git.actor(git.resolve("HEAD")).signer == ""
    repo.commit(content="name: two\n")
    assert git.actor(git.resolve("HEAD")).signer == ""
    signed(repo, keys / "ana", "Again")
    assert git.actor(git.resolve("HEAD")).signer == "ana@example.com", "also where nobody has admitted it yet"
    allowed(tmp_path, keys, "eve")
    assert git.actor(git.resolve("HEAD")).signer == "", "its key was taken out of the file"


@pytest.mark.skipif(shutil.which("gpg", path="/usr/bin:/bin") is None, reason="gpg is not installed")
def test_of_a_gpg_key_the_fingerprint_is_told(repo: Repo, tmp_path: Path) -> None:
    import os
    import subprocess

    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def gpg(*words: str) -> str:
        done = subprocess.run(["gpg", "--batch", *words], env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    gpg("--passphrase", "", "--quick-gen-key", "Ana <ana@example.com>", "ed25519", "sign")
    listed = gpg("--list-keys", "--with-colons")
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    keys = tmp_path / "keys.asc"
    keys.write_text(gpg("--armor", "--export"))
    repo.write("manifests/one.yaml", "name: signed\n")
    repo.git("add", "-A")
    program = tmp_path / "gpg.sh"
    program.write_text(f'#!/bin/sh\nGNUPGHOME={home} exec gpg "$@"\n')
    program.chmod(0o700)
    repo.git(
        "-c", f"gpg.program={program}", "-c", f"user.signingKey={fingerprint}", "commit", "-q", "-S", "-m", "Signed"
    )
    git = source(repo, gpg=keys)
    actor = git.actor(git.fetch())
    assert isinstance(actor, Actor) and actor.signer == fingerprint
