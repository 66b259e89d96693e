"""Variables and overlays in a revision: what is rendered again is what a change touches, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.config.model import TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import Where
from agent.model.identity import Revision
from agent.model.rendering import Variable, Variables
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from agent.source.tree import Tree, missing_folder
from agent.store.store import Store
from tests.simulation.source import MemorySource
from tests.unit.reconcile.test_desired import manifest

CONFIG = TargetConfig("main", "dataos/v1", folder="base", overlays=("shared", "prod"), defaults={"workspace": "public"})


class CountingSource(MemorySource):
    """Remembers which blobs were read; folders may be missing."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.missing: set[str] = set()

    def tree(self, revision: Revision, folder: str) -> Tree:
        return missing_folder(folder, "the revision") if folder in self.missing else super().tree(revision, folder)

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        self.reads += blobs
        return super().read(blobs)


def variables(**values: Any) -> Variables:
    return Variables(
        {name: Variable(value, Where("datakeel.yaml", 9, 5)) for name, value in values.items()}, frozenset(values)
    )


def overlay(name: str, change: str = '{schedule: {cron: "0 9 * * *"}}', select: str = "") -> bytes:
    wanted = select or f"{{kind: Workflow, name: {name}}}"
    text = f"apiVersion: datakeel/v1\nkind: Overlay\nselect: {wanted}\nmerge: {{spec: {{workflow: {change}}}}}\n"
    return text.encode()


FIRST = {
    "base/a.yaml": manifest("a"),
    "base/b.yaml": manifest("b", cron="0 ${hour} * * *", needs="Workflow/a"),
    "base/c.yaml": manifest("c"),
    "base/both.yaml": manifest("d") + b"---\n" + manifest("e"),
    "shared/all.yaml": overlay("", "{title: ours}", "{kind: '*', name: [a, b, d]}"),
    "prod/a.yaml": overlay("a", '{schedule: {cron: "0 ${late} * * *"}}'),
    "prod/d.yaml": overlay("d"),
    "prod/own.yaml": manifest("only-prod"),
}
VALUES = variables(hour=3, late=22)


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform("dataos/v1")


@pytest.fixture
def source() -> CountingSource:
    made = CountingSource()
    made.commit(FIRST)
    return made


def read(
    source: MemorySource,
    platform: Platform,
    last: LastDesired,
    values: Variables = VALUES,
    *,
    config: TargetConfig = CONFIG,
    store: Store | None = None,
) -> Desired:
    return read_desired(source, source.fetch(), replace(config, variables=values), platform, store, last)


def crons(desired: Desired) -> dict[str, str]:
    return {key.name: each.read()["workflow"]["schedule"]["cron"] for key, each in desired.resources.items()}


def told(desired: Desired) -> list[str]:
    return [f"{one.code} {one.where}" for one in desired.problems if one.severity == "error"]


def paths_read(source: CountingSource, files: Mapping[str, bytes]) -> list[str]:
    blobs = {entry.blob: entry.path for entry in source.tree(source.fetch(), "").entries}
    found = [blobs[blob] for blob in source.reads]
    source.reads.clear()
    return sorted(found)


