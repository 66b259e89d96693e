"""What an examination found out is kept, the newest in the place of the one before."""

from __future__ import annotations

from pathlib import Path

from agent.store import Store
from tests.unit.store.builders import HandClock, url_of


def test_the_newest_is_kept_with_its_moment(tmp_path: Path) -> None:
    clock = HandClock()
    store = Store.open(url_of(tmp_path / "state.db"), clock=clock)
    assert store.examined("shop") is None
    store.keep_examined("shop", {"lists": {"Workflow": {"etag": "none"}}})
    clock.time += 60
    store.keep_examined("shop", {"lists": {"Workflow": {"etag": "honoured"}}})
    assert store.examined("shop") == (clock.now(), {"lists": {"Workflow": {"etag": "honoured"}}})
    assert store.examined("sales") is None
    with store._write() as connection:
        connection.exec_driver_sql("UPDATE examined SET body = 'not JSON'")
    assert store.examined("shop") is None
    store.close()
