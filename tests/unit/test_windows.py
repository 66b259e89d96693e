"""When a target's windows are open: by the clock of their zone, closures before openings, deletes for themselves."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agent.model.window import OPEN, ApplyWindow, Closed
from agent.windows import closed_at, next_turn

BERLIN = "Europe/Berlin"
NIGHT = ApplyWindow(True, "0 22 * * 1-5", 7200.0, BERLIN)
NOON = ApplyWindow(False, "0 12 * * *", 3600.0, BERLIN)
SATURDAY = ApplyWindow(True, "0 8 * * 6", 14_400.0, BERLIN, "deletes")


def moment(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_without_windows_everything_may_be_written() -> None:
    assert closed_at((), 0.0) == OPEN


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-02 21:59:59", False),  # a Monday
        ("2026-03-02 22:00:00", True),
        ("2026-03-02 23:59:59", True),
        ("2026-03-03 00:00:00", False),
        ("2026-03-07 22:30:00", False),  # a Saturday
    ],
)
def test_an_opening_begins_with_its_moment_and_ends_before_its_end(at: str, is_open: bool) -> None:
    assert (closed_at((NIGHT,), moment(at)) == OPEN) == is_open


def test_the_sentence_tells_the_next_opening_in_its_own_zone() -> None:
    said = "outside of the target's windows until Mon 2026-03-09 22:00 Europe/Berlin"
    assert closed_at((NIGHT,), moment("2026-03-07 09:00:00")) == Closed(said, said)


def test_a_closure_wins_and_ends() -> None:
    always = ApplyWindow(True, "0 0 * * *", 86_400.0, BERLIN)
    said = "outside of the target's windows until Mon 2026-03-02 13:00 Europe/Berlin"
    assert closed_at((always, NOON), moment("2026-03-02 12:30:00")).writes == said
    assert closed_at((always, NOON), moment("2026-03-02 13:00:00")) == OPEN
    assert closed_at((NOON,), moment("2026-03-02 11:59:59")) == OPEN


def test_deletes_keep_their_own_openings_and_those_of_all_writes() -> None:
    assert closed_at((SATURDAY,), moment("2026-03-07 09:00:00")) == OPEN
    closed = closed_at((SATURDAY,), moment("2026-03-08 09:00:00"))
    assert closed == Closed("", "outside of the target's windows until Sat 2026-03-14 08:00 Europe/Berlin")
    both = closed_at((SATURDAY, NIGHT), moment("2026-03-07 09:00:00"))
    assert both.writes and both.deletes == "outside of the target's windows, and no opening is near"


def test_hours_are_those_of_the_wall_through_a_change_of_clocks() -> None:
    # On 29 March 2026 clocks in Berlin go from 2:00 to 3:00: 22:00 is an hour earlier in UTC than the day before.
    nightly = ApplyWindow(True, "0 22 * * *", 3600.0, BERLIN)
    assert closed_at((nightly,), moment("2026-03-28 21:00:00", "UTC")) == OPEN
    assert closed_at((nightly,), moment("2026-03-29 20:00:00", "UTC")) == OPEN
    assert closed_at((nightly,), moment("2026-03-29 21:00:00", "UTC")) != OPEN


@pytest.mark.parametrize(
    ("windows", "at", "turn"),
    [
        ((), "2026-03-02 09:00", None),
        ((NIGHT,), "2026-03-02 09:00", ("2026-03-02 22:00", True, True)),
        ((NIGHT,), "2026-03-02 22:30", ("2026-03-03 00:00", False, False)),
        ((NIGHT,), "2026-03-07 09:00", ("2026-03-09 22:00", True, True)),  # over a weekend
        ((SATURDAY,), "2026-03-02 09:00", ("2026-03-07 08:00", True, True)),
        ((SATURDAY,), "2026-03-07 09:00", ("2026-03-07 12:00", True, False)),  # deletes alone wait again
        ((NOON,), "2026-03-02 12:30", ("2026-03-02 13:00", True, True)),
    ],
)
def test_the_next_turn_is_told_with_what_may_go_then(
    windows: tuple[ApplyWindow, ...], at: str, turn: tuple[str, bool, bool] | None
) -> None:
    expected = None if turn is None else (moment(turn[0]), *turn[1:])
    assert next_turn(windows, moment(at)) == expected