def test_variables_and_overlays_are_what_the_target_means(source: CountingSource, platform: Platform) -> None:
    desired = read(source, platform, LastDesired())
    assert not desired.problems
    assert crons(desired) == {
        "a": "0 22 * * *",
        "b": "0 3 * * *",
        "c": "0 1 * * *",
        "d": "0 9 * * *",
        "e": "0 1 * * *",
        "only-prod": "0 1 * * *",
    }
    titles = {key.name: each.read()["workflow"].get("title") for key, each in desired.resources.items()}
    assert [name for name, title in titles.items() if title] == ["a", "b", "d"]
    assert desired.variables == {"hour", "late"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"base/c.yaml": manifest("c", cron="0 5 * * *")},
        {"base/b.yaml": manifest("b", cron="1 ${hour} * * *", needs="Workflow/a")},
        {"base/a.yaml": manifest("a", cron="0 5 * * *")},
        {"base/both.yaml": manifest("e") + b"---\n" + manifest("d")},
        {"base/a.yaml": manifest("a", cron="0 ${nobody} * * *")},
        {"prod/a.yaml": overlay("a")},
        {"prod/a.yaml": b"# moved\n" + overlay("a", '{schedule: {cron: "0 ${late} * * *"}}')},
        {"prod/a.yaml": overlay("c")},
        {"prod/a.yaml": overlay("nobody")},
        {"prod/a.yaml": overlay("a", "{schedule: {cron: never}}")},
        {"prod/a.yaml": None},
        {"prod/d.yaml": overlay("d") + b"---\n" + overlay("e", '{schedule: {cron: "0 8 * * *"}}')},
        {"prod/d.yaml": b"a: [1"},
        {"prod/d.yaml": overlay("d").replace(b"merge", b"merg")},
        {"prod/own.yaml": manifest("only-prod", cron="0 7 * * *")},
        {"prod/new.yaml": overlay("only-prod")},
        {"prod/own.yaml": manifest("a")},
        {"base/x.yaml": overlay("a")},
        {"shared/all.yaml": overlay("", "{title: theirs}", "{kind: '*', name: [a, b, d]}")},
        {"shared/all.yaml": None},
    ],
)
def test_the_next_revision_is_the_same_as_one_read_from_nothing(
    source: CountingSource, platform: Platform, changes: dict[str, bytes | None]
) -> None:
    last = LastDesired()
    before = read(source, platform, last)
    files = {path: text for path, text in {**FIRST, **changes}.items() if text is not None}
    files.setdefault("shared/none.yaml", b"")
    source.commit(files)
    now, anew = read(source, platform, last), read(source, platform, LastDesired())
    assert now == anew
    assert {key: each.read() for key, each in now.resources.items()} == {
        key: each.read() for key, each in anew.resources.items()
    }
    source.commit(FIRST)
    assert read(source, platform, last) == replace(before, revision=source.fetch())


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        ({"base/c.yaml": manifest("c", cron="0 5 * * *")}, ["base/c.yaml"]),
        # An overlay: its own file, and what it means.
        (
            {"prod/d.yaml": overlay("d", '{schedule: {cron: "0 8 * * *"}}')},
            ["base/both.yaml", "prod/d.yaml", "prod/d.yaml"],
        ),
        ({"base/new.yaml": manifest("new")}, ["base/new.yaml"]),
    ],
)
def test_a_change_reads_only_what_it_touches(
    source: CountingSource, platform: Platform, changes: dict[str, bytes], reads: list[str]
) -> None:
    last = LastDesired()
    read(source, platform, last)
    files = {**FIRST, **changes}
    source.commit(files)
    source.reads.clear()
    desired = read(source, platform, last)
    assert not desired.problems
    found = paths_read(source, files)
    assert [path for path in found if not path.startswith("shared")] == reads
    assert set(found) - set(reads) <= {"shared/all.yaml"}


@pytest.mark.parametrize(
    ("values", "touched"),
    [
        (variables(hour=4, late=22), {"base/b.yaml"}),
        (variables(hour=3, late=23), {"base/a.yaml", "prod/a.yaml"}),
        (variables(hour=3, late=22, other=1), set()),
    ],
)
def test_another_value_renders_only_what_names_it(
    source: CountingSource, platform: Platform, values: Variables, touched: set[str]
) -> None:
    last = LastDesired()
    before = read(source, platform, last)
    source.reads.clear()
    after = read(source, platform, last, values)
    assert not after.problems
    found = set(paths_read(source, FIRST))
    assert touched <= found <= touched | ({"shared/all.yaml"} if touched else set())
    changed = {key.name for key in after.resources if after.resources[key].digest != before.resources[key].digest}
    assert changed == {Path(path).stem for path in touched if path.startswith("base")}
    assert after == read(source, platform, LastDesired(), values)


def test_the_store_remembers_what_was_rendered_in(source: CountingSource, platform: Platform, tmp_path: Path) -> None:
    from agent.clock import SystemClock

    with_store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=SystemClock(), write=True)
    try:
        first = read(source, platform, LastDesired(), store=with_store)
        source.reads.clear()
        assert read(source, platform, LastDesired(), store=with_store) == first
        assert source.reads == []
        other = variables(hour=4, late=22)
        assert read(source, platform, LastDesired(), other, store=with_store) == read(
            source, platform, LastDesired(), other
        )
        bare = replace(CONFIG, overlays=())
        assert crons(read(source, platform, LastDesired(), config=bare, store=with_store))["a"] == "0 1 * * *"
    finally:
        with_store.close()


