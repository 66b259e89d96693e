"""How old what is known is, against its goal, and the arithmetic of a goal that is out of reach."""

from __future__ import annotations

from typing import Any

from agent.report.knowledge_text import age, knowledge_lines


def kind(**more: Any) -> dict[str, Any]:
    return {
        "kind": "Workflow",
        "objects": 1000,
        "unread": 0,
        "goal_seconds": 7200.0,
        "p50_seconds": 3300.0,
        "p95_seconds": 6300.0,
        "max_seconds": 6700.0,
        "round_seconds": 6660.0,
        "reached": True,
        **more,
    }


def looking(**more: Any) -> dict[str, Any]:
    return {
        "calls_per_hour": 719,
        "wanted_per_hour": 1156,
        "reads_per_hour": 540,
        "list_calls": 10,
        "list_seconds": 60.0,
        "list_goal_seconds": 60.0,
        **more,
    }


def lines(*kinds: dict[str, Any], verbose: bool = False, **more: Any) -> list[str]:
    return knowledge_lines({"knowledge": list(kinds), "looking": looking(**more)}, verbose=verbose)


def test_what_is_as_wanted_is_told_on_request() -> None:
    assert lines(kind()) == []
    assert lines(kind(), verbose=True) == [
        "Workflow: 1000 objects last read 55 min ago (half), 1.8 h (95 %), 1.9 h (oldest); goal 2.0 h"
    ]


def test_a_goal_out_of_reach_is_told_with_its_numbers() -> None:
    told = lines(kind(goal_seconds=3600.0, reached=False, round_seconds=6660.0))
    assert told == [
        "Workflow: 1000 objects last read 55 min ago (half), 1.8 h (95 %), 1.9 h (oldest); goal 60 min",
        "Workflow: the goal of 60 min is out of reach: of 719 calls an hour that may be spent on looking, 540 read "
        "objects one by one, so once around takes 1.9 h; a longer `verify`, a larger budget or webhooks mend it",
    ]


def test_a_goal_in_reach_that_is_missed_now_is_told() -> None:
    assert len(lines(kind(max_seconds=9000.0))) == 1


def test_lists_that_come_less_often_are_told_with_the_sum() -> None:
    assert lines(kind(), list_seconds=200.0) == [
        "lists are read every 3 min and not every 60 s: 10 calls each, and 719 an hour are left for looking of the "
        "1156 wanted"
    ]


def test_what_was_never_read_and_documents_of_before() -> None:
    nothing = kind(objects=1, unread=1, p50_seconds=None, p95_seconds=None, max_seconds=None)
    assert lines(nothing, verbose=True) == ["Workflow: 1 object never read yet; goal 2.0 h"]
    assert "; 3 never read yet" in lines(kind(unread=3), verbose=True)[0]
    assert knowledge_lines({}, verbose=True) == []


def test_ages_are_told_as_closely_as_a_goal_needs() -> None:
    assert [age(seconds) for seconds in (0, 41.2, 119, 150, 5300, 5400, 100_000, 200_000)] == [
        "0 s",
        "41 s",
        "119 s",
        "2 min",
        "88 min",
        "1.5 h",
        "27.8 h",
        "2.3 days",
    ]
