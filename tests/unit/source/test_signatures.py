"""Real signatures by ssh-keygen and gpg on real commits: who may sign decides what is admitted (G12)."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config.model import Signers
from agent.errors import SourceError
from agent.source.address import check_url
from agent.source.credentials import Remote
from agent.source.local import LocalRepository, Wanted
from agent.source.mirror import Mirror
from agent.source.repository import GitSource
from agent.source.signatures import Signatures
from tests.unit.source.conftest import ENVIRONMENT, Repo

needs_gpg = pytest.mark.skipif(shutil.which("gpg", path="/usr/bin:/bin") is None, reason="gpg is not installed")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key pairs ``ana`` and ``eve``."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ana", "eve"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(words, check=True, capture_output=True)
    return folder


def allowed(folder: Path, keys: Path, *names: str, words: str = 'namespaces="git"') -> Path:
    """A file of allowed signers."""
    file = folder / "allowed-signers"
    lines = [f"{name}@example.com {words} {(keys / f'{name}.pub').read_text()}" for name in names]
    file.write_text("# who may sign\n" + "".join(lines))
    return file


def signed(repo: Repo, key: Path, message: str = "Signed", path: str = "manifests/one.yaml") -> str:
    repo.write(path, f"name: {message}\n")
    repo.git("add", "-A")
    repo.git("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}.pub", "commit", "-q", "-S", "-m", message)
    return repo.git("rev-parse", "HEAD")


def source(repo: Repo, ssh: Path | None = None, gpg: Path | None = None, **wanted: str) -> GitSource:
    signatures = Signatures(Signers(ssh, gpg))
    return GitSource(LocalRepository(repo.path), Wanted(**wanted), signatures=signatures)


def refused(git: GitSource, code: str = "commit-untrusted") -> SourceError:
    with pytest.raises(SourceError) as caught:
        git.fetch()
    assert caught.value.error_code == code and caught.value.fix
    return caught.value


@pytest.mark.row("G12")
def test_a_commit_that_an_allowed_key_signed_is_admitted_and_no_other(repo: Repo, keys: Path, tmp_path: Path) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana"))
    good = signed(repo, keys / "ana")
    assert git.fetch().commit == good
    unsigned = repo.commit(content="name: two\n")
    assert unsigned[:7] in refused(git, "commit-unsigned").what
    signed(repo, keys / "eve", "By another")
    error = refused(git)
    assert "not among those that may sign (SHA256:" in (error.why or "")
    last = signed(repo, keys / "ana", "Again")
    assert git.fetch().commit == last, "what lies between was signed for by whoever signed the newest commit"
    assert git.resolve(unsigned).commit == unsigned, "anybody's commit can be looked at"
    with pytest.raises(SourceError, match="is not signed"):
        git.admitted(unsigned)
    assert git.admitted(good[:12]).commit == good


@pytest.mark.row("G12")
def test_a_signature_that_was_moved_to_another_content_is_none(repo: Repo, keys: Path, tmp_path: Path) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana", "eve"))
    text = repo.git("cat-file", "commit", signed(repo, keys / "ana", "Signed")) + "\n"
    changed = repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.replace("Signed", "Forged").encode())
    repo.git("update-ref", "refs/heads/main", changed)
    assert "does not fit" in (refused(git).why or "")


@pytest.mark.parametrize(
    ("words", "good"),
    [
        ('valid-before="20260102030507Z"', True),
        ('valid-before="20260102030505Z"', False),
        ('valid-after="20260102030505Z"', True),
        ('valid-after="20260102030507Z"', False),
        ('namespaces="git"', True),
        ('namespaces="file"', False),
    ],
)
@pytest.mark.row("G12")
def test_a_key_counts_for_the_time_and_the_purpose_that_its_line_tells(
    words: str, good: bool, repo: Repo, keys: Path, tmp_path: Path
) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana", words=words))
    commit = signed(repo, keys / "ana")
    assert repo.git("show", "-s", "--format=%cI", commit).startswith("2026-01-02T04:05:06")
    if good:
        assert git.fetch().commit == commit
    elif "valid" in words:
        assert "its key is out of date" in (refused(git).why or "")
    else:
        refused(git)


def test_a_key_that_is_taken_out_of_the_file_counts_no_more(repo: Repo, keys: Path, tmp_path: Path) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana", "eve"))
    commit = signed(repo, keys / "eve")
    assert git.fetch().commit == commit
    allowed(tmp_path, keys, "ana")
    refused(git)
    allowed(tmp_path, keys, "ana", "eve")
    assert git.fetch().commit == commit


def test_a_judgement_is_not_asked_for_again(repo: Repo, keys: Path, tmp_path: Path) -> None:
    git = source(repo, allowed(tmp_path, keys, "ana"))
    signed(repo, keys / "ana")
    git.fetch()
    for pack in (repo.path / ".git" / "objects").iterdir():
        pack.rename(tmp_path / pack.name)  # whoever asked git once more would fail
    assert git.fetch() == git.fetch()


@pytest.mark.row("G12")
def test_a_signed_tag_signs_its_commit_under_its_own_name_only(repo: Repo, keys: Path, tmp_path: Path) -> None:
    file = allowed(tmp_path, keys, "ana")
    commit = repo.commit()
    for name, key in (("v1", "ana"), ("v2", "eve")):
        repo.git("-c", "gpg.format=ssh", "-c", f"user.signingKey={keys / key}.pub", "tag", "-s", name, "-m", name)
    repo.git("tag", "-a", "v3", "-m", "not signed")
    repo.git("update-ref", "refs/tags/v4", repo.git("rev-parse", "v1"))
    assert source(repo, file, tag="v1").fetch().commit == commit
    refused(source(repo, file, tag="v2"))
    refused(source(repo, file, tag="v3"), "commit-unsigned")
    assert "another name" in (refused(source(repo, file, tag="v4")).why or "")
    refused(source(repo, file), "commit-unsigned")


def test_a_remote_repository_is_judged_in_its_mirror(repo: Repo, keys: Path, tmp_path: Path) -> None:
    commit = signed(repo, keys / "ana")
    signatures = Signatures(Signers(allowed(tmp_path, keys, "ana")))
    git = GitSource(
        Mirror(tmp_path / "cache", Remote(check_url(f"file://{repo.path}"))),
        Wanted(branch="main"),
        signatures=signatures,
    )
    assert git.fetch().commit == commit
    repo.commit(content="name: two\n")
    refused(git, "commit-unsigned")


@pytest.mark.parametrize("how", ["missing", "folder", "too big"])
def test_keys_that_cannot_be_read_admit_nothing(how: str, repo: Repo, keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "signers"
    if how == "folder":
        file.mkdir()
    elif how == "too big":
        file.write_bytes(b"#" * ((1 << 20) + 1))
    signed(repo, keys / "ana")
    error = refused(source(repo, file), "signers-unreadable")
    assert str(tmp_path) not in error.what


def test_the_users_own_trust_does_not_matter(
    repo: Repo, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings in the repository nor those of the user name anybody who may sign."""
    trusted = allowed(tmp_path, keys, "eve").rename(tmp_path / "mine")
    (tmp_path / ".gitconfig").write_text(f"[gpg.ssh]\n\tallowedSignersFile = {trusted}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    repo.git("config", "gpg.ssh.allowedSignersFile", str(trusted))
    signed(repo, keys / "eve")
    for program in ("gpg.program", "gpg.ssh.program", "gpg.openpgp.program", "gpg.x509.program"):
        repo.git("config", program, "/bin/true")
    refused(source(repo, allowed(tmp_path, keys, "ana")))


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key ring with the secret keys of ana and eve, whose public keys lie beside it."""
    home = tmp_path_factory.mktemp("g")  # a socket's path may have 100 letters
    home.chmod(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
    for name in ("ana", "eve"):
        run = [*gpg, "--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "sign", "never"]
        subprocess.run(run, check=True, capture_output=True)
        for armour in ([], ["--armor"]):
            words = [*gpg, *armour, "--export", f"{name}@example.com"]
            exported = subprocess.run(words, check=True, capture_output=True).stdout
            (home / f"{name}.{'asc' if armour else 'gpg'}").write_bytes(exported)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, capture_output=True)


def signed_by_gpg(repo: Repo, ring: Path, name: str) -> str:
    repo.write("manifests/one.yaml", f"name: {name}\n")
    repo.git("add", "-A")
    words = ["git", "-c", f"user.signingKey={name}@example.com", "commit", "-q", "-S", "-m", name]
    subprocess.run(words, cwd=repo.path, env={**ENVIRONMENT, "GNUPGHOME": str(ring)}, check=True, capture_output=True)
    return repo.git("rev-parse", "HEAD")


@needs_gpg
@pytest.mark.row("G12")
def test_keys_of_gpg_are_judged_alike(repo: Repo, keys: Path, ring: Path, tmp_path: Path) -> None:
    commit = signed_by_gpg(repo, ring, "ana")
    both = tmp_path / "both.asc"
    both.write_bytes((ring / "eve.asc").read_bytes() + b"\n" + (ring / "ana.asc").read_bytes())
    for file in (ring / "ana.gpg", ring / "ana.asc", both):
        assert source(repo, gpg=file).fetch().commit == commit
    assert "not among those that may sign" in (refused(source(repo, gpg=ring / "eve.asc")).why or "")
    assert "names no file of keys" in (refused(source(repo, allowed(tmp_path, keys, "ana"))).why or "")
    text = repo.git("cat-file", "commit", commit) + "\n"
    forged = repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.replace("\n\nana", "\n\neve").encode())
    repo.git("update-ref", "refs/heads/main", forged)
    assert "does not fit" in (refused(source(repo, gpg=both)).why or "")
    damaged = tmp_path / "damaged.asc"
    damaged.write_bytes((ring / "ana.asc").read_bytes().replace(b"\n\n", b"\n\n\xff!", 1))
    refused(source(repo, gpg=damaged), "signers-unreadable")


@needs_gpg
@pytest.mark.row("G12")
def test_a_key_of_gpg_that_is_out_of_date_signs_nothing(repo: Repo, ring: Path, tmp_path: Path) -> None:
    """Signed in time, by a key that has expired since."""
    then = tmp_path / "gpg-then"
    then.write_text('#!/bin/sh\nexec gpg --faked-system-time 20200101T120000 "$@"\n')
    then.chmod(0o700)
    words = ["--homedir", str(ring), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
    made = [str(then), *words, "--quick-gen-key", "old <old@example.com>", "ed25519", "sign", "1d"]
    subprocess.run(made, check=True, capture_output=True)
    file = tmp_path / "old.gpg"
    exported = ["gpg", *words, "--export", "old@example.com"]
    file.write_bytes(subprocess.run(exported, check=True, capture_output=True).stdout)
    repo.git("config", "gpg.program", str(then))
    signed_by_gpg(repo, ring, "old")
    assert "its key is out of date" in (refused(source(repo, gpg=file)).why or "")
