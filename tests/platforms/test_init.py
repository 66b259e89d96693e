"""What `init` begins with lives on every emulator: it differs, it is applied, and then nothing differs any more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from agent.cli.main import main
from agent.cli.verbs.sandbox import emulated
from tests.platforms.sandbox_process import TOKEN, SandboxProcess, sandbox_process


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with sandbox_process(emulated(), limits=False) as running:
        yield running


@pytest.mark.parametrize("platform", emulated())
def test_the_first_manifests_are_applied_and_then_nothing_differs(
    platform: str,
    sandbox: SandboxProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def datakeel(*words: str) -> str:
        capsys.readouterr()
        status = main(list(words))
        out, err = capsys.readouterr()
        assert status == 0, f"{words}: {status}\n{out}{err}"
        return out

    monkeypatch.chdir(tmp_path)
    datakeel("init", "--platform", platform, "--server", "sandbox", "--ci", "github", "--hook", "pre-commit")
    (target,) = yaml.safe_load((tmp_path / "datakeel.yaml").read_text())["targets"].values()
    for reference in target["credentials"].values():
        monkeypatch.setenv(reference["env"], TOKEN)
    server = f"DATAKEEL_TARGETS__{platform.upper().replace('-', '_')}__SERVER"
    monkeypatch.setenv(server, f"{sandbox.address}/{platform}")
    count = len([file for file in (tmp_path / target["folder"]).rglob("*.yaml") if file.name != ".demo.yaml"])
    assert count >= 1
    datakeel("validate")
    assert "digest " in datakeel("diff")
    commit(tmp_path)
    datakeel("apply", "--yes", "-q")
    assert "in sync with worktree" in datakeel("diff")


def commit(folder: Path) -> None:
    author = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for words in (["add", "-A"], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True, env={"PATH": os.environ["PATH"], "HOME": str(folder)})
