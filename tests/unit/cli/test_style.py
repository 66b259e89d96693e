"""When colour is used."""

from __future__ import annotations

import io

import pytest

from agent.cli.style import paint_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "color", "environ", "colored"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "never", {"FORCE_COLOR": "1"}, False),
        (False, "always", {"NO_COLOR": "1"}, True),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (True, "auto", {"FORCE_COLOR": "0"}, False),
        (True, "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, "auto", {"TERM": "dumb"}, False),
    ],
)
def test_the_flag_wins_then_the_environment_then_the_terminal(
    terminal: bool, color: str, environ: dict[str, str], colored: bool
) -> None:
    paint = paint_for(Terminal() if terminal else io.StringIO(), color, environ)
    assert ("\x1b[" in paint("delete", "x")) is colored
    assert paint("no such role", "x") == "x"
