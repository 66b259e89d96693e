"""The past as text."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from agent.report import documents, history_text
from tests.unit.report import samples


class PassRow(NamedTuple):
    number: int = 512
    target: str = "analytics"
    revision: str = "4f2c1ab" + "0" * 33
    author: str = "ann"
    finished_at: float = 1000.0
    result: str = "partly_applied"
    error_code: str = ""
    counts: dict[str, Any] = {"done": {"create": 1, "update": 2}, "not_done": 1, "skipped": 0}  # noqa: RUF012
    calls: int = 11


class EventRow(NamedTuple):
    pass_number: int = 512
    target: str = "analytics"
    revision: str = "4f2c1ab" + "0" * 33
    at: float = 1000.0
    action: str = "update"
    cause: str = "git"
    outcome: str = "not_done"
    message: str = "boo\x1b"
    fields: tuple[dict[str, Any], ...] = (
        {"path": "a.b", "op": "change", "before": 1, "after": "1"},
        {"path": "p", "op": "change", "sensitive": True},
        {"path": "n", "op": "add", "after": [1]},
        {"path": "o", "op": "release", "before": 1},
    )


def test_passes_are_one_line_each() -> None:
    text = history_text.render_passes([PassRow(), PassRow(number=9, counts={}, error_code="api-fault")], now=1120.0)
    assert text == (
        "ID   WHEN       TARGET     REVISION     WHAT                          CALLS  RESULT\n"
        "512  2 min ago  analytics  4f2c1ab ann  1 create, 2 update, 1 failed  11     partly applied\n"
        "9    2 min ago  analytics  4f2c1ab ann  -                             11     partly applied [api-fault]\n"
    )


def test_an_empty_past_says_so() -> None:
    assert history_text.render_passes([], now=None) == "no pass did anything\n"
    assert "nothing" in history_text.render_events([], now=None)


def test_events_show_their_fields_and_no_secret() -> None:
    text = history_text.render_events([EventRow()], now=None)
    assert text == (
        "ID   WHEN                  TARGET     REVISION  WHAT             WHY\n"
        "512  1970-01-01T00:16:40Z  analytics  4f2c1ab   update not done  git boo\\x1b\n"
        '     a.b  1 -> "1"\n'
        "     p  (secret) changed\n"
        "     n  added [1]\n"
        "     o  release\n"
    )


def test_a_stored_pass_is_shown_in_full() -> None:
    report = samples.report(samples.DONE, samples.FAILED, error="lost", error_code="api-fault")
    stored = json.loads(documents.dump_document(documents.pass_document(report)))
    text = history_text.render_document(stored)
    assert text.startswith("pass       01JXPASS\ntarget     analytics\nrevision   main@4f2c1ab")
    assert "error      lost [api-fault]" in text
    assert "not done  create  Workflow/weekly-report  1 call   unknown stack flare:8" in text
    assert '     workflow.schedule.cron  "0 2 * * *" -> "0 3 * * *"' in text
