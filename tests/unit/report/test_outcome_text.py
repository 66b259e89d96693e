"""What an apply did, as text."""

from __future__ import annotations

from dataclasses import replace

from agent.report.outcome_text import render_reports
from tests.unit.report import samples


def test_the_report_reads_as_designed() -> None:
    report = samples.report(samples.GONE, samples.DONE, samples.FAILED, samples.LOST, samples.SKIPPED, samples.KEPT)
    assert render_reports([report]) == (
        "ok       delete  Workflow/old-load       2 calls  confirmed gone\n"
        "ok       update  Workflow/daily-etl      4 calls  ready after 9 s\n"
        'failed   create  Workflow/weekly-report  1 call   400 "unknown stack flare:8"'
        "  manifests/dataos/weekly.yaml:1:1\n"
        "unknown  update  Service/ingest          1 call   the connection was lost  manifests/dataos/ingest.yaml:1:1\n"
        "skipped  update  Depot/raw-lake                   waits for Workflow/weekly-report\n"
        "held     delete  Workflow/tmp-report              protected\n"
        "2 applied, 1 failed, 1 skipped, 1 held, 1 unknown · 11 calls · datakeel history 01JXPASS tells more\n"
    )


def test_nothing_to_do_is_one_line() -> None:
    report = replace(samples.report(), plan=samples.IN_SYNC)
    assert render_reports([report]) == "analytics: nothing to do, 304 in sync with main@4f2c1ab\n"


def test_a_pass_that_failed_says_why() -> None:
    text = render_reports([samples.report(error="the store is locked", error_code="store-failed")])
    assert "failed  analytics: the store is locked [store-failed]\n" in text
    assert "0 applied, 0 failed" in text


def test_problems_come_first_and_targets_have_titles() -> None:
    reports = [
        samples.report(samples.DONE, problems=(samples.PROBLEM,)),
        replace(samples.report(samples.DONE), target="b"),
    ]
    text = render_reports(reports)
    assert text.startswith("manifests/dataos/weekly.yaml:8:7: error[unknown-key]")
    assert "analytics · main@4f2c1ab\n" in text
    assert "b · main@4f2c1ab\n" in text
    assert "2 applied" in text


def test_a_platforms_answer_is_cut_and_cleaned() -> None:
    evil = "::error::\x1b[2J" + "x" * 500
    text = render_reports([samples.report(replace(samples.FAILED, message=evil))])
    assert "\x1b" not in text
    assert "x" * 201 not in text


def test_paint_only_adds_to_the_text() -> None:
    report = samples.report(samples.DONE, samples.FAILED)
    painted = render_reports([report], paint=lambda role, text: f"<{text}>")
    assert painted.replace("<", "").replace(">", "") == render_reports([report])
    assert "<failed>" in painted
