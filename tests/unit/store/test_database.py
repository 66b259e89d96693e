from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.store import Store
from tests.unit.store.builders import STATUS, HandClock, intent, key, report, row, url_of


def _refusal(path: Path, *, write: bool = True) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(url_of(path), clock=HandClock(), write=write)
    assert caught.value.what.count("\n") == 0
    return caught.value.what


def _as_nobody(action: Callable[[], None]) -> int:
    """Run ``action`` in a child that has no rights of root; 0 when it returned."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            action()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that a child without rights can reach."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o755)
    return tmp_path


def test_the_installation_key_is_made_once_and_kept(path: Path) -> None:
    first = Store.open(url_of(path), clock=HandClock(), random_bytes=lambda count: b"k" * count)
    first.close()
    second = Store.open(url_of(path), clock=HandClock())
    assert first.installation_key == second.installation_key == b"k" * 32
    assert "kkkk" not in repr(second)
    second.close()


def test_pragmas_are_those_of_the_fault_model(store: Store, path: Path) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "busy_timeout": 5000,
    }
    for pragma, value in wanted.items():
        assert store.query(f"PRAGMA {pragma}", {}) == [(value,)]
    store.spend("token", 1.0, 1)
    assert store.query("PRAGMA synchronous", {}) == [(2,)]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "folder" in _refusal(tmp_path / "absent" / "state.db")
    assert not (tmp_path / "absent").exists()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"some notes of mine, longer than a header")
    assert "not a SQLite database" in _refusal(path)
    assert "not a SQLite database" in _refusal(path, write=False)
    assert path.read_bytes() == b"some notes of mine, longer than a header"


def test_zero_bytes_are_a_lost_store_not_a_new_one(path: Path) -> None:
    path.touch()
    assert "zero bytes" in _refusal(path)
    assert path.read_bytes() == b""


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "not a regular file" in _refusal(tmp_path)


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE notes (text)")
    raw.close()
    assert "not a datakeel state store" in _refusal(path)


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/d", "postgresql+nope://u:hunter2@h/d", "hunter2", "sqlite:relative.db", "x://["]
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(url, clock=HandClock())
    assert "hunter2" not in f"{caught.value.what} {caught.value.got} {caught.value.why} {caught.value.fix}"


def test_a_damaged_file_is_refused_with_the_way_out(path: Path) -> None:
    Store.open(url_of(path), clock=HandClock()).close()
    content = bytearray(path.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    path.write_bytes(content)
    assert "damaged" in _refusal(path)


def test_a_read_only_place_is_refused_for_writing_and_fine_for_reading(open_folder: Path) -> None:
    path = open_folder / "state.db"
    store = Store.open(url_of(path), clock=HandClock())
    store.put_rows([row()])
    store.close()
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def try_both() -> None:
        assert "read-only" in _refusal(path)
        assert "read-only" in _refusal(open_folder / "new.db")
        reader = Store.open(url_of(path), clock=HandClock(), write=False)
        assert reader.rows("analytics") == {key(): row()}
        reader.spend("token", 1.0, 1)
        reader.put_checked("context", {})
        reader.close()

    assert _as_nobody(try_both) == 0
    open_folder.chmod(0o755)


def test_reading_without_a_file_is_an_empty_store_and_makes_nothing(tmp_path: Path) -> None:
    store = Store.open(url_of(tmp_path / "absent" / "state.db"), clock=HandClock(), write=False)

    assert store.rows("analytics") == {}
    assert store.passes() == []
    store.spend("token", 1.0, 2)
    assert store.spent("token", 0.0).rows == [(1.0, 2)]
    assert len(store.installation_key) == 32
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_reading_refuses_every_write_but_the_courtesies(store: Store, path: Path, clock: HandClock) -> None:
    reader = Store.open(url_of(path), clock=clock, write=False)
    for write in (
        lambda: reader.put_rows([row()]),
        lambda: reader.forget(key(), tombstone=True),
        lambda: reader.open_intent(intent(), None, None),
        lambda: reader.close_intent("op-1", "done"),
        lambda: reader.remember_target("analytics", {}),
        lambda: reader.finish(report("p"), {}, STATUS),
        reader.compact,
    ):
        with pytest.raises(StoreError, match="opened for reading"):
            write()
    reader.spend("token", 1.0, 2)
    reader.close()

    assert store.spent("token", 0.0).rows == [(1.0, 2)]
    assert store.rows("analytics") == {}


def test_a_reader_sees_commits_of_a_running_agent_and_never_half_of_one(
    store: Store, path: Path, clock: HandClock
) -> None:
    reader = Store.open(url_of(path), clock=clock, write=False)
    with store._write() as connection:
        connection.exec_driver_sql("INSERT INTO tombstone VALUES ('analytics', 'Workflow', '[]', 'half', 1e12)")
        assert reader.tombstones("analytics") == {}
    assert [found.name for found in reader.tombstones("analytics")] == ["half"]
    assert reader.installation_key == store.installation_key
    reader.close()


def test_a_courtesy_that_finds_the_store_busy_is_dropped(store: Store, path: Path, clock: HandClock) -> None:
    reader = Store.open(url_of(path), clock=clock, write=False)
    reader.query("PRAGMA busy_timeout=1", {})
    with store._write():
        reader.spend("token", 1.0, 2)
    reader.close()

    assert store.spent("token", 0.0).rows == []


@pytest.mark.row("S1")
def test_a_store_that_stays_busy_is_an_error_of_one_sentence(store: Store, path: Path, clock: HandClock) -> None:
    second = Store.open(url_of(path), clock=clock)
    second.query("PRAGMA busy_timeout=1", {})
    with store._write(), pytest.raises(StoreError, match="stayed locked by another program"):
        second.put_rows([row()])
    second.close()


def test_threads_take_turns_in_writing(store: Store) -> None:
    def spend(number: int) -> None:
        for at in range(25):
            store.spend(f"token-{number}", float(at), 1)

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(store.spent(f"token-{number}", 0.0).rows) for number in range(4)] == [25] * 4


@pytest.mark.row("S2")
def test_a_full_disk_is_told_and_the_store_goes_on_when_there_is_room(store: Store, path: Path) -> None:
    store.query("PRAGMA max_page_count=1", {})
    with pytest.raises(StoreError, match="disk is full"):
        store.put_rows([row(f"etl-{number}") for number in range(500)])
    assert store.rows("analytics") == {}

    store.query("PRAGMA max_page_count=100000", {})
    store.put_rows([row()])
    assert store.rows("analytics") == {key(): row()}


@pytest.mark.row("S3")
def test_after_an_error_of_the_disk_the_pages_are_verified_before_the_next_write(path: Path) -> None:
    """A real failing ``write``: the kernel refuses to let the file grow."""
    import resource

    store = Store.open(url_of(path), clock=HandClock())
    store.put_rows([row()])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))
    try:
        with pytest.raises(StoreError, match="input or output error"):
            store.put_rows([row(f"etl-{number}") for number in range(2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    store.put_rows([row("after")])
    assert set(store.rows("analytics")) == {key(), key("after")}
    store.close()


def test_target_memory_comes_back_and_unheard_of_targets_have_none(store: Store) -> None:
    store.remember_target("analytics", {"admitted": "f" * 40, "counts": [1, 2]})
    store.remember_target("analytics", {"admitted": "e" * 40})
    store.finish(report("p"), {}, STATUS)

    assert store.target_memory("analytics") == {"admitted": "e" * 40}
    assert store.target_memory("sales") == {}


def test_programs_that_probe_one_store_at_a_time_do_not_stand_in_each_others_way(
    store: Store, url: str, clock: HandClock
) -> None:
    other = Store.open(url, clock=clock)
    store.probe()  # the row is there
    failed: list[StoreError] = []

    def probes(one: Store) -> None:
        try:
            for _ in range(20):
                one.probe()
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=probes, args=(one,)) for one in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failed == []


def test_a_store_that_cannot_be_written_does_not_pass_its_probe(path: Path, store: Store) -> None:
    reader = Store.open(url_of(path), clock=HandClock(), write=False)
    with pytest.raises(StoreError):
        reader.probe()
    reader.close()


def test_no_parameter_of_a_failed_statement_is_in_the_error(store: Store) -> None:
    store.open_intent(intent("canary-4711"), None, None)
    with pytest.raises(StoreError) as caught:
        store.open_intent(intent("canary-4711"), None, None)
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary-4711" not in str(error)
        error = error.__cause__ or error.__context__
