"""Which row of a list is meant where several look alike."""

from __future__ import annotations

import pytest

from agent.definitions.load import load_platform
from agent.live.look import find_row
from agent.live.rows import Row
from agent.model.identity import Key

JOB = load_platform("datachain-studio/v1").kinds["Job"]
KEY = Key("main", "Job", (), "nightly")
UID = "abcdefghijkl"


def run(number: str, content: str, owner: str | None = UID) -> Row:
    item = {"id": number, "name": f"nightly [{owner}-{content}]", "status": "COMPLETE"}
    return Row("nightly", (), number, owner, "ready", item, None)


OLD, NEW, AGAIN = run("1", "aaaaaaaa"), run("2", "bbbbbbbb"), run("3", "aaaaaaaa")
THEIRS = run("4", "aaaaaaaa", "0therowner00")


@pytest.mark.parametrize(
    ("rows", "server_id", "content", "meant"),
    [
        ((OLD, NEW), "2", None, "2"),
        ((OLD,), "2", None, None),  # lists are cut: that an earlier one is shown says nothing of the one that we know
        ((THEIRS, OLD), None, None, "1"),
        ((OLD, NEW), None, "bbbbbbbb", "2"),
        ((OLD,), None, "bbbbbbbb", None),
        ((OLD, NEW, AGAIN), "3", "aaaaaaaa", "3"),
        ((OLD, NEW), "2", "aaaaaaaa", "1"),
        ((NEW, THEIRS), "2", "aaaaaaaa", "2"),
    ],
)
def test_of_several_runs_the_known_one_counts_or_the_one_of_that_content(
    rows: tuple[Row, ...], server_id: str | None, content: str | None, meant: str | None
) -> None:
    found = find_row(JOB, KEY, rows, server_id, UID, content)
    assert (found.id if found is not None else None) == meant
