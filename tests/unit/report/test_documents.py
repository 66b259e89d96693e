"""The JSON documents: valid against their schema, exact numbers, no secret, nothing that a runner obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ManifestError, PlatformFault
from agent.json_schema import Schema
from agent.model.change import digest_of
from agent.report import documents, events
from tests.unit.report import samples
from tests.unit.report.samples import PLAN, PROBLEM

ROOT = Path(__file__).parents[3]


def read_schema(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    return read


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(read_schema("plan"), "schemas/plan.schema.json")


def whole() -> dict[str, Any]:
    sales = replace(samples.IN_SYNC, target="sales")
    return documents.plan_document(
        [PLAN, sales],
        problems=[PROBLEM],
        errors={"third": PlatformFault("no answer", fix="wait"), "fourth": ManifestError("bad", problems=(PROBLEM,))},
        only=["Workflow"],
    )


@pytest.mark.parametrize("document", [whole(), documents.plan_document([PLAN]), documents.plan_document([])])
def test_a_plan_is_valid_against_its_schema(schema: Schema, document: dict[str, Any]) -> None:
    parsed = json.loads(documents.dump_document(document))
    assert schema.violations(parsed) == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plan: plan.update(format="datakeel.plan/2"),
        lambda plan: plan.update(digest="p1-xyz"),
        lambda plan: plan["changes"][0].update(action="destroy"),
        lambda plan: plan["changes"][0].pop("key"),
        lambda plan: _first_sensitive(plan).update(before="s3cret"),
        lambda plan: plan["problems"][0].pop("code"),
    ],
)
def test_the_schema_refuses_what_no_plan_may_be(schema: Schema, spoil: Any) -> None:
    document = json.loads(documents.dump_document(whole()))
    spoil(document)
    assert not schema.is_valid(document)


def _first_sensitive(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        field for change in plan["changes"] for field in change["fields"] if field["sensitive"]
    )
    return found


OTHERS: list[tuple[str, dict[str, Any]]] = [
    (
        "report",
        documents.report_document(
            [
                samples.report(
                    *(samples.DONE, samples.FAILED, samples.LOST, samples.SKIPPED, samples.KEPT),
                    problems=(PROBLEM,),
                    error="the store is locked",
                    error_code="store-locked",
                )
            ]
        ),
    ),
    ("report", documents.report_document([])),
    ("problems", documents.problems_document([PROBLEM], manifests=3)),
    ("problems", documents.problems_document([])),
    ("error", documents.error_document(ManifestError("bad", problems=(PROBLEM,), where=PROBLEM.where, fix="mend it"))),
]


@pytest.mark.parametrize(("name", "document"), OTHERS)
def test_every_document_is_valid_against_its_schema(name: str, document: dict[str, Any]) -> None:
    other = Schema(read_schema(name), f"schemas/{name}.schema.json")
    parsed = json.loads(documents.dump_document(document))
    assert other.violations(parsed) == ()
    assert parsed["format"] == read_schema(name)["title"]
    for member in read_schema(name)["required"]:
        assert not other.is_valid({key: value for key, value in parsed.items() if key != member})


def test_every_event_is_a_line_that_its_schema_allows() -> None:
    report = samples.report(samples.DONE, samples.FAILED, samples.LOST, samples.SKIPPED, samples.KEPT)
    told = [
        events.pass_started(["analytics"], 1.0),
        events.plan_made(samples.PLAN, 1.0),
        events.change_started(samples.DONE.change, 1.0),
        *(events.change_ended(outcome, 1.0) for outcome in report.outcomes),
        events.pass_finished([report], 5, 1.0),
    ]
    schema = read_schema("events")
    for event in told:
        line = documents.dump_document(event, pretty=False)
        assert line.count("\n") == 1
        assert Schema(schema, "schemas/events.schema.json").violations(json.loads(line)) == ()
        assert event["event"] in schema["properties"]["event"]["description"]
    assert len({event["event"] for event in told}) == 9


def test_the_schemas_agree_on_what_they_share() -> None:
    shared = read_schema("plan")["$defs"]
    for name in ("report", "problems", "rendering", "error"):
        for word, definition in read_schema(name)["$defs"].items():
            assert shared.get(word, definition) == definition, f"{word} of {name}.schema.json"


def test_the_counts_digest_and_costs_are_those_of_the_plans() -> None:
    document = whole()
    assert document["summary"] == {
        "create": 1,
        "update": 3,
        "replace": 1,
        "delete": 1,
        "adopt": 1,
        "release": 0,
        "held": 2,
        "drift_reported": 1,
        "unchanged": 601,
        "remembered": 0,
    }
    assert document["digest"] == digest_of((PLAN, replace(samples.IN_SYNC, target="sales")))
    assert document["calls"] == {
        "read": 52,
        "apply_max": 30,
        "by_purpose": {"write": 8, "look": 8, "confirm": 8, "ready": 6, "actions": 0},
        "reads_by_purpose": {},
    }
    assert document["complete"] is False
    assert documents.plan_document([PLAN])["complete"] is True
    assert [error["target"] for error in document["errors"]] == ["fourth", "third"]


def test_a_sensitive_field_carries_its_reference_only() -> None:
    leaking = samples.field("p", before="canary-1", after="canary-2", sensitive=True, reference="env X")
    document = documents.plan_document([replace(PLAN, changes=(replace(samples.UPDATE, fields=(leaking,)),))])
    assert document["changes"][0]["fields"][0]["reference"] == "env X"
    assert "canary" not in documents.dump_document(document)


def test_numbers_keep_their_digits() -> None:
    field = samples.field("n", before=Decimal("1.10"), after=10**25)
    document = documents.plan_document([replace(PLAN, changes=(replace(samples.UPDATE, fields=(field,)),))])
    text = documents.dump_document(document)
    assert '"before":1.10' in text
    assert f'"after":{10**25}' in text


def test_an_added_null_is_told_apart_from_no_value() -> None:
    added = samples.field("a", samples.FieldOp.ADD, after=None)
    removed = samples.field("b", samples.FieldOp.REMOVE, before=None)
    first, second = documents.change_document(replace(samples.UPDATE, fields=(added, removed)))["fields"]
    assert first["after"] is None
    assert "before" not in first
    assert second["before"] is None
    assert "after" not in second


def test_equal_plans_give_equal_bytes() -> None:
    turned = replace(PLAN, changes=tuple(reversed(PLAN.changes)))
    assert documents.dump_document(documents.plan_document([turned])) == documents.dump_document(
        documents.plan_document([PLAN])
    )


def test_strings_survive_but_nothing_in_the_text_can_be_obeyed() -> None:
    evil = "::error::\u202e\x1b[2J\u2028##[group]##vso[x]\U000e0041 Grüße"
    text = documents.dump_document({"format": evil, "list": [{"a": evil}], "plain": [evil]})
    assert json.loads(text) == {"format": evil, "list": [{"a": evil}], "plain": [evil]}
    assert all(bad not in text for bad in ("\u202e", "\x1b", "\u2028", "##[", "##vso[", "\U000e0041"))
    assert "Grüße" in text
    assert all(not line.lstrip().startswith("::") for line in text.splitlines())


def test_a_document_is_one_member_a_line_or_one_line() -> None:
    document: Mapping[str, Any] = {"a": 1, "b": [{"c": 1}, {"c": 2}], "d": []}
    assert documents.dump_document(document) == '{\n "a": 1,\n "b": [\n  {"c":1},\n  {"c":2}\n ],\n "d": []\n}\n'
    assert documents.dump_document(document, pretty=False) == '{"a":1,"b":[{"c":1},{"c":2}],"d":[]}\n'


def test_a_report_tells_each_outcome() -> None:
    report = samples.report(samples.DONE, samples.FAILED, samples.SKIPPED, error="lost", error_code="api-fault")
    document = documents.report_document([report])
    assert document["format"] == "datakeel.report/1"
    (one,) = document["passes"]
    assert one["summary"] == {"done": 1, "not_done": 1, "unknown": 0, "skipped": 1, "held": 0}
    assert one["calls"] == {"total": 11, "by_purpose": {"confirm": 7, "write": 4}}
    assert one["started_at"] == "2026-03-04T04:53:20Z"
    assert one["error"] == {"code": "api-fault", "message": "lost"}
    done, failed, skipped = one["changes"]
    assert (done["outcome"], done["ready"], done["ready_after_seconds"]) == ("done", True, 9.2)
    assert (failed["outcome"], failed["status"], failed["code"], failed["terminal"]) == (
        "not_done",
        400,
        "INVALID_STACK",
        True,
    )
    assert failed["calls"] == 1
    assert skipped["answer"] == "waits for Workflow/weekly-report"
    json.loads(documents.dump_document(document))


def test_problems_are_counted_and_sorted() -> None:
    warning = replace(PROBLEM, severity="warning", where=replace(PROBLEM.where, line=2))
    document = documents.problems_document([PROBLEM, warning], manifests=304)
    assert document["summary"] == {"error": 1, "warning": 1, "info": 0}
    assert [one["line"] for one in document["problems"]] == [2, 8]
    assert document["manifests"] == 304
    assert "got" not in document["problems"][0]


def test_an_error_is_a_document_of_its_own() -> None:
    document = documents.error_document(ManifestError("2 mistakes", problems=(PROBLEM,), fix="mend them"))
    assert document["format"] == "datakeel.error/1"
    assert document["error"]["code"] == "invalid-manifest"
    assert document["error"]["exit_status"] == 3
    assert document["error"]["problems"][0]["code"] == "unknown-key"
