"""The sample manifests and the demo's scripts: valid, complete, and each says what it says it does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.cli.samples import SCRIPT, Script, read_script, sample_folder, scripts
from agent.cli.sandbox_targets import config_text, sandbox_targets, variables
from agent.definitions.load import load_platform
from agent.errors import AgentError
from agent.sandbox.app import PLATFORMS

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "manifests"
SCRIPTS = scripts(SAMPLES)
FOLDERS = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
EMULATED = sorted(set(FOLDERS) & set(PLATFORMS))  # the others are real servers: tests/system/test_real_servers.py


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The samples with a target for each, as `datakeel sandbox --print-config` writes them."""
    shutil.copytree(SAMPLES, tmp_path / "manifests")
    targets = sandbox_targets(EMULATED, "http://127.0.0.1:9", SAMPLES)
    (tmp_path / "datakeel.yaml").write_text(config_text(targets, "any"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in variables(targets):
        monkeypatch.setenv(name, "any")
    return tmp_path


def validated(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict]:
    status = main(["validate", "-o", "json"])
    return status, json.loads(capsys.readouterr().out)


def change(folder: Path, script: Script, swap_name: str) -> None:
    swap = getattr(script, swap_name)
    path = folder / "manifests" / script.platform / swap.file
    text = path.read_text(encoding="utf-8")
    assert text.count(swap.before) == 1, f"{swap_name}: {swap.before!r} is not there once"
    path.write_text(text.replace(swap.before, swap.after), encoding="utf-8")


def test_samples_are_found_and_every_emulated_platform_has_some() -> None:
    assert sample_folder() == SAMPLES
    assert set(EMULATED) == set(PLATFORMS)


def test_every_platform_of_its_own_is_played() -> None:
    # The second face of a platform has a sample and no script: the demo would show the same state twice.
    assert set(EMULATED) - set(SCRIPTS) == {"dataos-poros"}


def test_every_sample_is_valid_without_a_warning(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = validated(capsys)
    assert found["problems"] == []
    assert status == 0
    assert found["manifests"] > 30


def test_every_sample_explains_itself() -> None:
    for path in SAMPLES.glob("*/*.yaml"):
        assert len(path.read_text(encoding="utf-8")) > 100, path
    for folder in FOLDERS:
        texts = [path.read_text(encoding="utf-8") for path in (SAMPLES / folder).glob("[!.]*.yaml")]
        assert any(line.startswith("#") for text in texts for line in text.splitlines()), f"{folder}: no comment"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_plays_on_its_own_samples(name: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = SCRIPTS[name]
    kind = script.watch.manifest.partition("/")[0]
    assert load_platform(name).kinds[kind].managed
    change(repository, script, "edit")
    (repository / "manifests" / name / script.removal.file).unlink()
    assert validated(capsys)[0] == 0, "an edit and a removal leave the rest valid"

    change(repository, script, "mistake")
    change(repository, script, "neighbour")
    status, found = validated(capsys)
    assert status == 3
    assert {each["path"] for each in found["problems"]} == {f"manifests/{name}/{script.mistake.file}"}
    assert script.mistake.file not in (script.edit.file, script.neighbour.file, script.removal.file)


@pytest.mark.parametrize(
    ("change_from", "change_to", "told"),
    [
        ("target:", "targets:", "`target` must be a mapping"),
        ("manifest:", "manifesto:", "`manifest` must be a text"),
        ("  file: old-load.yaml", "  file: 7", "`file` must be a text"),
        ("ends: held", "ends: perhaps", "`ends` is one of deleted, released, held"),
        ("value: visibility", 'value: "a["', "`value`: "),
        ("target:", "target: [", ""),
    ],
)
def test_a_script_that_is_wrong_is_told_with_its_name(
    tmp_path: Path, change_from: str, change_to: str, told: str
) -> None:
    text = (SAMPLES / "dataops-live" / SCRIPT).read_text(encoding="utf-8")
    assert change_from in text
    path = tmp_path / "acme" / SCRIPT
    path.parent.mkdir()
    path.write_text(text.replace(change_from, change_to), encoding="utf-8")
    with pytest.raises(AgentError) as caught:
        read_script(path)
    assert caught.value.what.startswith(f"acme/{SCRIPT}: {told}")
