"""Progress: a line that is written over on a terminal, seldom a line elsewhere, nothing with ``-q``."""

from __future__ import annotations

import sys

import pytest

from agent.cli import progress
from agent.cli.progress import Progress


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock.monotonic)
    return clock


def test_a_terminal_shows_one_line_and_then_none(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    line = Progress(quiet=False)
    for text in ("1/3", "2/3", "3/3"):
        line.tell(text)
        clock.now += 0.06
    line.close()
    assert capsys.readouterr().err == "\r\x1b[2K3/3\r\x1b[2K"


def test_elsewhere_a_line_comes_every_half_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    line = Progress(quiet=False)
    for second in range(70):
        line.tell(f"{second} s")
        clock.now += 1.0
    line.close()
    assert capsys.readouterr() == ("", "30 s\n60 s\n")


def test_quiet_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    line = Progress(quiet=True)
    clock.now += 100.0
    line.tell("x")
    line.close()
    assert capsys.readouterr() == ("", "")
