"""Three words for the answer to a write, never two."""

from __future__ import annotations

from typing import Any

import pytest

from agent.apply.classify import classify
from agent.live.api import Reply
from agent.model.outcome import Result
from tests.unit.plan.kinds import operation


def reply(answer: Any, landed: Any) -> Reply:
    return Reply(answer, landed, 200, None, None, "", "", {}, "/things", "POST")


@pytest.mark.parametrize(
    ("answer", "landed", "deleting", "expected"),
    [
        ("ok", "yes", False, Result.DONE),
        ("notFound", "no", True, Result.DONE),
        ("notFound", "no", False, Result.NOT_DONE),
        ("exists", "no", False, Result.NOT_DONE),
        ("invalid", "no", False, Result.NOT_DONE),
        ("throttled", "no", False, Result.NOT_DONE),
        ("unreachable", "no", False, Result.NOT_DONE),
        ("broken", "unknown", False, Result.UNKNOWN),
        ("broken", "unknown", True, Result.UNKNOWN),
    ],
)
def test_an_answer_is_done_not_done_or_unknown(answer: Any, landed: Any, deleting: bool, expected: Result) -> None:
    assert classify(reply(answer, landed), operation("POST", "/things"), deleting=deleting) is expected


def test_an_answer_that_the_operation_tolerates_is_done() -> None:
    cancel = operation("POST", "/things/{name}/cancel", tolerate=frozenset({"conflict"}))
    assert classify(reply("conflict", "no"), cancel, deleting=True) is Result.DONE


def test_what_exists_is_no_refusal_of_a_create_that_was_planned_where_nothing_was() -> None:
    create = operation("POST", "/things")
    assert classify(reply("exists", "no"), create, creating=True) is Result.UNKNOWN
    assert classify(reply("invalid", "no"), create, creating=True) is Result.NOT_DONE
