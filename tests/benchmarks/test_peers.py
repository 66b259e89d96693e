"""Other tools are measured against ours at the same work; what is measured of a size is what it has targets for."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import _paths
from tests.benchmarks.peer_tools import OURS, Peer, resources
from tests.benchmarks.peers import lines_of, measure


def test_a_command_is_measured_with_its_calls_and_held_against_the_ours_before_it(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    lines = '{"method": "GET"}\\n{"method": "PUT"}\\n'
    ours = Peer("datakeel", [sys.executable, "-c", f"open({str(log)!r}, 'a').write('{lines}')"], tmp_path, requests=log)
    other = Peer("other", [sys.executable, "-c", "sum(range(3_000_000))"], tmp_path)
    taken = measure([ours, other], 2)
    assert [(each["calls"], each["writes"]) for each in taken["datakeel"]] == [(2, 1), (2, 1)]
    assert all(each["cpu"] > 0 and each["peak"] > 1 for each in taken["other"])


def test_others_are_held_against_the_ours_of_their_own_work() -> None:
    def run(cpu: float) -> list[dict[str, float]]:
        return [{"cpu": cpu, "wall": 1.0, "peak": 9.0}]

    names = {"datakeel run, a": 1.0, "datakeel, started, a": 0.5, "x": 4.0, "y": 2.0, "datakeel run, b": 8.0, "z": 2.0}
    told = list(lines_of({name: run(cpu) for name, cpu in names.items()}))
    assert [" ".join(line.split()[:2]) for line in told if line.startswith("   ")] == [
        "4 x",
        "8 x",
        "2 x",
        "4 x",
        "0.25 x",
    ]


def test_a_tool_that_fails_ends_the_measurement_with_its_own_words(tmp_path: Path) -> None:
    broken = Peer("broken", [sys.executable, "-c", "raise SystemExit('no such zone')"], tmp_path)
    with pytest.raises(SystemExit, match="broken ended with 1:\nno such zone"):
        measure([broken], 1)


def test_of_the_largest_sizes_only_what_should_not_grow_is_measured() -> None:
    assert _paths(100_000, "") == ["pass.warm", "pass.unlisted", "pass.one"]
    assert _paths(10_000, "pull.cold") == ["floor.parse", "pull.cold"]
    assert _paths(10_000, "validate.warm.s") == ["validate.cold", "validate.warm.store"]
    assert _paths(10_000, "start") == []


def test_ours_find_nothing_to_do_as_a_command_and_as_the_agent_that_has_started(tmp_path: Path) -> None:
    with resources(tmp_path, 4, None) as peers:
        taken = measure([each for each in peers if each.name.startswith(OURS)], 1)
    assert [(runs[0]["calls"] > 0, runs[0]["writes"]) for runs in taken.values()] == [(True, 0), (True, 0), (False, 0)]


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_terraform_finds_nothing_to_do_over_the_state_that_is_written_for_it(tmp_path: Path) -> None:
    with resources(tmp_path, 4, None) as peers:
        (terraform,) = [each for each in peers if not each.name.startswith(OURS)]
        taken = measure([terraform], 1)[terraform.name]
    assert taken[0]["cpu"] > 0, "a plan with changes ends with 2"
