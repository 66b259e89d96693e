from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

from agent.errors import Problem, Where
from agent.model.manifest import CheckedDocument, CheckedFile, Lifecycle
from agent.store.store import Store
from tests.unit.store.builders import DAY, HandClock

_FULL = CheckedFile(
    documents=(
        CheckedDocument(
            document=2,
            line=7,
            column=3,
            kind="Workflow",
            scope=(("workspace", "sales"),),
            name="daily-etl",
            digest="d" * 32,
            lifecycle=Lifecycle(
                depends_on=("Workspace/sales",),
                protect=True,
                drift="report",
                replace=True,
                create_only=("/a",),
                ignore=("/b", "/c"),
                moved_from="nightly",
                actions={"run": {"args": [1, Decimal("1.10"), 10**30, None]}},
            ),
            references=(("Depot", "lake", 12, 9), ("Secret", "key", 13, 9)),
        ),
        CheckedDocument(3, 20, 1, "Depot", (), "lake", "e" * 32, Lifecycle()),
    ),
    problems=(
        Problem("a", "b", Where("", 1, 2), "c", "d", "e", "f", "warning", (Where("", 3), Where("x.yaml", 4, 5))),
        Problem("g", "h", Where("")),
    ),
    broken=(("Workflow", (("workspace", "sales"),), "wrong"), ("Depot", (), "worse")),
)
_PLAIN = CheckedFile((CheckedDocument(0, 1, 1, "Depot", (), "lake", "e" * 32, Lifecycle()),), ())


def test_a_checked_file_comes_back_equal_in_every_field(store: Store) -> None:
    store.put_checked("context", {"a1": _FULL, "b2": CheckedFile((), ()), "c3": _PLAIN})

    found = store.checked("context", ["a1", "b2", "c3", "d4"])

    assert found == {"a1": _FULL, "b2": CheckedFile((), ()), "c3": _PLAIN}
    assert str(found["a1"].documents[0].lifecycle.actions["run"]["args"][1]) == "1.10"
    assert [type(found["a1"]), type(found["a1"].documents[0])] == [CheckedFile, CheckedDocument]


def test_specs_are_not_stored(store: Store, path: Path) -> None:
    document = CheckedDocument(0, 1, 1, "Depot", (), "lake", "e" * 32, Lifecycle(), (), {"password": "canary-4711"})
    store.put_checked("context", {"a1": CheckedFile((document,), ())})

    assert store.checked("context", ["a1"])["a1"].documents[0].spec is None
    assert b"canary-4711" not in path.read_bytes() + path.with_name("state.db-wal").read_bytes()


def test_another_context_knows_nothing_of_a_blob(store: Store) -> None:
    store.put_checked("old definition", {"a1": _FULL})

    assert store.checked("new definition", ["a1"]) == {}
    store.put_checked("new definition", {"a1": _PLAIN})
    assert store.checked("old definition", ["a1"]) == {"a1": _FULL}
    assert store.checked("new definition", ["a1"]) == {"a1": _PLAIN}


def test_few_blobs_and_many_blobs_are_found_alike(store: Store) -> None:
    store.put_checked("context", {f"{number:040x}": _PLAIN for number in range(400)})

    for count in (1, 299, 300):
        blobs = [f"{number:040x}" for number in range(count)]
        assert list(store.checked("context", blobs)) == blobs


def test_a_damaged_entry_is_a_missing_one(store: Store, path: Path) -> None:
    store.put_checked("context", {"a1": _PLAIN, "b2": _PLAIN})
    with sqlite3.connect(path) as raw:
        raw.execute(
            "UPDATE checked SET body = CAST(replace(CAST(body AS TEXT), 'lake', 'lakf') AS BLOB) WHERE blob='a1'"
        )
    raw.close()

    assert list(store.checked("context", ["a1", "b2"])) == ["b2"]


def test_text_without_a_utf8_form_is_not_kept(store: Store) -> None:
    problem = Problem("a", "b", Where(""), got="\ud800")
    store.put_checked("context", {"a1": CheckedFile((), (problem,)), "b2": _PLAIN})

    assert list(store.checked("context", ["a1", "b2"])) == ["b2"]


def test_entries_unused_for_a_month_go_and_used_ones_stay(store: Store, clock: HandClock) -> None:
    store.put_checked("context", {"used": _PLAIN, "unused": _PLAIN})
    clock.time += 8 * DAY
    store.checked("context", ["used"])
    clock.time += 22 * DAY
    store.compact()
    assert set(store.checked("context", ["unused"])) == {"unused"}

    clock.time += DAY * 8
    store.checked("context", ["used"])
    clock.time += DAY * 23
    store.compact()
    assert set(store.checked("context", ["used", "unused"])) == {"used"}


def test_a_warm_read_of_recent_entries_writes_nothing(store: Store, clock: HandClock, path: Path) -> None:
    store.put_checked("context", {"a1": _PLAIN})
    clock.time += 6 * DAY
    before = path.with_name("state.db-wal").read_bytes()

    store.checked("context", ["a1"])

    assert path.with_name("state.db-wal").read_bytes() == before


def test_beyond_the_limit_the_longest_unused_contexts_go(store: Store, clock: HandClock) -> None:
    for context in ("old", "middle", "new"):
        store.put_checked(context, {"a1": _PLAIN, "b2": _PLAIN})
        clock.time += 1
    store.compact(files_max=6)
    assert len(store.checked("old", ["a1", "b2"])) == 2

    store.compact(files_max=5)
    assert store.checked("old", ["a1", "b2"]) == {}
    assert len(store.checked("middle", ["a1", "b2"])) == 2

    store.compact(files_max=0)
    assert len(store.checked("new", ["a1", "b2"])) == 2
