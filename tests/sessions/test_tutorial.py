"""The page `agent/docs/tutorial/first-repository.md` shows what the session `ten-minutes` plays, command by command."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.docs.fences import fits, steps
from tests.sessions.session import HERE, ROOT

PAGE = ROOT / "agent" / "docs" / "tutorial" / "first-repository.md"
SESSION = HERE / "ten-minutes"


def played() -> Iterator[tuple[str, str]]:
    """Each command of the session, and what it printed."""
    for part in re.split(r"^\$ ", (SESSION / "output.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        if line.startswith("datakeel"):
            yield line, printed.rstrip("\n")


def test_every_command_of_the_page_is_played_and_prints_what_is_shown() -> None:
    commands = [
        (line, shown)
        for what, line, shown in steps(PAGE.read_text(encoding="utf-8"))
        if what == "command" and line.startswith("datakeel") and not line.startswith("datakeel sandbox")
    ]
    session = list(played())
    assert [line for line, _ in commands] == [line for line, _ in session]
    for (line, shown), (_, printed) in zip(commands, session, strict=True):
        assert fits(printed, shown), f"$ {line}\n{printed}\n--- the page shows\n{shown}"
