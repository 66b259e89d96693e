"""The short form of fuzzing: what once broke something, and a moment of mutation from a fixed seed for each target.

``python -m tests.fuzz --seconds 300`` is the long one.
"""

from __future__ import annotations

import random
import time

import pytest

from tests.fuzz.mutate import failure, mutated, shrink
from tests.fuzz.target import REGRESSIONS, Draw, Target, TooSlow
from tests.fuzz.targets import NAMES, load

SECONDS = 0.4  # of CPU, for each target
WALL_SECONDS = 1.5  # where most of the time is spent in children
INPUTS = 300


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_values_and_declared_refusals_comes_out(name: str) -> None:
    target = load(name)
    assert target.name == name
    beginnings = target.beginnings()
    chance = random.Random(f"fuzz/{name}")
    target.run(beginnings[0])  # pays for what is loaded late
    for path in target.regressions():
        target.check(path.read_bytes())
    ends, over = time.thread_time() + SECONDS, time.monotonic() + WALL_SECONDS
    for number in range(INPUTS):
        if time.thread_time() > ends or time.monotonic() > over:
            break
        first = beginnings[number * 7 % len(beginnings)]
        data = mutated(chance, first, beginnings, target.words, target.size) if number else first
        try:
            target.check(data)
        except Exception as error:
            error.add_note(f"target {name}, input {data!r}")
            raise


def test_every_kept_input_belongs_to_a_target() -> None:
    assert {path.name for path in REGRESSIONS.iterdir() if path.is_dir()} <= set(NAMES)


def _fussy(data: bytes) -> None:
    if b"AB" in data:
        raise KeyError("AB")
    if b"slow" in data:
        ends = time.thread_time() + 0.02
        while time.thread_time() < ends:
            pass


def test_the_harness_finds_and_shortens_what_is_wrong() -> None:
    target = Target("fussy", _fussy, lambda: [b"AxB"], words=(b"AB",), seconds=0.01)
    chance = random.Random(1)
    tries = (mutated(chance, b"AxB", [b"AxB"], target.words, 50) for _ in range(500))
    found = next(data for data in tries if failure(target, data) is not None)
    assert failure(target, found) == "KeyError in test_fuzz.py:_fussy"
    assert shrink(target, b"--" + found + b"--" * 20) == b"AB"
    with pytest.raises(TooSlow, match="allowed"):
        target.check(b"a slow one")


def test_a_draw_reads_whatever_there_is() -> None:
    draw = Draw(b"\x05ab\0\xff\0rest")
    assert (draw.integer(3), draw.text(), draw.text(), draw.rest()) == (1, "ab", "\udcff", b"rest")
    assert (draw.byte(), draw.text(), draw.rest(), draw.pick("xy")) == (0, "", b"", "x")
