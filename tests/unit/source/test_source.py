import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.config.model import Signers
from agent.errors import ConfigError, SourceError
from agent.secrets import Reference
from agent.source import Source, WorkTree, open_source, open_wakeups
from tests.unit.source.conftest import Repo


@dataclass(frozen=True)
class Settings:
    url: str | None = None
    path: Path | None = None
    mount: Path | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    credentials: Mapping[str, Reference] = field(default_factory=dict)
    known_hosts: Path | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    allow_http: bool = False
    signers: Signers | None = None


def test_a_path_and_a_url_give_the_same_files(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit()
    local: Source = open_source(Settings(path=repo.path, branch="main"), tmp_path / "cache")
    remote: Source = open_source(Settings(url=f"file://{repo.path}", branch="main"), tmp_path / "cache")
    work: Source = WorkTree(repo.path)
    assert local.fetch() == remote.fetch()
    assert local.fetch().commit == commit
    trees = [source.tree(source.fetch(), "manifests") for source in (local, remote, work)]
    assert trees[0] == trees[1] == trees[2]
    for source in (local, remote, work):
        source.close()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(url="ext::sh -c id"),
        Settings(url="http://git.example.com/a"),
        Settings(path=Path("/nowhere"), branch="--output=x"),
        Settings(path=Path("/nowhere"), tag="a..b"),
        Settings(path=Path("/nowhere"), commit="abc1234"),
        Settings(url="https://git.example.com/a", credentials={"tokn": Reference("env", "X")}),
    ],
)
def test_a_wrong_address_or_ref_is_a_fault_of_the_configuration(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        open_source(settings, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_credentials_are_read_when_they_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = {"token": Reference("env", "DATAKEEL_TEST_TOKEN")}
    source = open_source(
        Settings(url="http://127.0.0.1:9/a", allow_http=True, credentials=credentials), tmp_path / "cache"
    )
    with pytest.raises(ConfigError):
        source.fetch()
    monkeypatch.setenv("DATAKEEL_TEST_TOKEN", "sesame-4711")
    with pytest.raises(SourceError) as caught:
        source.fetch()
    assert caught.value.error_code == "source-unreachable"


async def test_wakeups_follow_the_configured_branch_of_a_path(repo: Repo) -> None:
    commit = repo.commit()
    wakeups = open_wakeups(Settings(path=repo.path, branch="live"))
    await wakeups.start()
    repo.git("update-ref", "refs/heads/live", commit)
    assert await asyncio.wait_for(wakeups.wait(30), 5) == "git"
    wakeups.close()


async def test_a_url_can_only_be_polled_or_poked() -> None:
    wakeups = open_wakeups(Settings(url="https://git.example.com/a"))
    assert await wakeups.wait(0.01) == "poll"
    assert not wakeups.watching
    wakeups.poke("webhook")
    assert await wakeups.wait(30) == "webhook"
