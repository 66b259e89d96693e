"""Every path of the benchmarks runs and sends what it may: calls are counted here, time never is."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator

import pytest

from tests.benchmarks.compare import regressions
from tests.benchmarks.results import Line, lines_of, table
from tests.benchmarks.stage import Stage, staged
from tests.benchmarks.worker import PATHS

SIZE = 20
LISTS = 6  # workflows and services of two teams, the workers of one, the depots
LISTS_WITH_SPEC = 3  # workspaces, and the pipelines of both


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("benchmarks"), SIZE) as made:
        yield made
    gc.unfreeze()  # the passes of this process had what they loaded frozen


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("floor.parse", {}),
        ("floor.lists", {"all": LISTS}),
        ("floor.calls.listed", {"all": LISTS_WITH_SPEC}),
        ("validate.cold", {}),
        ("validate.warm.store", {}),
        ("validate.warm.process", {}),
        ("diff.cold", {"list": LISTS, "read": SIZE}),
        ("diff.cold.listed", {"list": LISTS_WITH_SPEC}),
        ("pull.cold", {"named": 3}),
        ("pull.warm", {"named": 3}),
        ("pass.cold", {"list": LISTS, "sweep": SIZE}),
        ("pass.warm", {"list": LISTS}),
        ("pass.judged", {"list": LISTS}),
        ("pass.unlisted", {}),
        ("pass.one", {"read": 1, "write": 1, "confirm": 1}),
        ("pass.one.polled", {"list": LISTS, "read": 1, "write": 1, "confirm": 1}),
    ],
)
def test_a_path_sends_no_more_calls_than_it_must(stage: Stage, path: str, calls: dict[str, int]) -> None:
    if path in ("floor.lists", "floor.calls.listed"):
        pytest.importorskip("aiohttp")
    taken = PATHS[path](stage)
    assert {str(purpose): count for purpose, count in taken.calls.items()} == calls
    assert taken.facts.get("manifests", SIZE) == SIZE
    assert taken.facts.get("writes", 0) == calls.get("write", 0)
    assert taken.facts.get("updates", 3) == 3


def test_the_bare_client_sends_the_calls_of_a_cold_diff(stage: Stage) -> None:
    pytest.importorskip("aiohttp")
    assert PATHS["floor.calls"](stage).calls == {"all": LISTS + SIZE}


def test_the_first_apply_looks_writes_and_confirms_each_resource_once(stage: Stage) -> None:
    assert stage.populate_calls <= LISTS + 3 * SIZE + 1


def measured(cpu: float, calls: int) -> dict:
    run = {"cpu": cpu, "wall": cpu, "calls": calls, "by_purpose": {"list": calls}, "peak": 80.0}
    floor = {"cpu": 1.0, "wall": 1.0, "calls": 0}
    return {"sizes": {"20": {"paths": {"validate.cold": [run, run], "floor.parse": [floor, floor]}}}}


def test_a_ratio_that_grew_by_more_than_a_tenth_is_named() -> None:
    assert regressions(measured(1.0, 5), measured(1.1, 5)) == []
    assert regressions(measured(1.0, 5), measured(1.12, 5)) == ["cold validate / bare parse at 20: 1 -> 1.12 x (+12%)"]


def test_one_more_call_is_named() -> None:
    assert regressions(measured(1.0, 5), measured(1.0, 6)) == ["validate.cold at 20: 5 -> 6 calls"]


def test_the_table_says_which_targets_are_missed() -> None:
    text = table([Line("a", 10_000, 0.8, target=0.75), Line("b", 10_000, 0.7, target=0.75)])
    assert [line.split()[-1] for line in text.splitlines()[1:]] == ["MISSED", "met"]
    assert json.dumps([line.name for line in lines_of(measured(1.0, 5))])


def test_growth_is_judged_over_ten_times_as_many_only() -> None:
    def at(cpu: float) -> dict:
        return {
            "paths": {path: [{"cpu": cpu, "wall": cpu, "calls": 0, "peak": 1.0}] for path in ("pass.one", "pass.warm")}
        }

    grown = lines_of({"sizes": {"1000": at(1.0), "10000": at(1.4), "100000": at(3.0), "200000": at(3.1)}})
    found = {line.name: (line.target, line.met) for line in grown if " among " in line.name}
    assert found["one change among 10,000 / 1,000"] == (1.5, True)
    assert found["one change among 100,000 / 10,000"] == found["warm pass among 100,000 / 10,000"] == (2.0, False)
    assert found["warm pass among 10,000 / 1,000"] == found["one change among 200,000 / 100,000"] == (None, None)
