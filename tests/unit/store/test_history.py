from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import Problem, Where
from agent.model.change import Action, Cause, Change, FieldChange, FieldOp
from agent.model.outcome import Outcome, Report, Result
from agent.store.history import result_word
from agent.store.store import Store
from tests.unit.store.builders import STATUS, HandClock, key, outcome, report

_WRONG = Problem("invalid-manifest", "no", Where("a.yaml"))


@pytest.mark.parametrize(
    ("finished", "word"),
    [
        (report("p"), "unchanged"),
        (report("p", outcome(Result.HELD)), "held"),
        (report("p", outcome(Result.HELD), problems=(_WRONG,)), "invalid"),
        (report("p", outcome(Result.DONE), problems=(_WRONG,)), "applied"),
        (report("p", outcome(Result.DONE), outcome(Result.UNKNOWN)), "partly applied"),
        (report("p", outcome(Result.NOT_DONE)), "failed"),
        (report("p", error="the platform is away", error_code="api-unreachable"), "failed"),
    ],
)
def test_the_result_of_a_pass_is_one_word(finished: Report, word: str) -> None:
    assert result_word(finished) == word


def test_a_pass_that_did_something_is_kept_with_its_counts_and_document(store: Store) -> None:
    done = report("p-1", outcome(Result.DONE), outcome(Result.NOT_DONE, "b"), outcome(Result.SKIPPED, "c"))

    assert store.finish(done, {"format": "datakeel.report/1", "n": 1}, STATUS)

    (kept,) = store.passes()
    assert kept.counts == {"done": {"update": 1}, "not_done": 1, "skipped": 1}
    assert (kept.number, kept.pass_id, kept.result, kept.calls) == (1, "p-1", "partly applied", 3)
    assert (kept.revision, kept.ref, kept.author, kept.finished_at) == ("f" * 40, "main", "ann", 12.5)
    assert store.pass_document("p-1") == store.pass_document("1") == {"format": "datakeel.report/1", "n": 1}
    assert store.pass_document("2") is None
    assert store.pass_document("9" * 30) is None


def test_what_was_done_to_a_resource_is_told_newest_first_without_sensitive_values(store: Store) -> None:
    store.finish(report("p-1", outcome(Result.DONE, action=Action.CREATE)), {}, STATUS)
    store.finish(
        report("p-2", outcome(Result.DONE, "other"), outcome(Result.NOT_DONE), outcome(Result.HELD)), {}, STATUS
    )

    events = store.events_of("Workflow", "daily-etl")

    assert [(event.pass_id, event.action, event.outcome) for event in events] == [
        ("p-2", "update", "not_done"),
        ("p-1", "create", "done"),
    ]
    cron, password = events[0].fields
    assert cron == {
        "path": "workflow.schedule.cron", "op": "change", "cause": "git", "before": "1 * * * *", "after": "2 * * * *"
    }  # fmt: skip
    assert password == {"path": "password", "op": "change", "cause": "secret", "sensitive": True}
    assert events[1].fields == ()
    assert events[0].scope == (("workspace", "sales"),)
    assert store.events_of("Workflow", "unheard-of") == []


def test_a_sensitive_leaf_never_reaches_the_file_even_when_it_is_handed_in(store: Store, path: Path) -> None:
    leaf = FieldChange("password", "/password", FieldOp.CHANGE, Cause.GIT, "canary-4711", "canary-4712", sensitive=True)
    change = Change(key(), Action.UPDATE, fields=(leaf,))
    store.finish(report("p-1", Outcome(change, Result.DONE)), {}, STATUS)

    assert b"canary" not in path.read_bytes() + path.with_name("state.db-wal").read_bytes()


