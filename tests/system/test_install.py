"""What an installation gets: a wheel with its definitions and samples that works without a checkout beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.sandbox.app import PLATFORMS

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "README.md", "agent", "schemas", "manifests")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs a checkout to build from"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of the working folder is changed and nothing ignored by git gets in."""
    folder = tmp_path_factory.mktemp("build")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / "tree" / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            (folder / "tree").mkdir(exist_ok=True)
            shutil.copy(source, folder / "tree" / part)
    words = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder / "wheels")]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words, str(folder / "tree")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "wheels").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(installed: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python with the unpacked wheel and no checkout in reach."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAKEEL_")}
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env=environment | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_carries_definitions_and_samples_unchanged(installed: Path) -> None:
    assert files(installed / "agent" / "schemas") == files(ROOT / "schemas")
    assert files(installed / "agent" / "sample") == files(ROOT / "manifests")
    assert "dataos/platform.yaml" in files(installed / "agent" / "schemas")


def test_the_wheel_holds_the_package_and_nothing_else(installed: Path) -> None:
    tops = {path.name for path in installed.iterdir()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"agent"}
    assert not [name for name in files(installed) if name.endswith((".pyc", ".db")) or "__pycache__" in name]
    entry = next(installed.glob("*.dist-info/entry_points.txt")).read_text()
    assert "datakeel = agent.__main__:main" in entry


def test_the_command_tells_the_version_of_the_wheel(installed: Path, wheel: Path, tmp_path: Path) -> None:
    done = python(installed, tmp_path, "-m", "agent", "version")
    assert done.returncode == 0, done.stderr
    assert wheel.name.split("-")[1] in done.stdout
    assert done.stderr == ""


def test_every_definition_loads_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    program = """
import agent
from agent.definitions.load import available, bundled_schemas, load_platform
print(agent.__file__)
print(bundled_schemas())
for name in sorted(available()):
    print(name, len(load_platform(name).kinds))
"""
    done = python(installed, tmp_path, "-c", program)
    assert done.returncode == 0, done.stderr
    module, schemas, *platforms = done.stdout.splitlines()
    assert Path(module).is_relative_to(installed)
    assert Path(schemas) == installed / "agent" / "schemas"
    kinds = dict(line.split(" ") for line in platforms)
    assert int(kinds["dataos/v1"]) > 20
    assert not (installed / "schemas").exists()


def test_the_samples_are_valid_against_the_installed_definitions(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(installed / "agent" / "sample", tmp_path / "manifests")
    printed = python(installed, tmp_path, "-m", "agent", "sandbox", "--print-config")
    assert printed.returncode == 0, printed.stderr
    assert all(f"folder: manifests/{name}\n" in printed.stdout for name in PLATFORMS)
    assert all((tmp_path / "manifests" / name).is_dir() for name in PLATFORMS)
    (tmp_path / "datakeel.yaml").write_text(printed.stdout)
    done = python(installed, tmp_path, "-m", "agent", "validate")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_demo_plays_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = python(installed, tmp_path, "-m", "agent", "demo", "--fast", "--platform", "dataloop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5/5  broken commit" in done.stdout


def test_the_command_of_the_wheel_has_the_modes_of_a_checkout(installed: Path, tmp_path: Path) -> None:
    ours = python(installed, tmp_path, "-m", "agent", "--help")
    theirs = python(ROOT, tmp_path, "-m", "agent", "--help")
    assert ours.returncode == theirs.returncode == 0
    assert ours.stdout == theirs.stdout
