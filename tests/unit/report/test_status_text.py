"""The state of targets as text: one sentence, one table, and the reasons."""

from __future__ import annotations

from typing import Any

from agent.report import status_text


def document(**more: Any) -> dict[str, Any]:
    return {
        "target": "analytics",
        "platform": "dataos",
        "revision": "4f2c1ab" + "0" * 33,
        "short": "4f2c1ab",
        "in_sync": 304,
        "total": 304,
        "drift": 0,
        "held": 0,
        "failed": 0,
        "unknown": 0,
        "verified_p95_seconds": 2460.0,
        "calls_left": [
            {"window_seconds": 60, "left": 54, "usable": 80, "limit": 100},
            {"window_seconds": 3600, "left": 611, "usable": 800, "limit": 1000},
        ],
        "last_pass_at": 1000.0,
        "next_look_at": 1060.0,
        "conditions": [{"type": "Ready", "status": True, "reason": "InSync", "message": "all well", "since": 100.0}],
        "error": None,
        "held_list": [],
        "drift_list": [],
        "failed_list": [],
        "calls": {"list": 3},
        **more,
    }


def test_the_status_reads_as_designed() -> None:
    drifted = document(
        in_sync=303,
        drift=1,
        drift_list=[{"kind": "Service", "name": "ingest", "reason": "Drift", "message": "changed live"}],
    )
    documents = {"sales": document(target="sales", calls_left=[], verified_p95_seconds=None), "analytics": drifted}
    assert status_text.render_status(documents, now=1022.0) == (
        "1 of 2 targets in sync; 1 resource drifted\n"
        "TARGET     REVISION  IN SYNC  DRIFT  HELD  FAILED  VERIFIED  CALLS LEFT        NEXT\n"
        "analytics  4f2c1ab   303/304  1      0     0       41 min    54/min  611/hour  in 38 s\n"
        "sales      4f2c1ab   304/304  0      0     0       -         -                 in 38 s\n"
        "analytics: drift Service/ingest: changed live\n"
    )


def test_without_the_time_dates_are_told_and_bytes_are_stable() -> None:
    text = status_text.render_status({"a": document()}, now=None)
    assert "1970-01-01T00:17:40Z" in text
    assert text == status_text.render_status({"a": document()}, now=None)


def test_an_empty_store_says_so() -> None:
    told = "no pass yet: the state store knows no target; `datakeel run`, or `datakeel apply`, makes the first\n"
    assert status_text.render_status({}, now=None) == told


def test_an_error_stalls_a_target_and_is_told() -> None:
    failed = document(error={"code": "api-unauthorized", "message": "the token expired"})
    text = status_text.render_status({"a": failed}, now=None)
    assert "0 of 1 target in sync; analytics stalled" in text
    assert "analytics: failed: the token expired [api-unauthorized]" in text
    assert status_text.is_stalled(failed)
    assert status_text.is_pending(failed)


def test_a_condition_can_stall_a_target() -> None:
    stalled = {"type": "Stalled", "status": True, "reason": "Rejected", "message": "m", "since": 0.0}
    assert status_text.is_stalled(document(conditions=[stalled]))
    assert not status_text.is_stalled(document(conditions=[{**stalled, "status": False}]))


def test_pending_is_anything_that_differs() -> None:
    assert not status_text.is_pending(document())
    assert not status_text.is_pending(document(held=1))
    for word in ("drift", "failed", "unknown"):
        assert status_text.is_pending(document(**{word: 1}))
    assert status_text.is_pending(document(in_sync=303))


def test_twenty_reasons_are_listed_and_verbose_lists_all() -> None:
    held = [{"kind": "Job", "name": f"j{n}", "reason": "R", "message": ""} for n in range(21)]
    brief = status_text.render_status({"a": document(held=21, held_list=held[:20])}, now=None)
    assert "more held" not in brief
    longer = status_text.render_status({"a": document(held=21, held_list=held)}, now=None)
    assert "analytics: 1 more held (-v)" in longer
    verbose = status_text.render_status({"a": document(held=21, held_list=held)}, now=None, verbose=True)
    assert "Job/j20: R" in verbose
    assert "analytics: Ready yes since 1970-01-01T00:01:40Z: InSync all well" in verbose


def test_a_document_of_little_still_renders() -> None:
    text = status_text.render_status({"a": {"target": "a", "error": {"code": "x", "message": "\x1b"}}}, now=None)
    assert "a       -         0/0" in text
    assert "\x1b" not in text
