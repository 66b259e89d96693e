"""The demo's acts as a table, as rows and as lines: aligned, within the width, the same words in colour."""

from __future__ import annotations

import re

import pytest

from agent.cli.demo_table import WIDTH_MAX, Act, Line, Table, whole

NAMES = ("acme", "borealis-cloud", "carbon", "delta", "echo")
EDIT = Act(
    "2",
    "edit in git",
    {
        name: (Line("", f"Workflow/{name}"), Line("update", f"update {whole('0 2 * * *')} {whole('-> 0 3 * * *')}"))
        for name in NAMES
    },
)


def plain(role: str, text: str) -> str:
    return text


def painted(role: str, text: str) -> str:
    return f"<{role}>{text}</>" if role else text


@pytest.mark.parametrize("width", [106, 118, 200])
def test_five_platforms_stand_side_by_side_and_aligned(width: int) -> None:
    table = Table(NAMES, width, plain)
    (head,) = table.head()
    lines = table.act(EDIT)
    assert lines[0] == "" and lines[1].startswith("2 edit in git ")
    for name in NAMES:
        at = head.index(name)
        assert lines[1].index("Workflow", at) == at
        assert lines[1][at - 1] == " "
    assert all(len(line) <= min(width, WIDTH_MAX) for line in (head, *lines))


def test_a_value_is_never_broken() -> None:
    text = "\n".join(Table(NAMES, 106, plain).act(EDIT))
    assert text.count("0 2 * * *") == text.count("-> 0 3 * * *") == 5
    assert "\N{NO-BREAK SPACE}" not in text


def test_a_narrow_terminal_gets_a_row_for_each_platform() -> None:
    table = Table(NAMES, 80, plain)
    assert table.head() == []
    lines = table.act(EDIT)
    assert lines[1] == "2 edit in git"
    assert [line.split()[0] for line in lines[2:]] == list(NAMES)
    assert all(len(line) <= 80 for line in lines)
    assert len(Table(NAMES, 50, plain).act(EDIT)) == 12, "two lines for what does not fit into one"


def test_one_platform_alone_is_told_in_lines() -> None:
    table = Table(("acme",), 118, plain)
    assert table.head() == []
    assert table.act(EDIT) == ["2/5  edit in git     Workflow/acme   update 0 2 * * * -> 0 3 * * *"]
    assert table.act(EDIT._replace(number="", name="in all"))[0].startswith("     in all ")


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_colour_changes_no_word(names: tuple[str, ...]) -> None:
    coloured, bare = Table(names, 118, painted), Table(names, 118, plain)
    shown = [*coloured.head(), *coloured.act(EDIT)]
    assert "<update>update" in "".join(shown)
    assert [re.sub(r"<\w*>|</>", "", line) for line in shown] == [*bare.head(), *bare.act(EDIT)]
