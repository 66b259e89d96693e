"""The judge of the soak sees what grows, and takes no flutter for it. ``python -m tests.system.soak`` is the soak."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path

from tests.system.flatness import Sample, judge, look, slope

MINUTES = 30
FLAT = [Sample(at, 90.0, 27, 5, 0, 0, 1 << 20, 4 << 20) for at in range(0, MINUTES * 60, 2)]


def fluttering(seed: int, hourly: float) -> list[Sample]:
    """Memory that wanders by single pages and whole arenas, as a real process's does, and grows by so much."""
    chance, level, found = random.Random(seed), 90.0, []
    for sample in FLAT:
        level += (90.0 - level) * 0.05 + chance.gauss(0, 0.05)
        found.append(replace(sample, rss=level + chance.choice((0.0, 0.0, 0.5)) + hourly * sample.at / 3600))
    return found


def told(samples: list[Sample]) -> list[str]:
    return judge(samples, rss_hourly_max=1.0)


def test_what_flutters_is_flat_and_what_grows_is_not() -> None:
    assert told(FLAT) == []
    for seed in range(20):
        assert told(fluttering(seed, 0.0)) == []
        assert len(told(fluttering(seed, 3.0))) == 1


def test_pages_that_a_young_store_fills_are_not_memory_that_grows() -> None:
    filling = [
        replace(sample, rss=sample.rss + 1.23 * min(size, 2_048_000) / 2**20, store=size)
        for sample in FLAT
        for size in [500_000 + int(sample.at) * 2000]
    ]
    assert filling[-1].rss > filling[0].rss + 1
    assert told(filling) == []


def test_a_slope_comes_with_its_uncertainty() -> None:
    samples = fluttering(1, 2.0)
    found = slope([sample.at for sample in samples], [sample.rss for sample in samples])
    assert abs(found.hourly - 2.0) < found.margin < 2.0


def test_descriptors_may_rise_for_a_moment_and_their_level_may_not() -> None:
    bursts = [replace(sample, descriptors=60) if sample.at % 20 == 0 else sample for sample in FLAT]
    assert told(bursts) == []
    leaking = [replace(sample, descriptors=27 + int(sample.at) // 300) for sample in FLAT]
    assert told(leaking) == ["descriptors grow: 28 in the first third, 32 in the last"]
    assert told([replace(sample, threads=5 + (sample.at > 900)) for sample in FLAT]) == [
        "threads grow: 5 in the first third, 6 in the last"
    ]
    assert told([*FLAT, replace(FLAT[-1], zombies=1)]) == ["1 zombies in the end"]


def test_a_process_is_looked_at_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"a" * 100)
    (tmp_path / "state.db-wal").write_bytes(b"b" * 11)
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        seen = look(os.getpid(), tmp_path / "state.db", 3.0)
        assert (seen.at, seen.store, seen.log) == (3.0, 100, 11)
        assert seen.zombies >= 1 and seen.children >= seen.zombies
    assert seen.rss > 5 and seen.threads >= 1
    assert seen.descriptors >= 3
