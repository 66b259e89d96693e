"""Which object is meant when git cannot tell: one that is named in full is asked for all the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.cli import asking
from agent.cli.options import Options
from agent.clock import SystemClock
from agent.errors import SourceError, UsageError
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.outcome import Result
from agent.store.store import Store
from tests.unit.cli.test_asking import asked, logged, never, plant


def without_commits(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=repository, check=True)


async def test_a_repository_without_a_commit_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        without_commits(tmp_path / "repo")
        assert await logged(config, "Machine/saw", tail=1) == ["cut 2"]  # the default hall is as good as ever
        assert len(await asking.fetch_series(config, Options(), asked("Machine/north/saw"), "heat")) == 2
        answer = await asking.run_action(config, Options(), asked("Machine/saw"), "start", confirm=never)
        assert answer.result is Result.DONE and len(mill.seen) == 2


async def test_a_repository_that_cannot_be_read_leaves_what_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, monkeypatch) as (mill, config):
        shutil.rmtree(tmp_path / "repo" / ".git")
        for words in ({"text": "Machine/north/saw"}, {"text": "Machine/saw", "where": ("hall=north",)}):
            named: Any = asked(words.pop("text"), **words)
            answer = await asking.run_action(config, Options(), named, "start", confirm=never)
            assert answer.key.path == "Machine/north/saw"
        # Git may name a machine of another hall: a default does not choose for it.
        with pytest.raises(SourceError, match="no git repository") as caught:
            await asking.run_action(config, Options(), asked("Machine/saw"), "start", confirm=never)
        assert caught.value.error_code == "source-missing"
        assert (caught.value.fix or "").startswith("name it in full: Machine/north/saw; or make one")
        with pytest.raises(UsageError, match="too many names"):
            await logged(config, "Machine/a/b/saw")
        assert len(mill.seen) == 2


async def test_what_the_inventory_knows_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with plant(tmp_path, monkeypatch) as (_, config):
        key = Key("plant", "Machine", (("hall", "north"),), "saw")
        store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=SystemClock(), write=True)
        store.lock()
        store.put_rows([InventoryRow(key=key, uid="u", server_id="m1")])
        store.close()
        shutil.rmtree(tmp_path / "repo" / ".git")
        assert await logged(config, "Machine/saw", tail=1) == ["cut 2"]
