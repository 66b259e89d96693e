"""The board of a target: its day as marks, and what its last whole pass left; written only when it is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model.outcome import Result
from agent.store.day import MARKS, SECONDS, day_after, marks_at
from agent.store.store import Store
from tests.unit.store.builders import STATUS, HandClock, outcome, report, url_of

NOON = 1_700_000_000.0


def test_a_mark_tells_the_worst_of_its_ten_minutes() -> None:
    day = None
    for result in ("unchanged", "applied", "unchanged", "failed", "held"):
        day = day_after(day, NOON, result)
    assert marks_at(day, NOON) == "." * (MARKS - 1) + "f"
    day = day_after(day, NOON + SECONDS, "unchanged")
    assert marks_at(day, NOON + SECONDS).endswith(".f-")


@pytest.mark.parametrize(("later", "ends"), [(0, "f"), (3, "f..."), (MARKS - 1, "."), (MARKS, "."), (9 * MARKS, ".")])
def test_time_without_an_agent_is_a_gap(later: int, ends: str) -> None:
    marks = marks_at(day_after(None, NOON, "failed"), NOON + later * SECONDS)
    assert len(marks) == MARKS and marks.endswith(ends)
    assert ("f" in marks) == (later < MARKS)


def test_a_clock_that_goes_back_loses_no_mark() -> None:
    day = day_after(day_after(None, NOON, "failed"), NOON - 5 * SECONDS, "unchanged")
    assert "f" in marks_at(day, NOON)


def test_what_waits_is_kept_until_another_whole_pass_says_otherwise(tmp_path: Path) -> None:
    store = Store.open(url_of(tmp_path / "state.db"), clock=HandClock())
    done = outcome(Result.DONE)
    store.finish(report("one", done), {}, STATUS, waiting={"changes": [{"state": "held"}]})
    store.finish(report("two", done), {}, STATUS)
    kept = store.boards()["analytics"]
    assert kept["waiting"] == {"changes": [{"state": "held"}]}
    store.finish(report("three", done), {}, STATUS, waiting={"changes": []})
    assert store.boards()["analytics"]["waiting"] == {"changes": []}
    store.close()


def test_an_idle_agent_writes_its_board_every_ten_minutes(tmp_path: Path) -> None:
    store = Store.open(url_of(tmp_path / "state.db"), clock=HandClock())
    seen = set()
    for second in range(0, 1800, 60):
        store.finish(report(f"pass-{second}", finished_at=NOON + second), {}, STATUS, waiting={"changes": []})
        seen.add(str(store.boards()["analytics"]["day"]))
    assert len(seen) == 4
    store.close()
