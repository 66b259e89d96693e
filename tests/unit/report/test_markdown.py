"""The page of a plan: dangerous first, whole within its size, its marker first, nothing but code from others."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agent.model.change import Change
from agent.report import documents
from agent.report.formats import MAX_BYTES_LEAST, Settings, render
from agent.report.markdown import marker
from tests.unit.report import samples
from tests.unit.report.test_formats import DOCUMENTS


def page(document: str = "plan", **settings: object) -> str:
    return render("markdown", DOCUMENTS[document], Settings(**settings))  # type: ignore[arg-type]


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]


def test_the_marker_is_the_first_line_and_the_counts_are_the_second() -> None:
    first, second, *_ = page(key="production").splitlines()
    assert first == "<!-- datakeel:plan key=production -->"
    assert second == (
        "### datakeel: **1 delete**, **1 replace**, 2 held, 3 updates, 1 adopt, 1 create, 1 drift reported "
        "in `analytics`"
    )


@pytest.mark.parametrize("key", ["", "a b", "x-->", "-x", "a" * 65, "a\n"])
def test_a_key_is_a_plain_word(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        marker(key)


def test_dangerous_rows_come_first_and_say_why() -> None:
    words = [row.split(" | ")[1] for row in rows(page())]
    assert words == ["**delete**", "**replace**", "held", "held", *["update"] * 3, "adopt", "create", "drift reported"]
    first, second, *_ = rows(page())
    assert first == "| 🗑️ | **delete** | `Workflow/old-load` | removed in 9be01d2 by ann |"
    assert second.endswith("| `volume.accessMode` cannot change in place · hits `Service/ingest` |")


def test_a_change_in_sync_is_one_line() -> None:
    _, *lines = page("in-sync").splitlines()
    assert lines == ["✅ datakeel: nothing to change in `analytics` · 304 unchanged · at `main@4f2c1ab`"]


def test_names_carry_their_scope_and_target_only_where_they_must() -> None:
    twin = replace(samples.CREATE, key=samples.key("Workflow", "daily-etl", (("workspace", "sales"),)))
    document = documents.plan_document([replace(samples.PLAN, changes=(samples.UPDATE, twin))])
    assert "`Workflow/analytics/daily-etl`" in render("markdown", document, Settings())
    assert "| `analytics` | `Workflow/old-load` |" in page("everything")


def test_failures_and_refusals_come_before_the_table() -> None:
    text = page("everything")
    head = text.partition("| --- |")[0]
    assert "**no plan** of `fourth`, `third`" in head
    assert "❌ **failed** `third` no answer (`api-fault`) · fix: wait" in head
    assert "--max-calls" in head
    assert "**incomplete**" in head
    assert "`manifests/dataos/weekly.yaml:8:7`" in head


def test_fields_are_a_diff_below_and_a_secret_shows_nothing() -> None:
    text = page()
    assert '```diff\n- volume.accessMode: "ReadWriteOnce"\n+ volume.accessMode: "ReadWriteMany"\n```' in text
    assert "! depot.connection.password: (secret) changed (env DATAOS_LAKE_PASSWORD)" in text
    assert "\n- where day = current_date\n+ where day >= current_date - 1\n" in text
    assert "hits `Service/ingest`" in text


def test_what_changes_the_agent_itself_stands_before_everything_else() -> None:
    head, _, _ = page("proposal").partition("| --- |")
    assert head.index("**changes the agent itself**") < head.index("**config-changed** `datakeel.yaml:6`")
    assert "```diff\n- server: https://api.dataos.io\n+ server: https://evil.example\n```" in head
    assert "`platforms/acme/platform.yaml`" in head


def test_a_removal_names_its_commit_and_others_changes_are_folded_apart() -> None:
    text = page("proposal")
    assert rows(text) == [
        "| 🗑️ | **delete** | `Workflow/old-load` | removed in 9be01d2 by ann |",
        "| ✏️ | update | `Workflow/daily-etl` | `workflow.schedule.cron`, `workflow.dag[name=load].spec.stack` |",
    ]
    _, _, apart = text.partition("<details><summary>not by this change:")
    assert "description" in apart
    assert "service.replicas" in apart
    assert "description" not in text.removesuffix(apart)
    assert "base `77aa0e1`" in text


def many(number: int, change: Change) -> tuple[Change, ...]:
    return tuple(replace(change, key=samples.key("Workflow", f"resource-{at:05}")) for at in range(number))


@pytest.mark.parametrize("limit", [MAX_BYTES_LEAST, 5_000, 60_000])
@pytest.mark.parametrize(("deletes", "updates"), [(0, 0), (3, 30), (40, 400), (1_000, 0), (1_000, 400)])
def test_comment_and_summary_keep_deletes_within_the_size_limit(limit: int, deletes: int, updates: int) -> None:
    changes = many(deletes, samples.DELETE) + many(updates, samples.UPDATE)
    document = documents.plan_document([replace(samples.PLAN, changes=changes)])
    text = render("markdown", document, Settings(max_bytes=limit, full="plan.json"))
    assert len(text.encode()) <= limit
    shown = rows(text)
    dangerous = [row for row in shown if "**delete**" in row]
    assert dangerous == shown[: len(dangerous)]
    assert len(dangerous) == deletes or len(shown) == len(dangerous), "a delete gave way to an update"
    left_out = re.findall(r"(\d+) (dangerous change|other line|detail)", text.partition("**shortened**")[2])
    counted = {word: int(number) for number, word in left_out}
    assert len(dangerous) + counted.get("dangerous change", 0) == deletes
    assert len(shown) - len(dangerous) + counted.get("other line", 0) == updates
    assert text.count("<details>") + counted.get("detail", 0) == deletes + updates
    assert not left_out or "all of it is in `plan.json` of this job" in text
    assert text.splitlines()[0] == marker("default")
    if deletes or updates:
        assert f"digest `{document['digest']}`" in text


@pytest.mark.parametrize("limit", [MAX_BYTES_LEAST, 5_000, 60_000])
def test_problems_do_not_push_a_delete_out(limit: int) -> None:
    problems = [replace(samples.PROBLEM, where=replace(samples.PROBLEM.where, line=line)) for line in range(1, 900)]
    plan = replace(
        samples.PLAN, changes=many(3, samples.DELETE) + many(200, samples.UPDATE), notes=("a note. " * 9,) * 99
    )
    text = render("markdown", documents.plan_document([plan], problems=problems), Settings(max_bytes=limit))
    assert len(text.encode()) <= limit
    assert text.count("**delete**") == 3
    shown = text.count("- ❌")
    assert f"{899 - shown} problems" in text.partition("**shortened**")[2]
    assert shown > 0 or limit == MAX_BYTES_LEAST


def test_a_report_shows_what_failed_first() -> None:
    text = page("report")
    outcomes = [row.split(" | ")[1] for row in rows(text)]
    assert outcomes == ["**failed**", "**unknown**", "skipped", "held", "done", "done"]
    assert "400 · unknown stack `flare:8` · `manifests/dataos/weekly.yaml:1`" in text
    assert "❌ **failed** `analytics` the store is locked (`store-locked`)" in text


def test_problems_are_a_table_with_their_fixes() -> None:
    text = page("problems")
    assert "### datakeel validate: 1 error, 1 warning in 304 manifests" in text
    assert rows(text)[0] == (
        "| ❌ error | `manifests/dataos/weekly.yaml:8:7` | `Workflow/weekly-report`: `cronn` is not known in "
        "`workflow.schedule` | did you mean `cron`? |"
    )
    assert page("clean").splitlines()[1:] == ["✅ datakeel validate: no problem in 304 manifests"]
