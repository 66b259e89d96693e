"""A server that goes away, refuses or is slow: one sentence, no traceback, and the store goes on by itself."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from sqlalchemy import text

from agent.errors import StoreError
from agent.store.status import read_status
from agent.store.store import Store
from tests import postgresql
from tests.system.proxy import Proxy
from tests.system.stage import until
from tests.unit.store.builders import HandClock, key, row


@pytest.mark.row("S7")
def test_a_session_that_the_server_ends_is_one_sentence_and_the_next_write_has_another(
    server_url: str, clock: HandClock, cluster: postgresql.Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(server_url, clock=clock)
    with caplog.at_level(logging.ERROR), pytest.raises(StoreError) as caught, store._write() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        cluster.execute(f"SELECT pg_terminate_backend({pid})")
        connection.execute(text("SELECT 1"))
    assert "\n" not in caught.value.what
    assert caplog.records == [], "the pool does not log what we tell"
    store.put_rows([row()])
    assert list(store.rows("analytics")) == [key()]
    store.close()


def test_the_index_of_open_intents_holds_only_those(server_url: str, clock: HandClock) -> None:
    store = Store.open(server_url, clock=clock)
    with store._write() as connection:
        asked = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'journal_open'")
        assert connection.execute(asked).scalar_one().endswith("WHERE (closed_at IS NULL)")
    store.close()


def test_a_transaction_that_stands_still_is_ended_so_that_others_go_on(server_url: str, clock: HandClock) -> None:
    store = Store.open(server_url, clock=clock)
    with store._write() as connection:
        bounds = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
        ]
    assert bounds == ["5s", "5s", "20s"]
    with store._read() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "0", "of the transaction, not the session"
    store.close()


def test_who_only_reads_a_database_without_tables_finds_an_empty_store(
    cluster: postgresql.Cluster, clock: HandClock
) -> None:
    cluster.execute("CREATE DATABASE without_tables")
    url = cluster.url("without_tables")
    store = Store.open(url, clock=clock, write=False)
    assert (store.rows("analytics"), store.status()) == ({}, {})
    store.close()
    assert read_status(url)["targets"] == {}
    assert not cluster.execute("SELECT 1 FROM pg_class WHERE relname = 'alembic_version'", "without_tables")
    cluster.execute("DROP DATABASE without_tables")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.replace("@127.0.0.1:", "@127.0.0.1:1"), "cannot be reached|failed"),
        (lambda url: url + "_absent", "does not exist"),
        (lambda url: url + "?options=-cdefault_transaction_read_only%3Don", "only reads"),
    ],
    ids=["nobody listens", "no such database", "a standby"],
)
@pytest.mark.row("S7")
def test_a_server_that_cannot_serve_is_told_in_its_own_sentence(
    server_url: str, clock: HandClock, change: object, words: str
) -> None:
    url = change(server_url.replace("keel@", "keel:hunter2@"))  # type: ignore[operator]
    with pytest.raises(StoreError, match=words) as caught:
        store = Store.open(url, clock=clock)
        store.put_rows([row()])
    assert "hunter2" not in f"{caught.value.what} {caught.value.got} {caught.value.why} {caught.value.fix}"


def test_two_programs_that_begin_on_an_empty_database_make_its_tables_once(
    cluster: postgresql.Cluster, clock: HandClock
) -> None:
    name = "begun_at_once"
    cluster.execute(f"DROP DATABASE IF EXISTS {name}")
    cluster.execute(f"CREATE DATABASE {name}")
    stores: list[Store] = []
    failed: list[BaseException] = []

    def begin() -> None:
        try:
            stores.append(Store.open(cluster.url(name), clock=clock))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({store.installation_key for store in stores}) == 1
    for store in stores:
        store.close()


def test_the_last_call_of_a_window_is_taken_by_one_of_many(server_url: str, clock: HandClock) -> None:
    """What each is told in its own transaction is all that the others have written before."""
    stores = [Store.open(server_url, clock=clock) for _ in range(4)]
    seen: list[int] = []

    def spend(store: Store) -> None:
        for _ in range(5):
            spent = store.spend("token", clock.now(), 1, 0)
            seen.append(sum(calls for _, calls in spent.rows))

    threads = [threading.Thread(target=spend, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(20)), "no two saw the same"
    for store in stores:
        store.close()


@pytest.mark.row("S7", "H3")
def test_a_server_that_takes_what_is_said_and_says_nothing_is_given_up_on(
    server_url: str, clock: HandClock, cluster: postgresql.Cluster
) -> None:
    """As behind a box that keeps connections and lost its way: no error of the network ever comes."""
    with Proxy("127.0.0.1", cluster.port) as proxy:
        store = Store.open(server_url.replace(f":{cluster.port}/", f":{proxy.port}/"), clock=clock)
        failed: list[BaseException] = []

        def write() -> None:
            try:
                with store._write() as connection:
                    driver: Any = connection.connection.driver_connection
                    driver.patience = 1.0
                    connection.execute(text("SELECT 1"))
                    proxy.stall()
                    connection.execute(text("SELECT 2"))
            except BaseException as error:
                failed.append(error)

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        writing.join(timeout=20.0)
        assert not writing.is_alive(), "it waits for ever"
        assert isinstance(failed[0], StoreError) and "did not answer" in failed[0].what
        with pytest.raises(StoreError, match="cannot be reached"):
            store.put_rows([row("late")])
        proxy.flow()
        until(lambda: is_back(store), "the server is tried again", 20.0)
        store.put_rows([row("after")])
        assert key("after") in store.rows("analytics")
        store.close()


def is_back(store: Store) -> bool:
    try:
        store.probe()
    except StoreError:
        return False
    return True
