"""Progress: a line that is written over on a terminal, seldom a line elsewhere, nothing with ``-q``."""

from __future__ import annotations

import io

from agent.cli.progress import Progress


class Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_shows_one_line_and_then_none() -> None:
    screen, clock = Screen(terminal=True), Clock()
    line = Progress(quiet=False, stream=screen, now=clock)
    for text in ("1/3", "2/3", "3/3"):
        line.tell(text)
        clock.now += 0.06
    line.close()
    line.close()
    assert screen.getvalue() == "\r\x1b[2K3/3\r\x1b[2K"


def test_elsewhere_a_line_comes_every_half_minute() -> None:
    screen, clock = Screen(terminal=False), Clock()
    line = Progress(quiet=False, stream=screen, now=clock)
    for second in range(70):
        line.tell(f"{second} s")
        clock.now += 1.0
    line.close()
    assert screen.getvalue() == "30 s\n60 s\n"


def test_quiet_says_nothing() -> None:
    screen, clock = Screen(terminal=True), Clock()
    line = Progress(quiet=True, stream=screen, now=clock)
    clock.now += 100.0
    line.tell("x")
    line.close()
    assert screen.getvalue() == ""
