"""The memory of checked files, as `validate` and `render` have it: a help where it is, never a condition."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.cli.reading import cache_of
from agent.clock import SystemClock
from agent.config import load_config
from agent.config.model import Config
from agent.errors import SourceError
from agent.store.store import Store

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
state: state.db
targets:
  main: {platform: dataos, server: 'http://127.0.0.1:1', folder: manifests}
"""
BROKEN = "name: a\ntype: secret\nversion: v1\nsecrt: {}\n"


def _made(path: Path) -> None:
    Store.open(f"sqlite:///{path}", clock=SystemClock()).close()


def _newer(path: Path) -> None:
    _made(path)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()


def _damaged(path: Path) -> None:
    _made(path)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)


def _of_others(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE guests (name TEXT)")
    raw.close()


# What stands where the store is expected, and whether it can be a memory.
PLACES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "missing": (lambda path: None, False),
    "sound": (_made, True),
    "newer": (_newer, False),
    "damaged": (_damaged, False),
    "empty": (Path.touch, False),
    "not a database": (lambda path: path.write_text("apiVersion: datakeel/v1\n" * 9), False),
    "of another program": (_of_others, False),
    "a folder": (Path.mkdir, False),
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datakeel.yaml").write_text(CONFIG)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text(BROKEN)
    _git("init", "-q", "-b", "main")
    _git("add", "datakeel.yaml", "manifests")
    _git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "first")
    return load_config(tmp_path / "datakeel.yaml", environ={}, cwd=tmp_path)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def _open_files(path: Path) -> list[str]:
    gc.collect()  # a connection that broke while it was made belongs to its exception
    found = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_link(name)]
    return [name for name in found if name.startswith(str(path))]


def _is_link(name: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{name}")


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_memory_changes_no_verdict_and_is_left_as_it_is(
    place: str, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config.path.with_name("state.db")
    make, is_memory = PLACES[place]
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for words in (["validate"], ["render", "--revision", "main"]):
        assert main(words) == 3
        told = capsys.readouterr()
        assert "manifests/a.yaml:4:1: error[unknown-key]" in told.out + told.err
        assert "state" not in told.err
    with cache_of(config) as store:
        assert (store is not None) is is_memory
    if not is_memory:
        assert (path.read_bytes() if path.is_file() else None) == before
        assert path.exists() is (place != "missing")


@pytest.mark.parametrize("place", ["missing", "sound", "newer", "damaged"])
def test_an_error_within_is_told_as_it_is_and_leaves_no_store_open(place: str, config: Config) -> None:
    path = config.path.with_name("state.db")
    make, is_memory = PLACES[place]
    make(path)
    fault = SourceError("the repository is not there")
    with pytest.raises(SourceError) as caught, cache_of(config) as store:
        assert bool(_open_files(path)) is is_memory
        assert store is None or store.checked("any", ["1"]) == {}
        raise fault
    assert caught.value is fault
    assert caught.value.__context__ is None  # a store that could not be opened is not what went wrong
    assert _open_files(path) == []


@pytest.mark.parametrize("place", ["sound", "damaged"])
def test_a_lost_object_of_git_is_told_and_not_the_store(
    place: str, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config.path.with_name("state.db")
    PLACES[place][0](path)
    blob = _git("rev-parse", "main:manifests/a.yaml")
    (config.path.parent / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert main(["validate", "--revision", "main"]) == 1
    told = capsys.readouterr()
    assert told.err.startswith("datakeel: error[git-corrupt]: blob ")
    assert "state" not in told.err
    assert told.err.count("error[") == 1
    assert _open_files(path) == []
