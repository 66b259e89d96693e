"""A revision is put together from the last one where that is the same as from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from agent.config.model import Limits, TargetConfig
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.resource import Desired
from agent.reconcile.desired import read_desired
from agent.reconcile.last import LastDesired
from tests.simulation.source import MemorySource

CONFIG = TargetConfig("main", "dataos/v1", defaults={"workspace": "public"})


class CountingSource(MemorySource):
    """Counts the blobs that were read, and how often git was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.blobs_read = 0
        self.asked = 0

    def read(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        self.asked += bool(blobs)
        self.blobs_read += len(blobs)
        return super().read(blobs)


def manifest(name: str, *, cron: str = "0 1 * * *", needs: str = "", moved: str = "") -> bytes:
    words = "".join((f"  dependsOn: [{needs}]\n" if needs else "", f"  movedFrom: {moved}\n" if moved else ""))
    lifecycle = f"lifecycle:\n{words}" if words else ""
    return (
        f"apiVersion: dataos/v1\nkind: Workflow\nmetadata: {{name: {name}}}\n{lifecycle}"
        f'spec:\n  version: v1\n  workflow:\n    schedule: {{cron: "{cron}"}}\n'
        '    dag: [{name: task, spec: {stack: "flare:7.0"}}]\n'
    ).encode()


FIRST = {
    "a.yaml": manifest("a"),
    "b.yaml": manifest("b", needs="Workflow/a"),
    "both.yaml": manifest("c") + b"---\n" + manifest("d"),
}


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform("dataos/v1")


@pytest.fixture
def source() -> CountingSource:
    made = CountingSource()
    made.commit(FIRST)
    return made


def read(source: MemorySource, platform: Platform, last: LastDesired, config: TargetConfig = CONFIG) -> Desired:
    return read_desired(source, source.fetch(), config, platform, None, last)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"a.yaml": manifest("a", cron="0 2 * * *")},
        {"a.yaml": b"\n\n" + manifest("a", cron="0 2 * * *")},
        {"both.yaml": manifest("c", cron="0 3 * * *") + b"---\n" + manifest("d")},
        {"both.yaml": manifest("d") + b"---\n" + manifest("c")},
        {"both.yaml": manifest("c")},
        {"a.yaml": manifest("other")},
        {"a.yaml": manifest("a", needs="Workflow/c")},
        {"a.yaml": manifest("a", needs="Workflow/nowhere")},
        {"a.yaml": manifest("a", needs="Workflow/b")},
        {"a.yaml": manifest("a", moved="old")},
        {"a.yaml": manifest("a", cron="no cron at all")},
        {"a.yaml": b"a: [1"},
        {"a.yaml": None},
        {"new.yaml": manifest("new")},
        {"a.yaml": None, "z.yaml": manifest("a")},
    ],
)
def test_the_next_revision_is_the_same_as_one_read_from_nothing(
    source: CountingSource, platform: Platform, changes: dict[str, bytes | None]
) -> None:
    last = LastDesired()
    read(source, platform, last)
    files = {path: text for path, text in {**FIRST, **changes}.items() if text is not None}
    source.commit(files)
    told = read(source, platform, last)
    anew = read(source, platform, LastDesired())
    assert told == anew
    assert list(told.resources) == list(anew.resources)
    assert {key: each.read() for key, each in told.resources.items()} == {
        key: each.read() for key, each in anew.resources.items()
    }
    source.commit(FIRST)
    assert read(source, platform, last) == read(source, platform, LastDesired())


def test_a_change_of_one_file_reads_one_blob(source: CountingSource, platform: Platform) -> None:
    last = LastDesired()
    read(source, platform, last)
    source.commit({**FIRST, "a.yaml": manifest("a", cron="0 5 * * *")})
    source.blobs_read = 0
    read(source, platform, last)
    assert source.blobs_read == 1
    source.commit(FIRST)
    read(source, platform, last)
    assert source.blobs_read == 1  # known from before


def test_a_file_that_breaks_and_is_mended_is_told_each_time(source: CountingSource, platform: Platform) -> None:
    last = LastDesired()
    read(source, platform, last)
    source.commit({**FIRST, "a.yaml": manifest("a", cron="never")})
    assert not read(source, platform, last).complete
    source.commit(FIRST)
    assert read(source, platform, last).complete


def test_other_defaults_are_another_context(source: CountingSource, platform: Platform) -> None:
    last = LastDesired()
    read(source, platform, last)
    config = TargetConfig("main", "dataos/v1", defaults={"workspace": "other"})
    found = read(source, platform, last, config)
    assert {dict(key.scope)["workspace"] for key in found.resources} == {"other"}


def test_specs_that_are_expected_are_read_from_git_at_once(source: CountingSource, platform: Platform) -> None:
    last = LastDesired()
    desired = read(source, platform, last)
    assert last.specs is not None
    last.specs.release()
    last.specs.expect(entry.blob for entry in last.entries)
    source.asked = 0
    specs = [resource.read() for resource in desired.resources.values()]
    assert (len(specs), source.asked) == (4, 1)


@pytest.mark.parametrize(("limit", "complete"), [(4, True), (3, False), (2, False)])
def test_the_configuration_says_how_many_manifests_are_read(
    source: CountingSource, platform: Platform, limit: int, complete: bool
) -> None:
    config = TargetConfig("main", "dataos/v1", defaults={"workspace": "public"}, limits=Limits(manifests_max=limit))
    found = read(source, platform, LastDesired(), config)
    assert found.complete is complete
    assert [problem.code for problem in found.problems] == ([] if complete else ["too-many-manifests"])
    assert len(found.resources) == (4 if complete else 0)
    assert source.blobs_read == (3 if limit > 2 else 0), "more files than manifests may be are not even read"


def test_ten_thousand_manifests_are_read_unless_said_otherwise() -> None:
    assert CONFIG.limits.manifests_max == 10_000