@pytest.mark.parametrize(
    ("changes", "problems", "left"),
    [
        ({"prod/a.yaml": overlay("a", "{schedule: {cron: never}}")}, ["invalid-manifest prod/a.yaml:4:44"], "a"),
        ({"prod/a.yaml": overlay("a").replace(b"merge", b"merg")}, ["unknown-key prod/a.yaml:4:1"], "a"),
        ({"prod/a.yaml": overlay("nobody")}, ["overlay-unmatched prod/a.yaml:1:1"], ""),
        ({"base/o.yaml": overlay("a")}, ["overlay-misplaced base/o.yaml:1:1"], ""),
        # Nobody can tell what these were to change: everything is held.
        ({"prod/a.yaml": b"a: [1"}, ["yaml-syntax prod/a.yaml:2:1"], "abcde+"),
        ({"prod/a.yaml": overlay("a", select="{knd: x}")}, ["unknown-key prod/a.yaml:3:10"], "abcde+"),
        ({"prod/a.yaml": overlay("a", select="nobody")}, ["overlay-invalid prod/a.yaml:3:9"], "abcde+"),
    ],
)
def test_what_an_overlay_with_a_mistake_may_mean_is_held(
    source: CountingSource, platform: Platform, changes: dict[str, bytes], problems: list[str], left: str
) -> None:
    source.commit({**FIRST, **changes})
    desired = read(source, platform, LastDesired())
    assert told(desired) == problems
    assert not desired.complete
    names = {name if len(name) == 1 else "+" for name in (key.name for key in desired.broken)}
    assert names == set(left)
    assert not desired.broken & set(desired.resources)


def test_a_folder_of_overlays_that_is_not_there_holds_everything(source: CountingSource, platform: Platform) -> None:
    source.missing.add("prod")
    desired = read(source, platform, LastDesired())
    assert told(desired) == ["folder-missing prod"]
    assert not desired.resources
    assert {key.name for key in desired.broken} == set("abcde")


def test_a_manifest_without_a_value_for_its_variable_is_held(source: CountingSource, platform: Platform) -> None:
    desired = read(source, platform, LastDesired(), variables(late=22, houR=3))
    assert told(desired) == ["variable-unknown base/b.yaml:9:22"]
    assert {key.name for key in desired.broken} == {"b"}
    assert "houR" in (desired.errors[0].fix or "")


def test_the_place_of_a_value_is_that_of_the_configuration_of_now(source: CountingSource, platform: Platform) -> None:
    last = LastDesired()
    wrong = variables(hour="x", late=22)
    (problem,) = read(source, platform, last, wrong).errors
    assert [str(place) for place in problem.also] == ["datakeel.yaml:9:5"]
    moved = Variables({name: replace(each, where=Where("datakeel.yaml", 10, 5)) for name, each in wrong.known.items()})
    source.reads.clear()
    (problem,) = read(source, platform, last, moved).errors
    assert [str(place) for place in problem.also] == ["datakeel.yaml:10:5"]
    assert source.reads == []


def test_too_many_overlays_are_refused_and_hold_everything(source: CountingSource, platform: Platform) -> None:
    loose = b"---\n".join(overlay("", "{title: x}", "{kind: Work*}") for _ in range(90))
    files = {**FIRST, **{f"prod/loose{number}.yaml": loose for number in range(3)}}
    source.commit(files)
    desired = read(source, platform, LastDesired())
    assert [problem.code for problem in desired.errors] == ["overlay-limit"]
    assert not desired.resources


def test_both_revisions_of_a_proposal_can_be_read_whatever_it_changes(
    source: CountingSource, platform: Platform
) -> None:
    last = LastDesired()
    before = read(source, platform, last)
    files = {**FIRST, "base/new.yaml": manifest("new"), "prod/a.yaml": overlay("a", '{schedule: {cron: "0 8 * * *"}}')}
    source.commit(files)
    after = read(source, platform, last, variables(hour=5, late=1))
    assert last.specs is not None
    last.specs.release()
    assert (crons(before)["a"], crons(before)["b"]) == ("0 22 * * *", "0 3 * * *")
    assert (crons(after)["a"], crons(after)["b"]) == ("0 8 * * *", "0 5 * * *")


def test_the_first_overlay_is_not_missed_where_git_tells_that_no_manifest_changed(
    source: CountingSource, platform: Platform
) -> None:
    """A listing that tells its edits tells those of manifests, not what is rendered into them."""
    plain = {"base/a.yaml": manifest("a"), "base/c.yaml": manifest("c")}
    last = LastDesired()
    config = replace(CONFIG, overlays=("prod",))

    def crons_at(files: Mapping[str, bytes]) -> dict[str, str]:
        return crons(read_desired(source, source.commit(files), config, platform, None, last))

    assert set(crons_at(plain).values()) == {"0 1 * * *"}
    assert crons_at({**plain, "prod/a.yaml": overlay("a")}) == {"a": "0 9 * * *", "c": "0 1 * * *"}
    edited = {**plain, "base/c.yaml": manifest("c", cron="0 5 * * *")}
    assert crons_at({**edited, "prod/a.yaml": overlay("a")}) == {"a": "0 9 * * *", "c": "0 5 * * *"}
    assert crons_at(edited) == {"a": "0 1 * * *", "c": "0 5 * * *"}