def test_long_values_and_long_lists_of_fields_are_cut(store: Store) -> None:
    leaves = [FieldChange(f"f{n}", f"/f{n}", FieldOp.ADD, Cause.GIT, after="x" * (190 + n)) for n in range(51)]
    change = Change(key(), Action.UPDATE, fields=tuple(leaves))
    store.finish(report("p-1", Outcome(change, Result.DONE)), {}, STATUS)

    fields = store.events_of("Workflow", "daily-etl")[0].fields
    assert len(fields) == 50
    assert fields[8]["after"] == "x" * 198
    assert fields[9]["after"] == '"' + "x" * 199 + "…"


def test_quiet_passes_are_counted_and_leave_no_history(store: Store) -> None:
    store.finish(report("p-1", outcome(Result.DONE)), {}, STATUS)
    for number in range(3):
        assert not store.finish(report(f"q-{number}", finished_at=20.0 + number), {}, {"in_sync": number})

    assert [kept.pass_id for kept in store.passes()] == ["p-1"]
    assert store.status()["analytics"] == {
        "status": {"in_sync": 2},
        "last_pass": {"id": "q-2", "at": 22.0, "result": "unchanged", "calls": 3, "quiet": 3},
    }


def test_the_same_trouble_pass_after_pass_is_one_row_of_history(store: Store) -> None:
    away = {"error": "the platform is away", "error_code": "api-unreachable"}
    kept = [
        store.finish(report("1", **away), {}, STATUS),
        store.finish(report("2", **away), {}, STATUS),
        store.finish(report("3"), {}, STATUS),
        store.finish(report("4", **away), {}, STATUS),
        store.finish(report("5", error="no", error_code="api-unauthorized"), {}, STATUS),
        store.finish(report("6", outcome(Result.HELD)), {}, STATUS),
        store.finish(report("7", outcome(Result.HELD)), {}, STATUS),
    ]

    assert kept == [True, False, False, False, True, True, False]


def test_history_keeps_the_newest_passes_and_their_events(store: Store) -> None:
    for number in range(5):
        store.finish(report(f"p-{number}", outcome(Result.DONE)), {}, STATUS, history_max=3)

    assert [kept.pass_id for kept in store.passes()] == ["p-4", "p-3", "p-2"]
    assert [event.pass_id for event in store.events_of("Workflow", "daily-etl")] == ["p-4", "p-3", "p-2"]


def test_passes_are_filtered_by_target_time_and_number(store: Store) -> None:
    for number, target in enumerate(("analytics", "sales", "analytics")):
        store.finish(report(f"p-{number}", outcome(Result.DONE), target=target, finished_at=float(number)), {}, STATUS)

    assert [kept.pass_id for kept in store.passes(target="analytics")] == ["p-2", "p-0"]
    assert [kept.pass_id for kept in store.passes(since=1.0)] == ["p-2", "p-1"]
    assert [kept.pass_id for kept in store.passes(limit=1)] == ["p-2"]


def test_finish_drops_what_is_old_once_a_day(store: Store, clock: HandClock) -> None:
    store.spend("token", clock.now() - 40 * 86_400, 1)
    store.finish(report("p-1"), {}, STATUS)
    assert store.spent("token", 0.0).rows == []
    store.spend("token", clock.now() - 40 * 86_400, 1)
    clock.time += 86_399
    store.finish(report("p-2"), {}, STATUS)
    assert len(store.spent("token", 0.0).rows) == 1
    clock.time += 1
    store.finish(report("p-3"), {}, STATUS)
    assert store.spent("token", 0.0).rows == []


def test_what_is_older_than_a_year_and_a_month_goes_once_a_day(store: Store, clock: HandClock) -> None:
    day = 86_400.0
    for number, age in enumerate((500, 399, 1)):
        finished = clock.now() - age * day
        store.finish(report(f"p-{number}", outcome(Result.DONE), finished_at=finished), {}, STATUS)
    store.compact()
    assert [one.pass_id for one in store.passes()] == ["p-2", "p-1"]
    assert [one.pass_id for one in store.events_of("Workflow", "daily-etl")] == ["p-2", "p-1"]
