"""What one process put together another one goes on from, and says the same as if it had read everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent.config.model import Limits, TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.secrets import Reference
from agent.store.store import Store
from tests.unit.reconcile.test_desired import CountingSource, manifest
from tests.unit.store.builders import DAY, HandClock, url_of

CONFIG = TargetConfig(
    "main",
    "dataos/v1",
    folder="one",
    defaults={"workspace": "public"},
    secrets={"lake": Reference("env", "LAKE")},
    others=frozenset(),
)
SECRET = b"name: key\nversion: v1\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n  data: {a: {secretRef: lake}}\n"
FIRST = {
    "a.yaml": manifest("a"),
    "b.yaml": manifest("b", needs="Workflow/a"),
    "both.yaml": manifest("c", needs="Workflow/a, Workflow/b") + b"---\n" + manifest("d", moved="former"),
    "secret.yaml": SECRET,
}
EDITS: dict[str, dict[str, bytes | None]] = {
    "nothing": {},
    "a spec": {"a.yaml": manifest("a", cron="0 2 * * *")},
    "a line": {"a.yaml": b"\n\n" + manifest("a")},
    "a secret's neighbour": {"secret.yaml": SECRET.replace(b"acl: r", b"acl: rw")},
    "another secret": {"secret.yaml": SECRET.replace(b"lake", b"sea")},
    "the order in a file": {"both.yaml": manifest("d") + b"---\n" + manifest("c")},
    "one less in a file": {"both.yaml": manifest("c")},
    "a name": {"a.yaml": manifest("other")},
    "a need": {"a.yaml": manifest("a", needs="Workflow/c")},
    "a need of nobody": {"a.yaml": manifest("a", needs="Workflow/nowhere")},
    "a circle": {"a.yaml": manifest("a", needs="Workflow/b")},
    "a wrong word": {"a.yaml": manifest("a", cron="no cron at all")},
    "no YAML": {"a.yaml": b"a: [1"},
    "a variable": {"a.yaml": manifest("a", cron="0 ${hour} * * *")},
    "an overlay out of place": {"b.yaml": b"overlay: datakeel/v1\nselect: {kind: Workflow}\npatch: {}\n"},
    "a file gone": {"both.yaml": None},
    "a needed file gone": {"a.yaml": None},
    "a file more": {"new.yaml": manifest("new")},
    "a twin": {"new.yaml": manifest("a")},
    "a file moved": {"a.yaml": None, "z.yaml": manifest("a")},
    "all": {"a.yaml": manifest("x"), "b.yaml": manifest("y"), "both.yaml": manifest("z"), "secret.yaml": b"{}"},
}


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform("dataos/v1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(path: Path, clock: HandClock) -> Iterator[Store]:
    store = Store.open(url_of(path), clock=clock)
    yield store
    store.close()


@pytest.fixture
def source() -> CountingSource:
    made = CountingSource()
    commit(made, FIRST)
    return made


def read(
    source: CountingSource,
    platform: Platform,
    store: Store | None,
    last: LastDesired | None = None,
    config: TargetConfig = CONFIG,
) -> Desired:
    """By a process that has just begun, unless ``last`` is given."""
    return read_desired(source, source.fetch(), config, platform, store, last or LastDesired())


def files_after(edit: Mapping[str, bytes | None], before: Mapping[str, bytes] = FIRST) -> dict[str, bytes]:
    return {name: text for name, text in {**before, **edit}.items() if text is not None}


def commit(source: CountingSource, files: Mapping[str, bytes]) -> None:
    source.commit({f"one/{name}": text for name, text in files.items()})


def require_equal(told: Desired, anew: Desired) -> None:
    assert told == anew
    assert list(told.resources) == list(anew.resources)
    assert list(told.special) == list(anew.special)
    for key, resource in told.resources.items():
        assert resource == anew.resources[key]
        assert resource.read() == anew.resources[key].read()


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as raw:
        assert raw.execute(statement).rowcount > 0
    raw.close()


@pytest.mark.parametrize("edit", EDITS)
def test_the_next_process_says_what_it_would_say_without_a_store(
    source: CountingSource, platform: Platform, store: Store, edit: str
) -> None:
    read(source, platform, store)
    last = LastDesired()
    commit(source, files_after(EDITS[edit]))
    require_equal(read(source, platform, store, last), read(source, platform, None))
    commit(source, FIRST)
    require_equal(read(source, platform, store, last), read(source, platform, None))
    require_equal(read(source, platform, store), read(source, platform, None))


@pytest.mark.parametrize("edit", EDITS)
def test_a_process_that_recalled_a_revision_says_the_same_of_the_next_one(
    source: CountingSource, platform: Platform, store: Store, edit: str
) -> None:
    read(source, platform, store)
    last = LastDesired()
    read(source, platform, store, last)
    commit(source, files_after(EDITS[edit]))
    require_equal(read(source, platform, store, last), read(source, platform, None))


@pytest.mark.parametrize("seed", range(4))
def test_processes_that_come_and_go_over_many_revisions_say_the_same(
    source: CountingSource, platform: Platform, store: Store, path: Path, seed: int
) -> None:
    random, files, last = Random(seed), dict(FIRST), LastDesired()
    for _ in range(25):
        files = files_after(EDITS[random.choice(list(EDITS))], random.choice([files, FIRST]))
        commit(source, files)
        last = random.choice([last, LastDesired()])
        require_equal(read(source, platform, random.choice([store, store, None]), last), read(source, platform, None))


def test_an_unchanged_revision_is_told_by_one_row(
    source: CountingSource, platform: Platform, store: Store, path: Path
) -> None:
    first = read(source, platform, store)
    damage(path, "DELETE FROM checked")
    source.blobs_read = 0
    found = read(source, platform, store)
    assert source.blobs_read == 0
    require_equal(found, first)


def test_of_an_edited_revision_the_edited_file_is_read(
    source: CountingSource, platform: Platform, store: Store, path: Path
) -> None:
    read(source, platform, store)
    commit(source, files_after(EDITS["a spec"]))
    source.blobs_read = 0
    found = read(source, platform, store)
    assert source.blobs_read == 1
    require_equal(found, read(source, platform, None))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM summary",
        "UPDATE summary SET body = CAST(substr(body, 1, length(body) - 9) AS BLOB)",
        "UPDATE summary SET body = CAST('' AS BLOB)",
        "UPDATE summary SET body = 'text'",
        "UPDATE summary SET body = zeroblob(length(body))",
        "UPDATE summary SET digest = CAST(x'ff00' AS TEXT)",
        "UPDATE summary SET made_day = made_day + 1",
        "UPDATE summary SET target = 'another'",
        "DROP TABLE summary",
    ],
)
def test_a_row_that_is_lost_or_damaged_changes_nothing_but_time(
    source: CountingSource, platform: Platform, store: Store, path: Path, statement: str
) -> None:
    first = read(source, platform, store)
    with sqlite3.connect(path) as raw:
        raw.execute(statement)
    raw.close()
    require_equal(read(source, platform, store), first)
    require_equal(read(source, platform, store), first)


def test_a_row_of_another_target_is_never_taken(
    source: CountingSource, platform: Platform, store: Store, path: Path
) -> None:
    read(source, platform, store)
    damage(path, "UPDATE summary SET target = 'other'")
    config = replace(CONFIG, name="other")
    require_equal(read(source, platform, store, None, config), read(source, platform, None, None, config))


@pytest.mark.parametrize(
    "words",
    [
        {"secrets": {}},
        {"defaults": {"workspace": "other"}},
        {"others": frozenset({"lakehouse"})},
        {"others": None},
        {"limits": Limits(manifests_max=4)},
        {"folder": "two"},
        {"name": "other"},
    ],
)
def test_another_configuration_is_judged_anew(
    source: CountingSource, platform: Platform, store: Store, words: dict[str, Any]
) -> None:
    source.commit({f"{folder}/{name}": text for folder in ("one", "two") for name, text in FIRST.items()})
    read(source, platform, store)
    config = replace(CONFIG, **words)
    require_equal(read(source, platform, store, None, config), read(source, platform, None, None, config))


def test_what_has_a_problem_is_not_kept(source: CountingSource, platform: Platform, store: Store) -> None:
    commit(source, files_after(EDITS["a need of nobody"]))
    for _ in range(2):
        told = read(source, platform, store)
        assert [problem.code for problem in told.problems] == ["dependency-missing"]
        assert not told.complete


def test_after_a_week_the_files_are_read_and_noted_as_used(
    source: CountingSource, platform: Platform, store: Store, clock: HandClock, path: Path
) -> None:
    read(source, platform, store)
    for _ in range(9):  # two months in which nothing changes, looked at each week
        clock.time += 7 * DAY
        store.compact()
        source.blobs_read = 0
        read(source, platform, store)
        assert source.blobs_read == 0
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM checked").fetchone() == (len(FIRST),)
    raw.close()


def test_a_summary_of_a_target_that_is_gone_is_dropped(
    source: CountingSource, platform: Platform, store: Store, clock: HandClock, path: Path
) -> None:
    read(source, platform, store)
    clock.time += 31 * DAY
    store.compact()
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM summary").fetchone() == (0,)
    raw.close()
