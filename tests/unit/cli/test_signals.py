"""What the signals of a running agent do: the first drains, the second ends at once, and neither can be held up."""

from __future__ import annotations

import asyncio
import signal

import pytest

from agent.cli.shared import ended_by_sigterm
from agent.cli.signals import AT_ONCE_SECONDS, DRAINED_SECONDS, EXIT_INTERRUPTED, Stopping
from tests.simulation.virtual_time import VirtualLoop, run


class Told:
    """A loop that only writes down what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def stop(self) -> None:
        self.words.append("stop")

    def halt(self) -> None:
        self.words.append("halt")


def play(*signals: tuple[float, int]) -> tuple[list[str], int, list[tuple[float, int]]]:
    """Signals at their moments; what the loop was told, the status, and when the process was ended by force."""
    virtual, told, left = VirtualLoop(), Told(), list[tuple[float, int]]()
    stopping = Stopping(told, lambda status: left.append((virtual.time(), status)))  # type: ignore[arg-type]

    async def story() -> None:
        for moment, status in signals:
            await asyncio.sleep(moment - virtual.time())
            stopping.received(status)
        await asyncio.sleep(60.0)

    run(story(), virtual)
    return told.words, stopping.status, left


def test_one_signal_drains_and_is_not_held_up_for_ever() -> None:
    words, status, left = play((0.0, 143))
    assert (words, status) == (["stop"], 143)
    assert left == [(DRAINED_SECONDS, 143)]
    assert DRAINED_SECONDS < 30


def test_a_second_one_ends_at_once_whatever_it_is() -> None:
    words, status, left = play((0.0, 143), (3.0, EXIT_INTERRUPTED))
    assert (words, status) == (["stop", "halt"], 143), "the first one tells why"
    assert left[0] == (3.0 + AT_ONCE_SECONDS, 143)


def test_ctrl_c_tells_that_it_was_interrupted() -> None:
    words, status, _ = play((0.0, EXIT_INTERRUPTED), (0.1, EXIT_INTERRUPTED), (0.2, 143))
    assert (words, status) == (["stop", "halt"], 130)


def test_what_runs_without_a_loop_ends_with_143_and_closes_what_is_open() -> None:
    before, closed = signal.getsignal(signal.SIGTERM), []
    with pytest.raises(SystemExit) as caught, ended_by_sigterm():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            closed.append(True)
    assert (caught.value.code, closed) == (143, [True])
    assert signal.getsignal(signal.SIGTERM) is before
