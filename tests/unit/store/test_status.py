from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.model.outcome import Result
from agent.store import status
from agent.store.location import HEAD
from agent.store.store import Store
from tests.unit.store.builders import STATUS, HandClock, outcome, report, url_of


def test_status_and_history_load_no_database_toolkit_and_no_event_loop() -> None:
    code = "import sys; import agent.store.status; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sqlite3" in loaded
    assert not {"sqlalchemy", "alembic", "asyncio", "orjson", "agent.store.store"} & set(loaded)


def test_the_package_gives_the_store_on_first_use() -> None:
    import agent.store

    assert agent.store.Store is Store
    with pytest.raises(AttributeError):
        agent.store.Shop  # noqa: B018


def test_a_store_that_is_not_there_yet_reads_as_empty_and_is_not_made(tmp_path: Path) -> None:
    url = url_of(tmp_path / "absent" / "state.db")

    assert status.read_status(url) == {"exists": False, "targets": {}, "suspended": [], "config_refused": None}
    assert status.recent_passes(url) == status.recent_events(url, "Workflow", "daily-etl") == []
    assert status.read_pass(url, "1") is None
    assert list(tmp_path.iterdir()) == []


def test_the_lean_reader_and_the_store_tell_the_same_while_the_agent_runs(store: Store, path: Path) -> None:
    store.remember_target("never-passed", {"a": 1})
    store.finish(report("p-1", outcome(Result.DONE)), {"a": 1}, STATUS)
    store.finish(report("p-2"), {}, STATUS)
    store.finish(report("p-3", outcome(Result.NOT_DONE), target="sales", finished_at=99.0), {}, STATUS)
    url = url_of(path)

    assert status.read_status(url) == {
        "exists": True,
        "targets": store.status(),
        "suspended": [],
        "config_refused": None,
    }
    assert list(store.status()) == ["analytics", "sales"]
    assert status.recent_passes(url) == store.passes()
    assert status.recent_passes(url, limit=1, target="sales", since=50.0) == store.passes(target="sales")
    assert status.recent_events(url, "Workflow", "daily-etl") == store.events_of("Workflow", "daily-etl")
    assert status.read_pass(url, "p-1") == status.read_pass(url, "1") == {"a": 1}


def test_reading_does_not_change_a_closed_store(path: Path) -> None:
    store = Store.open(url_of(path), clock=HandClock())
    store.finish(report("p-1"), {}, STATUS)
    store.close()
    before = path.read_bytes()

    assert status.read_status(url_of(path))["targets"]["analytics"]["status"] == STATUS

    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database at all, is it", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_file_that_is_no_store_is_one_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.db"):
        status.read_status(url_of(path))


def test_another_version_is_told_with_both_numbers(path: Path) -> None:
    store = Store.open(url_of(path), clock=HandClock())
    with store._write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match=f"version 9999, this program reads version {HEAD}"):
        status.read_status(url_of(path))
