"""Real repositories, made by the real git, for the tests of ``agent.source``."""

import os
import subprocess
from pathlib import Path

import pytest

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ana Author",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+0100",
    "GIT_COMMITTER_NAME": "Cem Committer",
    "GIT_COMMITTER_EMAIL": "cem@example.com",
    "GIT_COMMITTER_DATE": "2026-01-02T04:05:06+0100",
}


class Repo:
    """A repository on disk and the commands to change it."""

    def __init__(self, path: Path, *words: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *words)

    def git(self, *words: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", *words], cwd=self.path, env=ENVIRONMENT, input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="replace").strip()

    def write(self, path: str, content: str | bytes = "name: one\n") -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def commit(
        self, path: str = "manifests/one.yaml", content: str | bytes = "name: one\n", message: str = "Add"
    ) -> str:
        self.write(path, content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def blob(self, content: bytes = b"name: x\n") -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def tree(self, *entries: tuple[str, str, bytes | str]) -> str:
        """The id of a tree object with exactly these (mode, id, name), however unsafe: no command checks it."""
        raw = b""
        for mode, id_, name in entries:
            raw += (
                mode.encode() + b" " + (name if isinstance(name, bytes) else name.encode()) + b"\0" + bytes.fromhex(id_)
            )
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)

    def commit_tree(self, tree: str, branch: str = "main") -> str:
        commit = self.git("commit-tree", tree, "-m", "Made by hand")
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def commit_manifests(self, *entries: tuple[str, str, bytes | str]) -> str:
        return self.commit_tree(self.tree(("40000", self.tree(*entries), "manifests")))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")
